"""Starts `engine`, `serve` and `worker`, restarts what dies and stops them in order; not what they do.

Source of the order at stop: `serve` drains its calls into the journal, `worker` drains the journal into the
engine, so each must outlive the one before it.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sternpost.base.errors import ConfigurationError
from sternpost.base.files import write_file

logger = logging.getLogger(__name__)

_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_AFTER_SIGNAL_S = 0.5
_WRONG_SETTINGS = 2  # the exit code of a command that can't use its settings
_PATIENCE_S = 4.0
_STEADY_S = 2.0  # a process that lived this long had started well: it starts again without growing delay


@dataclass(slots=True)
class Process:
    """One supervised process. `grace_s`: how long it may take to stop before it is killed."""

    name: str
    arguments: Sequence[str]
    grace_s: float
    is_patient: bool = False  # leaves the processors to the others until calls are accepted
    is_needed: bool = False  # when it finds its settings unusable at the first start, all is stopped
    restarts: int = 0
    child: asyncio.subprocess.Process | None = None
    started_at_s: float = 0.0
    is_stopping: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps processes running until told to stop."""

    processes: Sequence[Process]
    state_path: Path
    on_announce: Callable[[Mapping[str, object]], None]
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _accepting: asyncio.Event = field(default_factory=asyncio.Event)
    _refused_by: str = ""

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; a second signal kills at once.

        Raises: ConfigurationError when a needed process refused its settings before calls were accepted.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        read_fd, write_fd = os.pipe()
        os.set_inheritable(write_fd, True)
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(process, write_fd)) for process in self.processes]
            reader = group.create_task(self._read_announcements(read_fd))
            await self._stop.wait()
            for process in self.processes:
                process.is_stopping = True
            for process in self._in_stopping_order():
                await self._end(process)
            for task in (*keepers, reader):
                task.cancel()
        os.close(write_fd)
        self.state_path.unlink(missing_ok=True)
        if self._refused_by:
            raise ConfigurationError(f"{self._refused_by} can't start with these settings; it says why above")

    def _in_stopping_order(self) -> list[Process]:
        order = {"serve": 0, "worker": 1, "engine": 2}
        return sorted(self.processes, key=lambda process: order.get(process.name, 0))

    def _on_signal(self) -> None:
        if not self._stop.is_set():
            logger.info("stopping; open calls are finished first (press Ctrl-C again to end at once)")
            self._stop.set()
            return
        for process in self.processes:
            if process.child is not None and process.child.returncode is None:
                process.child.kill()

    async def _keep(self, process: Process, announce_fd: int) -> None:
        failures = 0
        if process.is_patient:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._accepting.wait(), _PATIENCE_S)
        while not process.is_stopping:
            await self._start(process, announce_fd)
            assert process.child is not None
            code = await process.child.wait()
            if process.is_stopping:
                return
            if code == _WRONG_SETTINGS and process.is_needed and not self._accepting.is_set():
                self._refused_by = process.name
                self._stop.set()
                return
            lived_s = time.monotonic() - process.started_at_s
            failures = 1 if lived_s > _STEADY_S else failures + 1
            delay_s = _BACKOFF_S[min(failures, len(_BACKOFF_S)) - 1]
            if code < 0:  # ended from outside, not by a fault of its own that will repeat
                delay_s = min(delay_s, _AFTER_SIGNAL_S)
            logger.warning("%s ended (%s); starting it again in %.1f s", process.name, _reason(code), delay_s)
            process.restarts += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay_s)

    async def _start(self, process: Process, announce_fd: int) -> None:
        arguments = [word.replace("{announce_fd}", str(announce_fd)) for word in process.arguments]
        process.child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sternpost.cli.main",
            *arguments,
            pass_fds=(announce_fd,),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the rest in order
        )
        process.started_at_s = time.monotonic()
        self._write_state()

    async def _end(self, process: Process) -> None:
        child = process.child
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), process.grace_s)
        except TimeoutError:
            logger.warning("%s did not stop within %.0f s; killing it", process.name, process.grace_s)
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _read_announcements(self, read_fd: int) -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb")
        )
        while line := await reader.readline():
            if self._accepting.is_set():
                logger.info("calls are accepted again")
                continue
            self._accepting.set()
            self.on_announce(json.loads(line))

    def _write_state(self) -> None:
        state = {
            "pid": os.getpid(),
            "processes": [
                {"name": one.name, "pid": one.child.pid if one.child else None, "restarts": one.restarts}
                for one in self.processes
            ],
        }
        write_file(self.state_path, json.dumps(state).encode())


def _reason(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
