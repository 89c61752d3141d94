from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock
from sternpost.base.ids import EventId, ProjectId
from sternpost.contracts.event_log import Actor, NewEvent
from sternpost.contracts.events import EventBody, SignedOut

Append = Callable[..., EventId]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[SqlTables]:
    opened = SqlTables(sqlite_url(tmp_path))
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def log(tables: SqlTables, clock: ManualClock) -> SqlEventLog:
    return SqlEventLog(tables, clock)


@pytest.fixture
def cursors(tables: SqlTables, clock: ManualClock) -> SqlCursors:
    return SqlCursors(tables, clock)


@pytest.fixture
def append(tables: SqlTables, log: SqlEventLog) -> Append:
    """Commit one event, by default of the kind `sign_in.ended`."""

    def append(subject: str, body: EventBody | None = None, project: str = "p1") -> EventId:
        event = NewEvent(body or SignedOut(), subject, Actor("user", "usr_1", "admin"), ProjectId(project))
        with tables.write() as connection:
            return log.append(connection, event)

    return append
