"""What every engine of `contracts.event_log` keeps: SQLite and PostgreSQL."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock, SystemClock
from sternpost.base.errors import NotFound
from sternpost.base.ids import EventId, ProjectId
from sternpost.contracts.event_log import Actor, EventFilter, Failure, NewEvent
from sternpost.contracts.events import BatchEnded, KeyCreated, SignedOut
from tests.support.postgres import empty_postgres_url

ADMIN = Actor("user", "usr_1", "admin")
ALL = EventFilter()
P1, P2 = ProjectId("p1"), ProjectId("p2")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return sqlite_url(tmp_path) if request.param == "sqlite" else empty_postgres_url()


@pytest.fixture
def tables(url: str) -> Iterator[SqlTables]:
    opened = SqlTables(url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def log(tables: SqlTables) -> SqlEventLog:
    return SqlEventLog(tables, ManualClock())


@pytest.fixture
def cursors(tables: SqlTables) -> SqlCursors:
    return SqlCursors(tables, ManualClock())


def signed_out(subject: str = "usr_1", project_id: ProjectId = P1, environment: str = "") -> NewEvent:
    return NewEvent(SignedOut(), subject, ADMIN, project_id, environment)


def append(tables: SqlTables, log: SqlEventLog, *events: NewEvent) -> list[EventId]:
    with tables.write() as connection:
        return [log.append(connection, event) for event in events]


def test_an_event_comes_back_as_it_was_written(tables: SqlTables, log: SqlEventLog) -> None:
    created = KeyCreated(after={"name": "app", "models": ["fast"], "expires_at": None})
    (event_id,) = append(tables, log, NewEvent(created, "key_1", ADMIN, P1, "staging"))

    (event,) = log.after(0, ALL, limit=10)

    assert event == log.event(event_id)
    assert (event.seq, event.kind, event.subject, event.actor) == (1, "key.created", "key_1", ADMIN)
    assert (event.project_id, event.environment) == ("p1", "staging")
    assert event.body == {"after": {"name": "app", "models": ["fast"], "expires_at": None}}
    assert log.last_seq() == 1


def test_no_change_leaves_no_event(tables: SqlTables, log: SqlEventLog) -> None:
    with suppress(RuntimeError), tables.write() as connection:
        log.append(connection, signed_out())
        raise RuntimeError
    append(tables, log, signed_out("usr_2"))

    assert [event.subject for event in log.after(0, ALL, limit=10)] == ["usr_2"]


def test_readers_choose_by_project_environment_kind_and_subject(tables: SqlTables, log: SqlEventLog) -> None:
    ended = NewEvent(BatchEnded("completed", 2, 0, 2), "batch_1", ADMIN, P2)
    append(
        tables,
        log,
        signed_out("a", P1, "staging"),
        signed_out("b", P2),
        signed_out("c", ProjectId("")),
        ended,
    )

    def subjects(chosen: EventFilter) -> list[str]:
        return [event.subject for event in log.after(0, chosen, limit=10)]

    assert subjects(EventFilter(project_id=P1)) == ["a", "c"]  # c belongs to the whole installation
    assert subjects(EventFilter(environment="production")) == ["b", "c", "batch_1"]
    assert subjects(EventFilter(kinds=("batch.",))) == ["batch_1"]
    assert subjects(EventFilter(kinds=("batch", "sign_in.ended"))) == ["a", "b", "c"]
    assert subjects(EventFilter(subject="b")) == ["b"]


def test_pages_go_back_from_the_newest(tables: SqlTables, log: SqlEventLog) -> None:
    append(tables, log, *(signed_out(str(number)) for number in range(5)))

    first = log.before(None, ALL, limit=2)
    second = log.before(first[-1].seq, ALL, limit=10)

    assert [event.subject for event in (*first, *second)] == ["4", "3", "2", "1", "0"]


def test_a_reader_that_follows_two_writers_misses_none_and_sees_each_once(
    tables: SqlTables, log: SqlEventLog
) -> None:
    """On PostgreSQL a number that is drawn early may be committed late; the log must not show it late."""

    def write(name: str) -> None:
        for number in range(50):
            append(tables, log, signed_out(f"{name}{number}"))

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    seen: list[str] = []
    seq = 0
    while any(writer.is_alive() for writer in writers) or log.last_seq() > seq:
        for event in log.after(seq, ALL, limit=7):
            assert event.seq > seq
            seq = event.seq
            seen.append(event.subject)

    assert sorted(seen) == sorted(f"{name}{number}" for name in "ab" for number in range(50))
    assert [one for one in seen if one[0] == "a"] == [f"a{number}" for number in range(50)]


_KILLED = """
import os, signal, sys
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables
from sternpost.base.clock import SystemClock
from sternpost.contracts.event_log import Actor, NewEvent
from sternpost.contracts.events import SignedOut
tables = SqlTables(sys.argv[1])
log = SqlEventLog(tables, SystemClock())
with tables.write() as connection:
    log.append(connection, NewEvent(SignedOut(), "before the commit", Actor("system", "test")))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_killed_before_its_commit_leaves_no_event_and_no_lock(url: str, tables: SqlTables) -> None:
    log = SqlEventLog(tables, SystemClock())
    killed = subprocess.run([sys.executable, "-c", _KILLED, url], check=False, timeout=60)
    append(tables, log, signed_out("after"))

    assert killed.returncode == -9
    assert [event.subject for event in log.after(0, ALL, limit=10)] == ["after"]


def test_a_new_subscriber_begins_at_the_end_and_moves_on(
    tables: SqlTables, log: SqlEventLog, cursors: SqlCursors
) -> None:
    append(tables, log, signed_out())

    assert cursors.position("one") == 1
    cursors.advance("one", 7)
    assert cursors.position("one") == 7
    assert [(state.subscriber, state.seq) for state in cursors.states()] == [("one", 7)]


def test_a_failure_holds_its_subscriber_until_it_is_done_or_set_aside(cursors: SqlCursors) -> None:
    failure = Failure("one", EventId("evt_1"), 3, 1, 99, "KeyError", is_set_aside=False)
    assert cursors.position("one") == 0

    cursors.fail(failure)
    assert (cursors.failing("one"), cursors.position("one")) == (failure, 0)

    aside = Failure("one", EventId("evt_1"), 3, 10, 0, "KeyError", is_set_aside=True)
    cursors.fail(aside)
    assert (cursors.failing("one"), cursors.position("one")) == (None, 3)
    assert cursors.states()[0].set_aside == (aside,)


def test_what_was_set_aside_is_tried_again_when_a_person_asks(cursors: SqlCursors) -> None:
    aside = Failure("one", EventId("evt_1"), 3, 10, 0, "KeyError", is_set_aside=True)
    cursors.fail(aside)
    assert cursors.take_retries("one") == ()

    assert (cursors.retry(EventId("evt_1")), cursors.retry(EventId("evt_2"))) == (1, 0)
    assert cursors.take_retries("one") == (aside,)
    cursors.settle_retry(aside, is_done=False)
    assert (cursors.take_retries("one"), cursors.states()[0].set_aside) == ((), (aside,))

    cursors.retry(EventId("evt_1"), "one")
    cursors.settle_retry(aside, is_done=True)
    assert cursors.states()[0].set_aside == ()


def test_a_subscriber_can_be_sent_back(cursors: SqlCursors) -> None:
    cursors.advance("one", 9)
    cursors.rewind("one", 2)
    assert cursors.position("one") == 2
    with pytest.raises(NotFound, match="no subscriber 'two'"):
        cursors.rewind("two", 0)
