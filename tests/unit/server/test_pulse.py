"""Signs of life and silence, as the supervisor counts them."""

import asyncio
import os
import threading
import time

from sternpost.assembly.heartbeat import Heart, WatchedStop
from sternpost.server.pulse import Pulse
from tests.support.running import wait_until


def pulse_with_child() -> tuple[Pulse, int]:
    """A pulse, and the end that its child would hold."""
    pulse = Pulse.open()
    child = os.dup(pulse.write_fd)
    pulse.listen()
    return pulse, child


async def until_heard(pulse: Pulse) -> None:
    await asyncio.to_thread(wait_until, lambda: pulse.is_heard, timeout_s=10, what="a beat")


async def test_silence_counts_from_the_first_sign_of_life_and_ends_with_the_next() -> None:
    pulse, child = pulse_with_child()
    heart = Heart(child)
    assert [pulse.look() for _ in range(3)] == [0, 0, 0]  # it may take its time to start
    heart.beat()
    await until_heard(pulse)
    assert [pulse.look() for _ in range(4)] == [0, 1, 2, 3]
    heart.beat()
    await until_heard(pulse)
    assert pulse.look() == 0
    os.close(child)
    pulse.close()


async def test_a_child_that_is_gone_is_silent() -> None:
    pulse, child = pulse_with_child()
    os.write(child, b".")
    os.close(child)
    await until_heard(pulse)
    assert [pulse.look(), pulse.look()] == [0, 1]
    pulse.close()


async def test_a_beat_never_blocks_though_nobody_reads() -> None:
    read_fd, write_fd = os.pipe()
    heart = Heart(write_fd)
    for _ in range(200_000):  # more than a pipe holds
        heart.beat()
    os.close(read_fd)
    heart.beat()
    os.close(write_fd)


async def test_a_loop_that_turns_beats_by_itself() -> None:
    pulse, child = pulse_with_child()
    Heart(child).beat_from_loop()
    await until_heard(pulse)
    pulse.look()
    await until_heard(pulse)
    os.close(child)
    pulse.close()


def test_a_watched_stop_is_the_stop_and_remembers_the_last_look() -> None:
    stop = threading.Event()
    watched = WatchedStop(stop)
    for look in (watched.is_set, lambda: watched.wait(0)):
        watched.looked_at_s = 0.0
        assert look() is False
        assert time.monotonic() - watched.looked_at_s < 60
    watched.set()
    assert stop.is_set()
    assert watched.is_set()
    assert watched.wait(60)


async def test_a_drain_that_no_longer_goes_round_falls_silent() -> None:
    pulse, child = pulse_with_child()
    stop = WatchedStop(threading.Event())
    stop.looked_at_s = time.monotonic() - 1000
    Heart(child).beat_while_looking(stop, 900)
    await asyncio.sleep(0)
    assert not pulse.is_heard
    stop.is_set()
    await until_heard(pulse)
    pulse.close()  # `child` stays open: its thread goes on, and would write into the next file of its number
