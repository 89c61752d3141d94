"""Runs the embedded engine process; kept apart so that it imports nothing of the server."""

from sternpost.assembly.logs import configure_logs
from sternpost.assembly.parent import end_with_parent
from sternpost.backends.engine.process import run_engine
from sternpost.base.settings import Settings


def run(settings: Settings, *, is_supervised: bool) -> None:
    """Serve the trace engine of the data folder until SIGTERM. Raises: AlreadyRunning, ConfigurationError."""
    configure_logs(settings, "engine")
    if is_supervised:
        end_with_parent()
    run_engine(settings.home, memory_bytes=settings.engine_memory_bytes, threads=settings.engine_threads)
