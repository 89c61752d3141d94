"""Hands OTLP requests to a separate process, so that mapping spans never delays calls.

The process starts with the first request that is worth it, and again with the next one after it died. What
it has not answered is refused then, to be sent again: only what is in its journal is acknowledged.
"""

import asyncio
import contextlib
import logging
import socket
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from sternpost.base.errors import StoreUnavailable
from sternpost.ingest.intake_pipe import Answer, Ask, Request, read_frame, write_frame
from sternpost.ingest.records import OtlpReply

_INLINE_BYTES = 8_000  # a body this small maps in about a millisecond
_INLINE_PER_S = 20  # so that many small ones together don't hold calls up either
_MOST_BYTES = 64_000_000  # of bodies that wait for an answer; more are refused, and sent again later
_PATIENCE_S = 60.0  # a process that answers nothing for so long hangs
_SETTLED_S = 1.0  # a process that died sooner is not started again at once
_STOP_S = 4.0  # within what the supervisor leaves `serve` to stop

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    """The running process and what it has not answered yet."""

    process: Process
    writer: asyncio.StreamWriter
    started_s: float
    digest: str  # of the configuration it goes by
    waiting: dict[int, "asyncio.Future[tuple[Answer, bytes]]"] = field(
        default_factory=dict[int, "asyncio.Future[tuple[Answer, bytes]]"]
    )
    reading: "asyncio.Task[None] | None" = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the process needs to know. `digest`: of the configuration that it is from."""

    digest: str
    hello: bytes


class IntakeApart:
    """The serving process's end; see the module."""

    def __init__(
        self,
        command: Sequence[str],
        prepared: Prepared,
        *,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """command: starts the process; the number of its socket is added. prepared: its first frame."""
        self.patience_s = _PATIENCE_S
        self.ends = 0  # how often the process ended though nobody closed it
        self._most_bytes = most_bytes
        self._command = command
        self._prepared = prepared
        self._renewing: asyncio.Task[None] | None = None
        self._line: _Line | None = None
        self._starting = asyncio.Lock()
        self._not_before_s = 0.0
        self._number = 0
        self._waiting_bytes = 0
        self._is_closed = False
        self._second, self._small = 0, 0

    @property
    def pid(self) -> int | None:
        """The process that runs, None while none does."""
        return self._line.process.pid if self._line else None

    def state(self) -> tuple[bool, str]:
        """Say whether spans can be taken in now, and how often the process had to be started again."""
        is_up = not self._is_closed and time.monotonic() >= self._not_before_s
        times = "once" if self.ends == 1 else f"{self.ends} times"
        return is_up, f"the intake process ended unexpectedly {times} since the start" if self.ends else ""

    @property
    def digest(self) -> str | None:
        """The configuration that the process goes by, None while none runs."""
        return self._line.digest if self._line else None

    def renew(self, prepared: Prepared) -> None:
        """Let the process go by another configuration: the one that runs, and those that start later."""
        self._prepared = prepared
        if self._line is not None:
            self._renewing = asyncio.create_task(
                self._renew(self._line, prepared), name="sternpost-renew-intake"
            )

    def wants(self, body_bytes: int, content_encoding: str) -> bool:
        """Say whether a request is for the process. A packed body may unfold to megabytes, however small."""
        if self._line is not None or content_encoding or body_bytes > _INLINE_BYTES:
            return True
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._small = second, 0
        self._small += 1
        return self._small > _INLINE_PER_S

    async def handle(self, ask: Ask, body: bytes) -> tuple[OtlpReply, Mapping[str, int]]:
        """Let the process keep one request; return its reply, and what it has counted since the last one.

        Raises: StoreUnavailable when it has too much to do, or is gone: nothing is then acknowledged.
        """
        if self._is_closed:
            raise _gone()
        if self._waiting_bytes and self._waiting_bytes + len(body) > self._most_bytes:
            raise StoreUnavailable("too many spans are arriving; send them again, more slowly")
        self._waiting_bytes += len(body)
        try:
            line = self._line or await self._start()
            answer, text = await self._ask(line, ask, body)
        finally:
            self._waiting_bytes -= len(body)
        return OtlpReply(answer.status, answer.headers, text), answer.counts

    async def close(self) -> None:
        """Let the process finish what it has and end."""
        self._is_closed = True
        line = self._line
        if line is None:
            return
        with contextlib.suppress(OSError, RuntimeError):
            line.writer.write_eof()
        try:
            await asyncio.wait_for(line.process.wait(), _STOP_S)
        except TimeoutError:
            logger.warning("the intake process did not end within %.0f s; killing it", _STOP_S)
            _kill(line)
        if line.reading is not None:
            await line.reading

    async def _renew(self, line: _Line, prepared: Prepared) -> None:
        with contextlib.suppress(StoreUnavailable):  # it is gone, and the next one starts with it
            await self._ask(line, None, prepared.hello)
            line.digest = prepared.digest

    async def _ask(self, line: _Line, ask: Ask | None, body: bytes) -> tuple[Answer, bytes]:
        answered: asyncio.Future[tuple[Answer, bytes]] = asyncio.get_running_loop().create_future()
        self._number += 1
        number = self._number
        line.waiting[number] = answered
        try:
            write_frame(line.writer, msgspec.msgpack.encode(Request(number, ask)), body)
            async with asyncio.timeout(self.patience_s):
                return await answered
        except TimeoutError:
            logger.error("the intake process answered nothing for %.0f s; killing it", self.patience_s)
            self._forget(line)
            _kill(line)
            raise _gone() from None
        finally:
            line.waiting.pop(number, None)

    async def _start(self) -> _Line:
        async with self._starting:
            if self._line is not None:
                return self._line
            if self._is_closed or time.monotonic() < self._not_before_s:
                raise _gone()
            ours, theirs = socket.socketpair()
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the supervisor, which stops the rest in order
                )
            except OSError as error:
                ours.close()
                self._not_before_s = time.monotonic() + _SETTLED_S
                logger.error("the intake process can't be started: %s", error.strerror)
                raise _gone() from None
            finally:
                theirs.close()
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            write_frame(writer, self._prepared.hello)
            line = self._line = _Line(process, writer, time.monotonic(), self._prepared.digest)
            line.reading = asyncio.create_task(self._read_answers(line, reader), name="sternpost-intake")
            logger.info("spans are mapped by a separate process, %d", process.pid)
            return line

    def _forget(self, line: _Line) -> None:
        """Let the next request start another process."""
        if self._line is line:
            self._line = None

    async def _read_answers(self, line: _Line, reader: asyncio.StreamReader) -> None:
        while (frame := await read_frame(reader)) is not None:
            answer = msgspec.msgpack.decode(frame[0], type=Answer)
            waiter = line.waiting.get(answer.number)
            if waiter is not None and not waiter.done():
                waiter.set_result((answer, frame[1]))
        self._forget(line)
        line.writer.close()
        code = await _end_of(line)
        for waiter in line.waiting.values():
            if not waiter.done():
                waiter.set_exception(_gone())
        if not self._is_closed:
            self.ends += 1
            lived_s = time.monotonic() - line.started_s
            self._not_before_s = time.monotonic() + (_SETTLED_S if lived_s < _SETTLED_S else 0.0)
            logger.warning(
                "the intake process ended (%d) with %d requests unanswered; the next one restarts it",
                code,
                len(line.waiting),
            )


async def _end_of(line: _Line) -> int:
    """Wait for a process that closed its end; one that is half dead must not linger."""
    try:
        return await asyncio.wait_for(line.process.wait(), _SETTLED_S)
    except TimeoutError:
        _kill(line)
        return await line.process.wait()


def _kill(line: _Line) -> None:
    with contextlib.suppress(ProcessLookupError):
        line.process.kill()


def _gone() -> StoreUnavailable:
    return StoreUnavailable("the process that reads spans has ended and is restarting; send them again")
