"""Slow reads of callers: a few of each at once, a time for each, an end when nobody waits; not what is read.

`ReadGate.run` sets the current read in the context, where the store finds it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar

from sternpost.base.errors import QueryTimedOut, RateLimited, SternpostError
from sternpost.base.ids import new_span_id
from sternpost.base.threads import PROBES

T = TypeVar("T")
Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]  # as ASGI has it

_WAIT_S: Final = 2.0  # for a place; a page asks several questions at once
_GRACE_S: Final = 1.0  # the engine ends a query at its time; this is for its answer to arrive
_AGAIN_S: Final = 0.2  # an engine that has not begun a query yet does not know it
_LEFT: Final = "the caller left before the answer was ready"


@dataclass(slots=True)
class Read:
    """One read in progress: when it must end, and which queries of it run now."""

    end_s: float
    is_ended: bool = False
    _running: set[str] = field(default_factory=set[str])
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def query(self, timeout_s: float) -> Generator[tuple[str, float]]:
        """Give a query its id and what is left of the time. Raises: QueryTimedOut when the read is over."""
        left_s = min(timeout_s, self.end_s - time.monotonic())
        if self.is_ended or left_s <= 0:
            raise QueryTimedOut("the query was cancelled: it took too long; choose a shorter time range")
        query_id = f"read-{new_span_id()}"
        with self._lock:
            self._running.add(query_id)
        try:
            yield query_id, left_s
        finally:
            with self._lock:
                self._running.discard(query_id)

    def running(self) -> list[str]:
        with self._lock:
            return list(self._running)


_CURRENT: ContextVar[Read | None] = ContextVar("read", default=None)


def current_read() -> Read | None:
    return _CURRENT.get()


@dataclass(slots=True)
class ReadCounts:
    """What the gate did since the start, for `/metrics`."""

    under_way: int = 0
    refused: int = 0  # the caller had too many
    timed_out: int = 0
    left: int = 0  # ended because their caller had gone


@dataclass(slots=True)
class _Caller:
    places: asyncio.Semaphore
    count: int = 0  # who has a place or waits for one


class ReadGate:
    """Lets each caller have `per_caller` concurrent reads. `cancel` ends a query at the engine; blocking."""

    def __init__(
        self, cancel: Callable[[str], None], *, per_caller: int, timeout_s: float, wait_s: float = _WAIT_S
    ) -> None:
        self.counts = ReadCounts()
        self._cancel = cancel
        self._per_caller = per_caller
        self._timeout_s = timeout_s
        self._wait_s = wait_s
        self._callers: dict[str, _Caller] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def run(self, caller: str, work: Callable[[], Awaitable[T]], receive: Receive | None = None) -> T:
        """Do the work within the caller's share and the time of a read.

        receive: reports when the caller leaves. Raises: RateLimited, QueryTimedOut, what the work raises.
        """
        held = self._callers.setdefault(caller, _Caller(asyncio.Semaphore(self._per_caller)))
        held.count += 1
        try:
            await self._take_place(held)
            try:
                return await self._run(work, receive)
            finally:
                held.places.release()
        finally:
            held.count -= 1
            if not held.count:
                self._callers.pop(caller, None)

    async def close(self) -> None:
        """Wait for the queries that are being ended; each is given up soon."""
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def _take_place(self, held: _Caller) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await held.places.acquire()
        except TimeoutError:
            self.counts.refused += 1
            raise RateLimited(
                f"{self._per_caller} reads of this key are running; wait for their answers, use a shorter"
                " time range, or raise STERNPOST_READS_PER_KEY",
                retry_after_s=max(1.0, self._wait_s),
            ) from None

    async def _run(self, work: Callable[[], Awaitable[T]], receive: Receive | None) -> T:
        read = Read(time.monotonic() + self._timeout_s)
        self.counts.under_way += 1
        doing = asyncio.ensure_future(_within(read, work))
        leaving = asyncio.ensure_future(_left(receive)) if receive is not None else None
        both = {doing} if leaving is None else {doing, leaving}
        try:
            await asyncio.wait(both, timeout=self._timeout_s + _GRACE_S, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            if leaving is not None and leaving.done():
                self.counts.left += 1
                raise QueryTimedOut(_LEFT)
            raise QueryTimedOut("the query was cancelled: it took too long; choose a shorter time range")
        except QueryTimedOut as error:
            self.counts.timed_out += error.message != _LEFT
            raise
        finally:
            self.counts.under_way -= 1
            if leaving is not None:
                leaving.cancel()
            if not doing.done():
                self._end(read, doing)

    def _end(self, read: Read, doing: "asyncio.Future[Any]") -> None:
        """Stop everything of the read: its wait for the pool and its queries at the engine."""
        read.is_ended = True
        doing.cancel()
        if read.running():
            task = asyncio.create_task(self._end_queries(read))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    async def _end_queries(self, read: Read) -> None:
        while (running := read.running()) and time.monotonic() < read.end_s + _GRACE_S:
            for query_id in running:
                try:
                    await PROBES.run(self._cancel, query_id)
                except SternpostError:
                    return  # an engine that is away runs nothing
            await asyncio.sleep(_AGAIN_S)


async def _within(read: Read, work: Callable[[], Awaitable[T]]) -> T:
    _CURRENT.set(read)  # of this task alone
    return await work()


async def _left(receive: Receive) -> None:
    """Return when the caller has gone; what is left of a body is read on the way."""
    while (await receive())["type"] != "http.disconnect":
        continue
