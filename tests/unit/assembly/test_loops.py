"""A worker's loops go on by themselves; only the end of a watched one ends the others."""

from threading import Event

import pytest

from sternpost.assembly import loops
from sternpost.assembly.heartbeat import WatchedStop
from sternpost.assembly.loops import LoopThreads
from sternpost.assembly.part import Loop
from sternpost.base.errors import StoreUnavailable

PATIENCE_S = 20.0


def test_a_loop_that_fails_begins_again_and_holds_no_other_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "_AGAIN_S", 0.0)
    stop, went_on, ran = Event(), Event(), Event()
    attempts = iter([StoreUnavailable("the tables are away"), RuntimeError("odd")])

    def fails_twice(stop: Event) -> None:
        if (error := next(attempts, None)) is not None:
            raise error
        went_on.set()
        stop.wait()

    def runs(stop: Event) -> None:
        ran.set()
        stop.wait()

    threads = LoopThreads(stop, WatchedStop(stop))
    threads.start([Loop("lines", fails_twice), Loop("others", runs)])
    assert went_on.wait(PATIENCE_S)
    assert ran.wait(PATIENCE_S)
    stop.set()
    threads.join()
    threads.raise_failure()
    assert "the tables are away" in caplog.text
    assert "lines failed" in caplog.text


def test_a_watched_loop_that_fails_ends_the_others_and_is_told() -> None:
    stop = Event()

    def fails(_: Event) -> None:
        raise RuntimeError("the drain is at fault")

    def waits(stop: Event) -> None:
        assert stop.wait(PATIENCE_S)

    threads = LoopThreads(stop, WatchedStop(stop))
    threads.start([Loop("others", waits), Loop("drain", fails, is_watched=True)])
    threads.join()
    with pytest.raises(RuntimeError, match="at fault"):
        threads.raise_failure()


def test_only_a_watched_loop_shows_that_it_is_alive() -> None:
    stop = Event()
    watched = WatchedStop(stop)
    seen: list[Event] = []

    def looks(given: Event) -> None:
        seen.append(given)
        stop.set()

    threads = LoopThreads(stop, watched)
    threads.start([Loop("drain", looks, is_watched=True)])
    threads.join()
    assert seen == [watched]
