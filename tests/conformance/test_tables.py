"""What every engine of `contracts.tables` keeps: SQLite and PostgreSQL."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from sternpost.backends.event_log.cursors import cursors
from sternpost.backends.event_log.sql import events
from sternpost.backends.model_client import worker_token
from sternpost.backends.tables.sql import SCHEMA_VERSION, SqlTables, sqlite_url
from sternpost.backends.work_queue import tables as work_tables
from sternpost.base.errors import ConfigurationError, StoreUnavailable
from sternpost.capabilities.access import store
from sternpost.capabilities.batches import tables as batch_tables
from sternpost.capabilities.traces.deletion import tables as deletion_tables
from sternpost.contracts.tables import METADATA, Tables
from tests.support.postgres import empty_postgres_url

ADD = text("INSERT INTO projects (project_id, name, created_ns) VALUES (:id, :id, 1)")
COUNT = text("SELECT count(*) FROM projects")


@pytest.fixture(params=["sqlite", "postgresql"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlTables]:
    opened = SqlTables(sqlite_url(tmp_path) if request.param == "sqlite" else empty_postgres_url())
    opened.migrate()
    yield opened
    opened.close()


def count(tables: Tables) -> int:
    with tables.read() as connection:
        return connection.execute(COUNT).scalar_one()


def test_a_write_is_seen_by_the_next_read(tables: SqlTables):
    with tables.write() as connection:
        connection.execute(ADD, {"id": "p1"})
    assert count(tables) == 1
    assert tables.ping()


def test_a_failed_block_leaves_nothing(tables: SqlTables):
    with suppress(RuntimeError), tables.write() as connection:
        connection.execute(ADD, {"id": "p1"})
        raise RuntimeError
    assert count(tables) == 0


def test_an_open_write_is_not_seen_by_others(tables: SqlTables):
    with tables.write() as connection:
        connection.execute(ADD, {"id": "p1"})
        assert count(tables) == 0


def test_a_broken_rule_of_the_schema_is_the_callers_error_not_an_outage(tables: SqlTables):
    bad = text("INSERT INTO sessions VALUES ('t', 'no such user', 1, 2, NULL)")
    with pytest.raises(IntegrityError), tables.write() as connection:
        connection.execute(bad)


def test_concurrent_writers_lose_no_update(tables: SqlTables):
    with tables.write() as connection:
        connection.execute(text("UPDATE access_revisions SET number = 0"))

    def add_one_often() -> None:
        for _ in range(20):
            with tables.write() as connection:
                connection.execute(text("UPDATE access_revisions SET number = number + 1"))

    threads = [threading.Thread(target=add_one_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with tables.read() as connection:
        assert connection.execute(text("SELECT number FROM access_revisions")).scalar_one() == 80


def test_migrations_make_exactly_the_tables_that_the_stores_declare(tables: SqlTables):
    assert (
        store.api_keys.metadata
        is batch_tables.lines.metadata
        is deletion_tables.deletions.metadata
        is events.metadata
        is cursors.metadata
        is work_tables.jobs.metadata
        is worker_token.secrets.metadata
        is METADATA
    )
    with tables.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_two_processes_may_migrate_at_once(tables: SqlTables):
    with tables.write() as connection:
        METADATA.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            tables.migrate()
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert count(tables) == 0


def test_a_newer_schema_is_refused(tables: SqlTables):
    with tables.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="schema version 9999"):
        tables.migrate()


def test_the_schema_version_is_the_one_head_of_the_migrations():
    folder = Path(store.__file__).parents[2] / "backends" / "tables" / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [SCHEMA_VERSION]


def test_a_database_that_is_not_there_is_an_outage(tmp_path: Path):
    for url in (f"sqlite:///{tmp_path}/no/such/folder/t.sqlite", "postgresql://u:secret@127.0.0.1:9/x"):
        missing = SqlTables(url)
        assert not missing.ping()
        with pytest.raises(StoreUnavailable) as caught:
            missing.migrate()
        assert "secret" not in caught.value.message
        missing.close()


def test_damaged_tables_are_named_and_a_way_out_is_given(tmp_path: Path):
    (tmp_path / "t.sqlite").write_bytes(b"no database at all" * 100)
    damaged = SqlTables(f"sqlite:///{tmp_path}/t.sqlite")
    with pytest.raises(ConfigurationError, match=r"t\.sqlite.*not a database.*backup"):
        damaged.migrate()
    damaged.close()


@pytest.mark.parametrize("url", ["nonsense", "postgresql://u@host:se-cret/x"])
def test_a_url_that_is_none_is_refused_without_its_password(url: str):
    with pytest.raises(ConfigurationError, match="must look like") as caught:
        SqlTables(url)
    assert "se-cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_another_database_is_refused():
    with pytest.raises(ConfigurationError, match="set STERNPOST_TABLES_URL to sqlite:///"):
        SqlTables("mssql://host/name")
