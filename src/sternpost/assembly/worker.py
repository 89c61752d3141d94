"""Builds and runs the worker process: drains the journal into the trace store and runs durable jobs."""

import logging
import signal
import threading

from sternpost.assembly.batches import batch_service, run_batches
from sternpost.assembly.blobs import open_blobs
from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.environment import process_environment
from sternpost.assembly.heartbeat import Heart, WatchedStop
from sternpost.assembly.journal import open_reader
from sternpost.assembly.lean import leave_out_data_frames
from sternpost.assembly.logs import configure_logs
from sternpost.assembly.parent import end_with_parent
from sternpost.assembly.tables import open_tables
from sternpost.assembly.trace_engine import open_trace_store
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.jobs.dbos import DbosJobs, sqlite_jobs_url
from sternpost.base.clock import SystemClock
from sternpost.base.errors import ConfigurationError, NewerData, StoreError
from sternpost.base.settings import Settings
from sternpost.capabilities.access.jobs import prune_sign_ins
from sternpost.capabilities.access.service import access_service
from sternpost.capabilities.batches.jobs import prune_files
from sternpost.capabilities.traces.writing.drain import Drain
from sternpost.capabilities.traces.writing.drain_report import reporter
from sternpost.capabilities.traces.writing.retention import (
    delete_before_ns,
    drop_blobs_before,
    drop_traces_before,
)
from sternpost.capabilities.traces.writing.rollup import keep_call_figures
from sternpost.capabilities.traces.writing.set_aside import FOLDER_NAME
from sternpost.contracts.blobs import BlobStore
from sternpost.contracts.jobs import Job
from sternpost.contracts.trace_store import TraceStore

logger = logging.getLogger(__name__)

_DAY_NS = 86_400_000_000_000
# How long the drain may be at one batch: six inserts of a minute each, tried twice, and some more.
_STUCK_S = 900.0
_BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


def run(settings: Settings, *, heartbeat_fd: int | None) -> None:
    """Work until SIGTERM; what the journal holds then is stored first, when the engine is up.

    heartbeat_fd: where a supervisor looks for signs of life; None: there is none.
    Raises: AlreadyRunning while another worker reads the journal; NewerData for tables or a trace store of a
    newer version; ConfigurationError.
    """
    configure_logs(settings, "worker")
    leave_out_data_frames()
    if heartbeat_fd is not None:
        end_with_parent()
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    reader = open_reader(settings)
    _refuse_newer_tables(settings)
    main = WatchedStop(stop)
    Heart(heartbeat_fd).beat_while_looking(main, _STUCK_S)
    store = open_trace_store(settings)
    blobs = open_blobs(settings, counts=True)
    # Batches need no trace store: their calls are recorded by the journal.
    batches = threading.Thread(target=_run_batches, args=(settings, stop), name="sternpost-batches")
    batches.start()
    try:
        if _prepare(store, main):
            jobs = threading.Thread(
                target=_run_jobs, args=(settings, store, blobs, stop), name="sternpost-jobs"
            )
            jobs.start()
            figures = threading.Thread(target=keep_call_figures, args=(store, stop), name="sternpost-figures")
            figures.start()
            drain = Drain(reader, store, blobs, aside=settings.home / FOLDER_NAME)
            drain.on_change = reporter(settings.home)
            drain.run(main)
            jobs.join()
            figures.join()
    finally:
        stop.set()
        batches.join()
        reader.close()
        store.close()


def _refuse_newer_tables(settings: Settings) -> None:
    """Raises: NewerData. With any other fault of the tables the journal is drained all the same."""
    try:
        open_tables(settings).close()
    except NewerData:
        raise
    except (StoreError, ConfigurationError) as error:
        logger.error("jobs and batches need the tables: %s", error.message)


def _run_jobs(settings: Settings, store: TraceStore, blobs: BlobStore, stop: threading.Event) -> None:
    """Follow the schedules until told to stop; without its database the worker drains all the same."""
    try:
        url = settings.tables_url or sqlite_jobs_url(settings.home)
        tables = open_tables(settings)
    except (StoreError, ConfigurationError) as error:
        logger.error("scheduled jobs do not run: %s", error.message)
        return
    log = SqlEventLog(tables, SystemClock())
    access = access_service(tables, log, session_days=settings.session_days)

    def keep_house(now_ns: int) -> None:
        prune_sign_ins(access)
        before_ns = delete_before_ns(now_ns, settings.trace_retention_days)
        if before_ns is not None:
            drop_traces_before(store, before_ns)
            drop_blobs_before(blobs, before_ns)
        blobs.tidy(now_ns - _DAY_NS)

    files = batch_service(settings, ConfigFile(), tables, SystemClock())

    def prune(_: int) -> None:
        prune_files(files)

    jobs = DbosJobs(url)
    try:
        jobs.start(
            [
                Job("retention", keep_house, schedule="17 3 * * *"),
                Job("files", prune, schedule="7 * * * *"),
            ]
        )
        stop.wait()
    except StoreError as error:
        logger.error("scheduled jobs do not run: %s", error.message)
    finally:
        jobs.close()
        tables.close()


def _run_batches(settings: Settings, stop: threading.Event) -> None:
    """Run batches until told to stop; without them the worker drains all the same."""
    environment = process_environment()
    while not stop.is_set():
        try:
            loaded = load_config(find_config(settings), environment)
            tables = open_tables(settings)
            try:
                run_batches(settings, loaded, environment, tables, stop)
            finally:
                tables.close()
        except (StoreError, ConfigurationError) as error:
            logger.error("batches do not run: %s", error.message)
            stop.wait(_BACK_OFF_S[-1])


def _prepare(store: TraceStore, stop: threading.Event) -> bool:
    """Bring the schema up to date, waiting for the engine as long as it takes; False when told to stop."""
    attempt = 0
    while not stop.is_set():
        try:
            store.migrate()
        except StoreError as error:
            if attempt == len(_BACK_OFF_S):
                logger.warning("waiting for the trace store: %s", error.message)
            stop.wait(_BACK_OFF_S[min(attempt, len(_BACK_OFF_S) - 1)])
            attempt += 1
        else:
            return True
    return False
