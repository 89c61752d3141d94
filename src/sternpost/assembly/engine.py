"""Runs the embedded engine process; kept apart so that it imports nothing of the server."""

from sternpost.assembly.heartbeat import Heart
from sternpost.assembly.logs import configure_logs
from sternpost.assembly.parent import end_with_parent
from sternpost.backends.engine.process import run_engine
from sternpost.base.settings import Settings


def run(settings: Settings, *, heartbeat_fd: int | None) -> None:
    """Serve the trace engine of the data folder until SIGTERM.

    heartbeat_fd: where a supervisor looks for signs of life; None: there is none.
    Raises: AlreadyRunning, ConfigurationError.
    """
    configure_logs(settings, "engine")
    if heartbeat_fd is not None:
        end_with_parent()
    heart = Heart(heartbeat_fd)
    run_engine(
        settings.home,
        memory_bytes=settings.engine_memory_bytes,
        threads=settings.engine_threads,
        on_ready=lambda address: heart.beat_while_answering(address.url),
    )
