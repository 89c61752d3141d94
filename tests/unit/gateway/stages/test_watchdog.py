"""One timer guards many waits, and only waits."""

import asyncio

import pytest

from sternpost.base.errors import StreamTruncated, UpstreamTimedOut
from sternpost.gateway.stages.watchdog import Watchdog


async def wait_for_ever(watchdog: Watchdog) -> None:
    with watchdog:
        await asyncio.get_running_loop().create_future()


async def test_a_silent_wait_ends_in_a_time_out() -> None:
    with pytest.raises(UpstreamTimedOut, match="anything"):
        await wait_for_ever(Watchdog(0.02, first_until=None))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_before_content_the_first_token_limit_holds() -> None:
    now = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamTimedOut, match="any content"):
        await wait_for_ever(Watchdog(60, first_until=now + 0.02))


async def test_time_between_waits_does_not_count() -> None:
    watchdog = Watchdog(0.4, first_until=None)
    for _ in range(2):
        with watchdog:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # the caller is slow
    with pytest.raises(UpstreamTimedOut):
        await wait_for_ever(watchdog)


async def test_a_caller_who_leaves_is_not_a_time_out() -> None:
    waiting = asyncio.create_task(wait_for_ever(Watchdog(60, first_until=None)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_interruption_ends_this_wait_or_the_next() -> None:
    watchdog = Watchdog(60, first_until=None)
    waiting = asyncio.create_task(wait_for_ever(watchdog))
    await asyncio.sleep(0)
    watchdog.interrupt(StreamTruncated("stopping"))
    watchdog.interrupt(StreamTruncated("stopping"))
    with pytest.raises(StreamTruncated):
        await waiting
    with pytest.raises(StreamTruncated):
        await wait_for_ever(watchdog)
    watchdog.stop()
