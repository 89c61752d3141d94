"""What the trace store says when its engine refuses rows: each refusal is real, and none is a success."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.base.errors import RowsRefused, StoreUnavailable
from tests.support.engine import EngineProcess, running_engine
from tests.support.small_disk import small_disk

DAY_NS = 86_400 * 10**9
NOON_NS = 1_763_726_400_000_000_000
COLUMNS = ["project_id", "trace_id", "span_id", "started_ns", "ended_ns", "preview_input"]


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    with running_engine() as running:
        yield running


@contextmanager
def opened(engine: EngineProcess, insert_timeout_s: float = 60) -> Generator[ClickHouseTraceStore]:
    store = ClickHouseTraceStore(engine.address, insert_timeout_s=insert_timeout_s)
    store.migrate()
    yield store
    store.close()


def spans(count: int, *, text: str = "", step_ns: int = 1) -> Sequence[Sequence[object]]:
    return [
        ["p", f"{n:032x}", f"{n:016x}", NOON_NS + n * step_ns, NOON_NS + n * step_ns, text]
        for n in range(count)
    ]


def count(store: ClickHouseTraceStore) -> object:
    return store.query("SELECT count() FROM spans FINAL").rows[0][0]


def fill(store: ClickHouseTraceStore, acknowledged: list[int]) -> None:
    for first in range(0, 2_000_000, 2_000):
        rows = [
            ["p", f"{n:032x}", f"{n:016x}", NOON_NS + n, NOON_NS, os.urandom(500).hex()]
            for n in range(first, first + 2_000)
        ]
        store.insert("spans", COLUMNS, rows)
        acknowledged[0] += len(rows)


def fill_file(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))


def test_a_row_that_breaks_a_constraint_is_refused_for_what_it_holds(engine: EngineProcess) -> None:
    with opened(engine) as store:
        store.command("ALTER TABLE spans ADD CONSTRAINT short CHECK length(preview_input) < 5")

        with pytest.raises(RowsRefused, match="VIOLATED_CONSTRAINT") as refusal:
            store.insert("spans", COLUMNS, [*spans(3), *spans(1, text="too long")])

        assert refusal.value.is_certain
        assert "too long" not in refusal.value.message
        assert count(store) == 0


def test_an_insert_past_its_time_is_an_outage(engine: EngineProcess) -> None:
    with opened(engine, insert_timeout_s=1) as store:
        store.command(
            "CREATE MATERIALIZED VIEW slow ENGINE = Null AS SELECT sleepEachRow(0.5) AS slept FROM spans "
            "SETTINGS max_block_size = 1"
        )

        with pytest.raises(StoreUnavailable, match="too busy"):
            store.insert("spans", COLUMNS, spans(6))


def test_an_insert_that_needs_too_much_memory_is_an_outage() -> None:
    with running_engine(memory_bytes=150_000_000) as engine, opened(engine) as store:
        with pytest.raises(StoreUnavailable, match="memory"):
            store.insert("spans", COLUMNS, spans(40, text="x" * 4_000_000))

        store.insert("spans", COLUMNS, spans(4))
        assert store.query("SELECT count() FROM spans FINAL WHERE preview_input = ''").rows[0][0] == 4


def test_an_insert_over_too_many_days_is_an_outage_and_stores_nothing(engine: EngineProcess) -> None:
    with opened(engine) as store:
        with pytest.raises(StoreUnavailable, match="too many days"):
            store.insert("spans", COLUMNS, spans(1_100, step_ns=DAY_NS))

        assert count(store) == 0


def test_a_full_disk_is_an_outage_and_all_that_was_acknowledged_stays() -> None:
    with small_disk(64) as folder, running_engine(folder) as engine, opened(engine) as store:
        acknowledged = [0]
        with pytest.raises(StoreUnavailable, match="disk"):
            fill(store, acknowledged)
        stored = acknowledged[0]

        assert stored
        filler = folder / "filler"
        with pytest.raises(OSError, match="space"):  # to the last byte, where other errors come up
            fill_file(filler)
        with pytest.raises(StoreUnavailable, match="disk"):
            store.insert("spans", COLUMNS, spans(1_000, text=os.urandom(500).hex()))
        filler.unlink()

        counted = count(store)
        assert isinstance(counted, int)
        assert counted >= stored


def test_a_database_without_its_tables_is_an_outage(engine: EngineProcess) -> None:
    with opened(engine) as store:
        store.command("DROP TABLE trace_times SYNC")  # which a view behind `spans` writes to

        with pytest.raises(StoreUnavailable, match="not those of this version"):
            store.insert("spans", COLUMNS, spans(1))


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"max_execution_time": 0.001}, 159), ({"max_memory_usage": 2_000_000}, 241), ({}, 469)],
)
def test_any_client_of_the_engine_is_told_what_refused_its_insert(
    engine: EngineProcess, settings: dict[str, float], code: int
) -> None:
    address = engine.address()
    host, port = address.url.removeprefix("http://").split(":")
    client = clickhouse_connect.get_client(
        host=host, port=int(port), username=address.user, password=address.password
    )
    client.command("CREATE TABLE t (a Int64, CONSTRAINT few CHECK a < 1000000) ENGINE = MergeTree ORDER BY a")

    with pytest.raises(DatabaseError) as refusal:
        client.insert("t", [[n] for n in range(1_000_001)], column_names=["a"], settings=settings)

    assert refusal.value.code == code
    assert client.command("SELECT count() FROM t") == 0
    client.close()
