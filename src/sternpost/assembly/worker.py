"""Builds and runs the worker process: the loops, scheduled jobs and subscribers that the parts bring."""

import logging
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from sternpost.assembly.blobs import open_blobs
from sternpost.assembly.environment import process_environment
from sternpost.assembly.heartbeat import Heart, WatchedStop
from sternpost.assembly.in_force import in_force
from sternpost.assembly.journal import open_journal
from sternpost.assembly.late import LateJournal, LateTables
from sternpost.assembly.logs import configure_logs
from sternpost.assembly.loops import LoopThreads
from sternpost.assembly.parent import end_with_parent
from sternpost.assembly.part import Foundation, Loop, Part
from sternpost.assembly.parts import plugs, span_facts
from sternpost.assembly.queued_work import queued_work
from sternpost.assembly.tables import open_tables
from sternpost.assembly.trace_engine import open_trace_store
from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.clock import SystemClock
from sternpost.base.errors import ConfigurationError, NewerData, StoreError
from sternpost.base.settings import Settings
from sternpost.capabilities.events.subscriptions import Subscription
from sternpost.contracts.trace_store import TraceStore

logger = logging.getLogger(__name__)

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
    if heartbeat_fd is not None:
        end_with_parent()
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    with ExitStack() as stack:
        opened = _open_foundation(stack, settings)
        parts = [plug.work(opened) for plug in plugs() if plug.work is not None]
        for part in parts:
            if part.close is not None:
                stack.callback(part.close)
        _work(opened, parts, stop, Heart(heartbeat_fd))


def _open_foundation(stack: ExitStack, settings: Settings) -> Foundation:
    """Raises: NewerData. With any other fault of the tables the journal is drained all the same."""
    clock, environment = SystemClock(), process_environment()
    tables = LateTables(lambda: open_tables(settings))
    stack.callback(tables.close)
    refuse_newer_tables(tables)
    journal = LateJournal(lambda: open_journal(settings))
    stack.callback(journal.close)
    store = open_trace_store(settings)
    stack.callback(store.close)
    return Foundation(
        settings=settings,
        environment=environment,
        clock=clock,
        in_force=in_force(settings, environment),
        tables=tables,
        log=SqlEventLog(tables, clock),
        queue=SqlWorkQueue(tables, clock),
        journal=journal,
        store=store,
        blobs=open_blobs(settings, counts=True),
        facts=span_facts(),
    )


def refuse_newer_tables(tables: LateTables) -> None:
    """Raises: NewerData. Any other fault is logged; they are opened again when they are needed."""
    try:
        tables.opened()
    except NewerData:
        raise
    except (StoreError, ConfigurationError) as error:
        logger.error("jobs and batches need the tables: %s", error.message)


def _work(opened: Foundation, parts: Sequence[Part], stop: threading.Event, heart: Heart) -> None:
    """Run every loop until stopped; those that need the trace store wait for it."""
    loops = [loop for part in parts for loop in part.loops]
    loops += _subscriptions(opened, parts)
    is_store_ready = threading.Event()
    loops.append(queued_work(opened, parts, is_store_ready))
    watched = WatchedStop(stop)
    heart.beat_while_looking(watched, _STUCK_S)
    threads = LoopThreads(stop, watched)
    try:
        threads.start([loop for loop in loops if not loop.needs_store])
        if _prepare(opened.store, watched):
            is_store_ready.set()
            threads.start([loop for loop in loops if loop.needs_store])
            stop.wait()
    finally:
        stop.set()
        threads.join()
    threads.raise_failure()


def _subscriptions(opened: Foundation, parts: Sequence[Part]) -> list[Loop]:
    cursors = SqlCursors(opened.tables, opened.clock)
    return [
        Loop(f"subscriber-{one.name}", Subscription(one, opened.log, cursors, opened.clock).run)
        for part in parts
        for one in part.subscribers
    ]


def _prepare(store: TraceStore, stop: threading.Event) -> bool:
    """Bring the schema up to date, waiting for the engine as long as it takes; False when stopped."""
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
