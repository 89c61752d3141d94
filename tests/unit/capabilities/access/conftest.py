from collections.abc import Iterator
from pathlib import Path

import pytest

from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock
from sternpost.capabilities.access.service import AccessService, access_service


@pytest.fixture
def tables_url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path)


@pytest.fixture
def tables(tables_url: str) -> Iterator[SqlTables]:
    opened = SqlTables(tables_url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(tables: SqlTables, clock: ManualClock) -> AccessService:
    return access_service(tables, SqlEventLog(tables, clock), clock=clock)
