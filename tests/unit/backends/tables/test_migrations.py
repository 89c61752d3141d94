"""What an upgrade does to data that is there: batches under way are carried over to the work queue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import sternpost.backends.tables as tables_room
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.backends.work_queue.groups import SqlGroups
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.clock import SystemClock
from sternpost.base.ids import ProjectId
from sternpost.capabilities.batches.records import BatchId
from sternpost.capabilities.batches.work_store import WorkStore
from tests.support.postgres import empty_postgres_url

CLOCK = SystemClock()
P1 = ProjectId("p1")


@pytest.fixture(params=["sqlite", "postgresql"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlTables]:
    """Tables of the version before batches were on the work queue, with batches in every state."""
    opened = SqlTables(sqlite_url(tmp_path) if request.param == "sqlite" else empty_postgres_url())
    with opened.write() as connection:
        _migrate_to(connection, "0007")
        connection.execute(text("INSERT INTO projects (project_id, name, created_ns) VALUES ('p1', 'p1', 1)"))
        for status in ("validating", "in_progress", "cancelling", "completed"):
            _add(connection, "batches", _batch(status))
        for number, state in ((1, "done"), (2, "waiting"), (3, "waiting")):
            _add(connection, "batch_lines", _line("in_progress", number, state, job=0))
        _add(connection, "batch_lines", _line("in_progress", 4, "waiting", job=1))
        _add(connection, "batch_lines", _line("cancelling", 1, "waiting", job=0))
        _add(connection, "batch_results", {"batch_id": "batch_in_progress", "number": 1, "row": b"{}\n"})
        job = {"number": 1, "provider": "openai", "model": "m", "path": "/v1/responses", "state": "running"}
        ids = {"vendor_file_id": "file-1", "vendor_batch_id": "batch-9", "is_cancel_sent": False}
        _add(connection, "batch_vendor_jobs", {"batch_id": "batch_in_progress", **job, **ids})
    yield opened
    opened.close()


def test_open_batches_are_resumed_with_what_still_waits_and_nothing_else(tables: SqlTables) -> None:
    tables.migrate()
    queue = SqlWorkQueue(tables, CLOCK)
    store = WorkStore(tables, SqlEventLog(tables, CLOCK), queue)
    starts = queue.jobs("batch_start", P1, before="", limit=9)
    due = SqlGroups(tables, CLOCK, "w").take(9)
    for batch_id in ("batch_in_progress", "batch_cancelling"):
        store.resume(BatchId(batch_id), 50)

    assert len(starts) == len(due) == 3  # all but the completed one
    assert store.jobs(BatchId("batch_in_progress"))[0].provider_batch_id == "batch-9"
    (lines,) = queue.jobs("batch_line", P1, before="", limit=9)
    outcomes = queue.outcomes(lines.job_id, states=("waiting",), after=-1, limit=9)
    assert [outcome.key for _, outcome in outcomes] == ["2", "3"]
    (providers,) = queue.jobs("provider_batch", P1, before="", limit=9)
    assert providers.total == 1
    (end,) = queue.jobs("batch_end", P1, before="", limit=9)  # of the cancelled one: no line is begun
    assert end.total == 1


def _batch(status: str) -> dict[str, Any]:
    texts = dict.fromkeys(("key_id", "key_name", "allowed_models", "worker"), "")
    counts = dict.fromkeys(("total", "completed", "failed", "cost_nanousd", "unknown_costs"), 0)
    return {
        **texts, **counts, "batch_id": f"batch_{status}", "project_id": "p1", "status": status,
        "endpoint": "/v1/responses", "input_file_id": "file_1", "ends_as": "completed", "metadata": "{}",
        "faults": json.dumps([]), "created_ns": 1, "expires_ns": 1 << 62, "held_until_ns": 0,
    }  # fmt: skip


def _line(status: str, number: int, state: str, *, job: int) -> dict[str, Any]:
    texts = dict.fromkeys(("error_code", "error", "trace_id"), "")
    return {
        **texts, "batch_id": f"batch_{status}", "number": number, "custom_id": f"c{number}", "model": "m",
        "url": "/v1/responses", "offset_bytes": 0, "size_bytes": 1, "job": job, "state": state,
        "http_status": 0,
    }  # fmt: skip


def _add(connection: Connection, table: str, row: dict[str, Any]) -> None:
    columns, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)


def _migrate_to(connection: Connection, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(tables_room.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision)
