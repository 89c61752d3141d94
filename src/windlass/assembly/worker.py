"""Builds and runs the worker process: drains the journal into the trace store and runs durable jobs."""

import logging
import signal
import threading
from pathlib import Path

from windlass.assembly.journal import open_reader
from windlass.assembly.logs import configure_logs
from windlass.assembly.parent import end_with_parent
from windlass.assembly.trace_engine import open_trace_store
from windlass.base.errors import StoreError
from windlass.base.settings import Settings
from windlass.capabilities.traces.jobs import Drain
from windlass.contracts.trace_store import TraceStore

logger = logging.getLogger(__name__)

ASIDE_FOLDER = "set-aside"
_BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


def run(settings: Settings, *, is_supervised: bool) -> None:
    """Work until SIGTERM; what the journal holds then is stored first, when the engine is up.

    Raises: AlreadyRunning while another worker reads the journal; ConfigurationError.
    """
    configure_logs(settings, "worker")
    if is_supervised:
        end_with_parent()
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    reader = open_reader(settings)
    store = open_trace_store(settings)
    try:
        if _prepare(store, stop):
            drain = Drain(reader, store, aside=Path(settings.home) / ASIDE_FOLDER)
            drain.run(stop)
    finally:
        reader.close()
        store.close()


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
