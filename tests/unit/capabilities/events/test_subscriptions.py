import subprocess
import sys
from pathlib import Path

import pytest

from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables
from sternpost.base.clock import ManualClock
from sternpost.capabilities.events.rules import MAX_ATTEMPTS
from sternpost.capabilities.events.service import EventService
from sternpost.capabilities.events.subscriptions import Subscription
from sternpost.contracts.event_log import Event, Subscriber
from sternpost.contracts.events import BatchEnded
from tests.unit.capabilities.events.conftest import Append


class Notebook:
    """A subscriber that writes down what it handled, and fails on the subjects it is told to."""

    def __init__(self, *fails_on: str) -> None:
        self.fails_on = set(fails_on)
        self.tried: list[str] = []
        self.done: list[str] = []

    def handle(self, event: Event) -> None:
        self.tried.append(event.subject)
        if event.subject in self.fails_on:
            raise KeyError(event.subject)
        self.done.append(event.subject)


@pytest.fixture
def subscribe(log: SqlEventLog, cursors: SqlCursors, clock: ManualClock):
    def subscribe(notebook: Notebook, *kinds: str, name: str = "notebook") -> Subscription:
        found = Subscription(Subscriber(name, kinds or ("sign_in.",), notebook.handle), log, cursors, clock)
        found.run_once()  # a new subscriber begins at the end of the log
        return found

    return subscribe


def test_events_are_handled_once_in_order_and_others_are_passed_over(subscribe, append: Append) -> None:
    notebook = Notebook()
    subscription = subscribe(notebook)
    append("one")
    append("other", BatchEnded("completed", 1, 0, 1))
    append("two")

    subscription.run_once()
    subscription.run_once()

    assert notebook.tried == ["one", "two"]


def test_a_failure_holds_up_what_follows_until_it_is_handled(
    subscribe, append: Append, clock: ManualClock
) -> None:
    notebook = Notebook("bad")
    subscription = subscribe(notebook)
    append("bad")
    append("next")

    subscription.run_once()
    subscription.run_once()  # half a second must pass first
    assert notebook.tried == ["bad"]

    notebook.fails_on.clear()
    clock.advance(0.5)
    subscription.run_once()
    assert notebook.done == ["bad", "next"]


def test_after_ten_failures_an_event_is_set_aside_and_tried_again_on_request(
    subscribe, append: Append, clock: ManualClock, log: SqlEventLog, cursors: SqlCursors
) -> None:
    notebook = Notebook("bad")
    subscription = subscribe(notebook)
    bad = append("bad")
    append("next")
    for _ in range(MAX_ATTEMPTS):
        subscription.run_once()
        clock.advance(60)

    assert notebook.tried == ["bad"] * 10 + ["next"]
    (aside,) = cursors.states()[0].set_aside
    assert (aside.event_id, aside.attempts, aside.error) == (bad, 10, "KeyError")

    EventService(log, cursors).retry(bad)
    subscription.run_once()
    assert cursors.states()[0].set_aside[0].attempts == 11

    notebook.fails_on.clear()
    EventService(log, cursors).retry(bad)
    subscription.run_once()
    assert notebook.done == ["next", "bad"]
    assert cursors.states()[0].set_aside == ()


def test_one_that_fails_holds_no_other_up(subscribe, append: Append) -> None:
    failing, fine = Notebook("bad"), Notebook()
    both = [subscribe(failing, name="failing"), subscribe(fine, name="fine")]
    append("bad")
    append("next")
    for one in both:
        one.run_once()

    assert (failing.done, fine.done) == ([], ["bad", "next"])


def test_a_replay_hands_everything_over_again(
    subscribe, append: Append, log: SqlEventLog, cursors: SqlCursors
) -> None:
    notebook = Notebook()
    subscription = subscribe(notebook)
    append("one")
    subscription.run_once()
    EventService(log, cursors).replay("notebook", 0)
    subscription.run_once()

    assert notebook.done == ["one", "one"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import SystemClock
from sternpost.capabilities.events.subscriptions import Subscription
from sternpost.contracts.event_log import Subscriber
home = Path(sys.argv[1])
tables, clock = SqlTables(sqlite_url(home)), SystemClock()
def handle(event):
    with (home / "handled").open("a") as file:
        file.write(event.subject + "\\n")
    if event.subject == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
log, cursors = SqlEventLog(tables, clock), SqlCursors(tables, clock)
Subscription(Subscriber("killed", ("sign_in.",), handle), log, cursors, clock).run_once()
"""


def test_a_worker_killed_in_the_middle_handles_its_event_again_and_misses_none(
    tmp_path: Path, tables: SqlTables, cursors: SqlCursors, append: Append
) -> None:
    cursors.position("killed")
    for subject in ("one", "two", "three"):
        append(subject)

    codes = [
        subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), at], check=False, timeout=60).returncode
        for at in ("two", "nothing")
    ]

    assert codes == [-9, 0]
    assert (tmp_path / "handled").read_text().split() == ["one", "two", "two", "three"]
