"""Real engine processes for tests: each on a folder of its own, with a trace store that talks to it."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sternpost.backends.engine.address import EngineAddress, read_address
from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.base.errors import StoreUnavailable

_START_S = 20.0
_PROGRAM = """
import sys
from pathlib import Path
from sternpost.backends.engine.process import run_engine
run_engine(Path(sys.argv[1]), memory_bytes=int(sys.argv[2]))
"""


class EngineProcess:
    """One engine process that a test may stop, kill and start again."""

    def __init__(self, home: Path, memory_bytes: int = 1_000_000_000) -> None:
        self.home = home
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def address(self) -> EngineAddress:
        return read_address(self.home)

    def command(self) -> list[str]:
        return [sys.executable, "-c", _PROGRAM, str(self.home), str(self._memory_bytes)]

    def start(self) -> None:
        """Start and wait until it answers queries."""
        assert self._process is None
        log = (self.home / "engine.log").open("ab")
        self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        log.close()
        store = self.store()
        deadline = time.monotonic() + _START_S
        while not (self._has_written_address() and store.ping()):
            assert self._process.poll() is None, (self.home / "engine.log").read_text(errors="replace")
            assert time.monotonic() < deadline, "the engine did not start"
            time.sleep(0.02)
        store.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(number)
        return process.wait(timeout=_START_S)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def store(self) -> ClickHouseTraceStore:
        """Open a trace store on it; the schema is not made yet."""
        return ClickHouseTraceStore(self.address, query_timeout_s=10)

    def _has_written_address(self) -> bool:
        try:
            return self.address().pid == self.pid
        except StoreUnavailable:
            return False


@contextmanager
def running_engine(
    within: Path | None = None, *, memory_bytes: int = 1_000_000_000
) -> Iterator[EngineProcess]:
    """Run an engine on a new folder, made in `within`, for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="sternpost-engine-", dir=within) as folder:
        engine = EngineProcess(Path(folder), memory_bytes)
        try:
            engine.start()
            yield engine
        finally:
            if engine.is_running():
                engine.kill()  # nothing is kept, so nothing needs a clean stop


@contextmanager
def running_trace_store() -> Iterator[ClickHouseTraceStore]:
    """Run an engine with the schema made; the store is safe for all threads of a test session."""
    with running_engine() as engine:
        store = engine.store()
        store.migrate()
        yield store
        store.close()


def eventually(is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Look every 20 ms until it is so."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"it did not become so within {timeout_s} s"
        time.sleep(0.02)
