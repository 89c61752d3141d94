"""What the trace store says of itself: its schema's version, damaged files, an engine that can't start."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.base.errors import StoreUnavailable
from tests.support.engine import EngineProcess, running_engine

NOON_NS = 1_763_726_400_000_000_000
COLUMNS = ["project_id", "trace_id", "span_id", "started_ns", "ended_ns", "preview_input"]
READ_ALL = "SELECT sum(length(trace_id)) + sum(length(preview_input)) FROM spans"


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    with running_engine() as running:
        yield running


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[ClickHouseTraceStore]:
    opened = engine.store()
    yield opened
    opened.close()


def write(store: ClickHouseTraceStore) -> None:
    store.migrate()
    rows = [["p", f"{n:032x}", f"{n:016x}", NOON_NS + n, NOON_NS + n, "x"] for n in range(100)]
    store.insert("spans", COLUMNS, rows)


def damage(engine: EngineProcess, names: str) -> None:
    """Overwrite the start of files of the engine's tables, as a dying disk does."""
    found = list((engine.home / "engine" / "store").glob(f"*/*/*/{names}"))
    assert found
    for path in found:
        with path.open("r+b") as file:
            file.write(os.urandom(min(path.stat().st_size, 4096)))


def test_a_store_whose_schema_is_current_has_no_trouble(store: ClickHouseTraceStore) -> None:
    store.migrate()

    assert store.trouble() == ""


def test_a_store_without_its_schema_says_so_and_a_read_is_told_to_come_back(
    store: ClickHouseTraceStore,
) -> None:
    assert "its schema is being migrated (0 of" in store.trouble()
    with pytest.raises(StoreUnavailable, match="schema is being migrated"):
        store.query(READ_ALL)


def test_a_read_waits_while_the_schema_is_brought_up_to_date(
    engine: EngineProcess, store: ClickHouseTraceStore
) -> None:
    store.migrate()
    store.command("ALTER TABLE spans DROP COLUMN cost_rates")
    store.command("ALTER TABLE schema_migrations DELETE WHERE version > 2 SETTINGS mutations_sync = 2")
    assert "(2 of" in store.trouble()
    has_begun = Event()

    def read() -> object:
        own = engine.store()
        has_begun.set()
        rows = own.query("SELECT count(cost_rates) FROM spans").rows
        own.close()
        return rows[0][0]

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(read)
        has_begun.wait(10)
        store.migrate()

        assert answer.result() == 0
    assert store.trouble() == ""


def test_damage_that_a_read_comes_upon_is_said(engine: EngineProcess, store: ClickHouseTraceStore) -> None:
    write(store)
    engine.stop()
    damage(engine, "*.bin")
    engine.start()
    assert store.trouble() == ""

    with pytest.raises(StoreUnavailable, match="damaged"):
        store.query(READ_ALL)

    assert "files of the trace store are damaged" in store.trouble()


@pytest.mark.parametrize("names", ["checksums.txt", "columns.txt", "*mrk*"])
def test_parts_that_the_engine_left_out_at_its_start_are_said(
    engine: EngineProcess, store: ClickHouseTraceStore, names: str
) -> None:
    write(store)
    engine.stop()
    damage(engine, names)
    engine.start()

    assert "1 of spans" in store.trouble()
    assert "some traces are missing" in store.trouble()


def test_an_engine_that_can_not_open_its_folder_says_why_to_all_who_ask(
    engine: EngineProcess, store: ClickHouseTraceStore
) -> None:
    write(store)
    engine.stop()
    (table,) = (engine.home / "engine" / "store").glob("*/*/spans.sql")
    table.write_bytes(os.urandom(500))
    with pytest.raises(AssertionError, match="can't open"):
        engine.start()

    assert "can't open" in store.trouble()
    assert "restore it from a backup" in store.trouble()
    with pytest.raises(StoreUnavailable, match="calls go on"):
        store.query("SELECT 1")
