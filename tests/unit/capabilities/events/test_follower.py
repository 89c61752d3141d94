import asyncio
from collections.abc import AsyncIterator

import pytest

from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.base.errors import ConfigurationError
from sternpost.base.ids import ProjectId
from sternpost.capabilities.events.follower import Follower
from sternpost.capabilities.events.service import EventService
from sternpost.capabilities.events.stream import EventStreams
from sternpost.contracts.event_log import EventFilter, Snapshot
from sternpost.contracts.events import BatchEnded
from tests.support.polling import until
from tests.unit.capabilities.events.conftest import Append

ENDED = BatchEnded("completed", 1, 0, 1)


class Counted:
    """A snapshot that counts how often it was read."""

    def __init__(self) -> None:
        self.reads = 0
        self.fault: Exception | None = None

    def reload(self) -> None:
        if self.fault is not None:
            raise self.fault
        self.reads += 1


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
async def follower(log: SqlEventLog, counted: Counted) -> AsyncIterator[Follower]:
    follower = Follower(log, [Snapshot("sign-ins", ("sign_in.",), counted.reload)])
    follower.load()
    task = asyncio.create_task(follower.run())
    yield follower
    task.cancel()


async def test_a_snapshot_is_read_again_for_its_own_kinds_only(
    follower: Follower, counted: Counted, append: Append
) -> None:
    append("batch_1", ENDED)
    await until(lambda: follower.seq == 1)
    assert counted.reads == 1
    append("usr_1")
    await until(lambda: follower.seq == 2)
    assert counted.reads == 2


async def test_a_snapshot_that_fails_stays_says_why_and_recovers(
    follower: Follower, counted: Counted, append: Append
) -> None:
    counted.fault = ConfigurationError("line 3 is not valid")
    append("usr_1")
    await until(lambda: follower.seq == 1)
    (state,) = follower.states()
    assert (state.is_current, state.reason) == (False, "line 3 is not valid")

    counted.fault = None
    await until(lambda: follower.states()[0].is_current)
    assert counted.reads == 2


async def test_a_stream_brings_what_was_missed_and_what_follows_of_its_own(
    follower: Follower, log: SqlEventLog, cursors: SqlCursors, append: Append
) -> None:
    append("missed")
    append("other", project="p2")
    mine = EventFilter(project_id=ProjectId("p1"))
    frames = EventStreams(EventService(log, cursors), follower).lines(0, mine)

    found = [await anext(frames), await anext(frames)]
    append("usr_2")
    found.append(await asyncio.wait_for(anext(frames), 10))

    assert found[0] == b"retry: 2000\n\n"
    assert [frame.partition(b"\n")[0] for frame in found[1:]] == [b"id: 1", b"id: 3"]
    assert b'"subject":"usr_2"' in found[2]
    await frames.aclose()
