"""Slow reads of one caller hold nobody else up, and end at the engine when nobody waits for them."""

import asyncio
from collections.abc import Mapping

import pytest

from sternpost.backends.trace_store.bounded import BoundedTraceStore
from sternpost.base.errors import QueryTimedOut, RateLimited
from sternpost.base.reads import ReadGate
from sternpost.base.threads import BLOBS, CALLS, INTAKE, PROBES, READS, UPLOADS, in_thread
from sternpost.contracts.trace_store import TraceStore
from tests.support.polling import until

SLOW = "SELECT count() FROM system.numbers WHERE number % 7 = 8"  # for ever
SHARE = 3


class Reads:
    """Reads through a gate on a real engine."""

    def __init__(self, store: TraceStore, *, timeout_s: float = 30) -> None:
        self.store = BoundedTraceStore(store, query_timeout_s=timeout_s)
        self.gate = ReadGate(self.store.cancel, per_caller=SHARE, timeout_s=timeout_s, wait_s=0.2)

    def begin(
        self, caller: str, sql: str = SLOW, gone: asyncio.Event | None = None
    ) -> "asyncio.Task[object]":
        async def receive() -> Mapping[str, str]:
            assert gone is not None
            await gone.wait()
            return {"type": "http.disconnect"}

        async def read() -> object:
            return (await READS.run(self.store.query, sql)).rows[0][0]

        return asyncio.create_task(self.gate.run(caller, read, receive if gone else None))

    async def running(self) -> int:
        """Count the slow queries that the engine works at."""
        sql = "SELECT count() FROM system.processes WHERE query LIKE '%system.numbers%7 = 8%'"
        return int(str((await PROBES.run(self.store.query, sql)).rows[0][0])) - 1  # not this one

    async def running_are(self, count: int) -> None:
        for _ in range(500):
            if await self.running() == count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{await self.running()} queries run, not {count}")


@pytest.fixture
def reads(store: TraceStore) -> Reads:
    return Reads(store)


async def test_sixteen_slow_reads_of_one_key_leave_room_for_everybody_else(reads: Reads) -> None:
    leave = asyncio.Event()
    slow = [reads.begin("greedy", gone=leave) for _ in range(16)]
    refused, _ = await asyncio.wait(slow, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    await until(lambda: sum(one.done() for one in slow) == 16 - SHARE)

    assert isinstance(next(iter(refused)).exception(), RateLimited)
    assert await reads.begin("modest", "SELECT 41 + 1") == 42
    for pool in (INTAKE, CALLS, BLOBS, UPLOADS, PROBES):
        assert await pool.run(lambda: "served") == "served"
    assert await in_thread(lambda: "served") == "served"
    assert await reads.running() == SHARE
    assert reads.gate.counts.refused == 16 - SHARE
    leave.set()
    await asyncio.gather(*slow, return_exceptions=True)
    await reads.running_are(0)


async def test_a_caller_who_leaves_ends_the_query_at_the_engine(reads: Reads) -> None:
    gone = asyncio.Event()
    slow = reads.begin("one", gone=gone)
    await reads.running_are(1)
    gone.set()
    with pytest.raises(QueryTimedOut):
        await slow
    await reads.running_are(0)
    assert (reads.gate.counts.left, reads.gate.counts.under_way) == (1, 0)


async def test_a_read_that_is_cancelled_ends_the_query_at_the_engine(reads: Reads) -> None:
    slow = reads.begin("one")
    await reads.running_are(1)
    slow.cancel()
    await reads.running_are(0)


async def test_a_read_of_many_queries_has_one_time_for_all(store: TraceStore) -> None:
    reads = Reads(store, timeout_s=1)
    asked = 0

    def many() -> None:
        nonlocal asked
        while True:
            reads.store.query("SELECT sleep(0.2)", timeout_s=20)
            asked += 1

    with pytest.raises(QueryTimedOut, match="too long"):
        await reads.gate.run("one", lambda: READS.run(many))
    assert 1 <= asked < 5  # of 0.2 s each
    assert reads.gate.counts.timed_out == 1


async def test_a_place_is_given_back_whatever_becomes_of_the_read(reads: Reads) -> None:
    async def fail() -> None:
        raise ValueError("on purpose")

    for _ in range(2 * SHARE):
        with pytest.raises(ValueError, match="on purpose"):
            await reads.gate.run("one", fail)
    assert await reads.begin("one", "SELECT 1") == 1
