"""Starts `engine`, `serve` and `worker`, restarts what dies or hangs, stops them in order; not what they do.

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
from sternpost.server.hangup import Hangup
from sternpost.server.pulse import Pulse

logger = logging.getLogger(__name__)

_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_AFTER_SIGNAL_S = 0.5
_UNUSABLE = 2  # the exit code of a process that can't use its settings, or data of a newer version
PLACE_TAKEN = 75  # another process holds its place, and may be on its way out (sysexits.h: EX_TEMPFAIL)
_PATIENCE_S = 4.0
_LATE_FACTOR = 3  # a look that comes so much later than it should says nothing of the others
_STEADY_S = 2.0  # a process that lived this long had started well: it starts again without growing delay


@dataclass(slots=True)
class Process:
    """One supervised process.

    grace_s: how long it may take to stop before it is killed. silence_s: how long it may give no sign of life
    before it is killed, counted from its first one (docs/decisions/0016).
    """

    name: str
    arguments: Sequence[str]
    grace_s: float
    is_patient: bool = False  # leaves the processors to the others until calls are accepted
    is_spare: bool = False  # once it has run well, calls go on without it, whatever it says at its next start
    reloads: bool = False  # reads the configuration again on SIGHUP; the others follow the event log
    silence_s: float = 60.0
    restarts: int = 0
    hangs: int = 0  # restarts because it gave no sign of life
    child: asyncio.subprocess.Process | None = None
    started_at_s: float = 0.0
    is_stopping: bool = False
    has_run_well: bool = False
    pulse: Pulse | None = None


@dataclass(slots=True)
class Supervisor:
    """Keeps processes running until told to stop."""

    processes: Sequence[Process]
    state_path: Path
    on_announce: Callable[[Mapping[str, object]], None]
    look_s: float = 1.0  # between two looks at the signs of life
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _accepting: asyncio.Event = field(default_factory=asyncio.Event)
    _refused_by: str = ""

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; a second signal kills at once.

        Raises: ConfigurationError when a process can't use its settings, or data of a newer version.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        hangup = Hangup.at_start()
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup, hangup)
        read_fd, write_fd = os.pipe()
        os.set_inheritable(write_fd, True)
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(process, write_fd)) for process in self.processes]
            reader = group.create_task(self._read_announcements(read_fd))
            watcher = group.create_task(self._watch())
            await self._stop.wait()
            for process in self.processes:
                process.is_stopping = True
            for process in self._in_stopping_order():
                await self._end(process)
            for task in (*keepers, reader, watcher):
                task.cancel()
        os.close(write_fd)
        self.state_path.unlink(missing_ok=True)
        if self._refused_by:
            raise ConfigurationError(
                f"{self._refused_by} can't run with these settings and this data; it says why above"
            )

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

    def _on_hangup(self, hangup: Hangup) -> None:
        """Let `serve` read the configuration again; the end of the terminal is a stop, as it ever was."""
        if hangup.is_terminal_gone():
            self._on_signal()
            return
        for process in self.processes:
            if process.reloads and process.child is not None and process.child.returncode is None:
                process.child.send_signal(signal.SIGHUP)

    async def _keep(self, process: Process, announce_fd: int) -> None:
        failures = 0
        if process.is_patient:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._accepting.wait(), _PATIENCE_S)
        while not process.is_stopping:
            await self._start(process, announce_fd)
            assert process.child is not None
            code = await process.child.wait()
            self._forget_pulse(process)
            if process.is_stopping:
                return
            lived_s = time.monotonic() - process.started_at_s
            process.has_run_well = process.has_run_well or (code != _UNUSABLE and lived_s > _STEADY_S)
            if code == _UNUSABLE and not (process.is_spare and process.has_run_well):
                self._refused_by = process.name
                self._stop.set()
                return
            failures = 1 if lived_s > _STEADY_S else failures + 1
            delay_s = _BACKOFF_S[min(failures, len(_BACKOFF_S)) - 1]
            if code < 0:  # ended from outside, not by a fault of its own that will repeat
                delay_s = min(delay_s, _AFTER_SIGNAL_S)
            logger.warning("%s ended (%s); starting it again in %.1f s", process.name, _reason(code), delay_s)
            process.restarts += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay_s)

    async def _start(self, process: Process, announce_fd: int) -> None:
        process.pulse = Pulse.open()
        fds = {"{announce_fd}": announce_fd, "{heartbeat_fd}": process.pulse.write_fd}
        arguments = [str(fds.get(word, word)) for word in process.arguments]
        # Born with SIGHUP kept back until it listens: a reload asked for at its start must not end it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            process.child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sternpost.cli.main",
                *arguments,
                pass_fds=tuple(fds.values()),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the rest in order
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        process.pulse.listen()
        process.started_at_s = time.monotonic()
        self._write_state()

    async def _watch(self) -> None:
        """Kill what gives no sign of life.

        Looks are counted and not time: after the sleep of a laptop, or while this process gets no processor
        either, no look is missing that the others could have answered.
        """
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(self.look_s)
            if time.monotonic() - began_s > _LATE_FACTOR * self.look_s:
                continue
            for process in self.processes:
                if process.pulse is None or process.is_stopping or process.child is None:
                    continue
                if process.pulse.look() * self.look_s >= process.silence_s:
                    self._kill_hanging(process)

    def _kill_hanging(self, process: Process) -> None:
        logger.error(
            "%s has not responded for %.0f s; killing and restarting it",
            process.name,
            process.silence_s,
        )
        process.hangs += 1
        self._forget_pulse(process)
        assert process.child is not None
        with contextlib.suppress(ProcessLookupError):
            process.child.kill()

    def _forget_pulse(self, process: Process) -> None:
        if process.pulse is not None:
            process.pulse.close()
            process.pulse = None

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
                {
                    "name": one.name,
                    "pid": one.child.pid if one.child else None,
                    "restarts": one.restarts,
                    "hangs": one.hangs,
                }
                for one in self.processes
            ],
        }
        write_file(self.state_path, json.dumps(state).encode())


def _reason(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
