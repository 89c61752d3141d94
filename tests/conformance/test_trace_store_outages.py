"""What the trace store promises when its engine dies: acknowledged rows stay, callers are told."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.base.errors import StoreUnavailable
from tests.support.engine import EngineProcess, eventually, running_engine

NOON_NS = 1_763_726_400_000_000_000
COLUMNS = ["project_id", "trace_id", "span_id", "started_ns", "ended_ns", "preview_input"]


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    with running_engine() as running:
        store = running.store()
        store.migrate()
        store.close()
        yield running


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[ClickHouseTraceStore]:
    opened = engine.store()
    yield opened
    opened.close()


def batch(first: int, size: int = 200) -> list[list[object]]:
    return [
        ["p", f"{n // 4:032x}", f"{n:016x}", NOON_NS + n, NOON_NS + n, "text " * 40]
        for n in range(first, first + size)
    ]


def count(store: ClickHouseTraceStore) -> object:
    return store.query("SELECT count() FROM spans FINAL WHERE project_id = 'p'").rows[0][0]


def test_rows_are_on_disk_when_insert_returns(engine: EngineProcess, store: ClickHouseTraceStore) -> None:
    store.insert("spans", COLUMNS, batch(0))
    engine.kill()
    engine.start()

    assert count(store) == 200


def test_five_kills_during_inserts_lose_no_acknowledged_row_and_double_none(
    engine: EngineProcess, store: ClickHouseTraceStore
) -> None:
    pause = random.Random(7)
    acknowledged = 0
    for _ in range(5):
        store.insert("spans", COLUMNS, batch(acknowledged))  # connects, however slow the machine
        acknowledged += 200
        killer = threading.Timer(pause.uniform(0.05, 0.4), engine.kill)
        killer.start()
        while True:
            try:
                store.insert("spans", COLUMNS, batch(acknowledged))
            except StoreUnavailable:
                break  # repeated after the restart, as the journal's drain does
            acknowledged += 200
        killer.join()
        engine.start()

    store.insert("spans", COLUMNS, batch(acknowledged))
    assert count(store) == acknowledged + 200


def test_an_engine_that_is_gone_is_said_and_one_started_again_elsewhere_is_found(
    engine: EngineProcess, store: ClickHouseTraceStore
) -> None:
    before = engine.address()
    assert store.ping()

    engine.kill()
    with pytest.raises(StoreUnavailable, match="traces arrive later"):
        store.query("SELECT 1")
    with pytest.raises(StoreUnavailable):
        store.insert("spans", COLUMNS, batch(0))
    assert not store.ping()
    engine.start()

    assert engine.address().password != before.password
    assert store.query("SELECT 1").rows[0][0] == 1
    with ThreadPoolExecutor(4) as threads:  # threads that had no client yet, and this one that had
        assert all(threads.map(lambda _: store.ping(), range(8)))


def test_a_caller_is_told_when_the_engine_dies_under_its_query(
    engine: EngineProcess, store: ClickHouseTraceStore
) -> None:
    killer = threading.Timer(0.3, engine.kill)
    killer.start()

    with pytest.raises(StoreUnavailable):
        store.query("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")

    killer.join()


def test_sigterm_finishes_the_insert_that_runs_and_withdraws_the_address(
    engine: EngineProcess, store: ClickHouseTraceStore
) -> None:
    slow_write = (
        "INSERT INTO spans (project_id, trace_id, span_id, started_ns) "
        "SELECT 'p', toString(number), toString(number), 1763726400000000000 FROM numbers(20) "
        "WHERE sleepEachRow(0.05) = 0 SETTINGS max_block_size = 5"
    )
    with ThreadPoolExecutor(1) as threads:
        write = threads.submit(store.command, slow_write)
        watcher = engine.store()
        eventually(lambda: watcher.query("SELECT count() FROM system.processes").rows[0][0] == 2)
        watcher.close()
        exit_code = engine.stop()
        write.result()

    assert exit_code == 0
    assert not (engine.home / "engine.json").exists()
    engine.start()
    assert count(store) == 20


def test_sigterm_does_not_wait_for_a_long_read(engine: EngineProcess, store: ClickHouseTraceStore) -> None:
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(
            store.query, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
        )
        watcher = engine.store()
        eventually(lambda: watcher.query("SELECT count() FROM system.processes").rows[0][0] == 2)
        watcher.close()
        started_at = time.monotonic()
        assert engine.stop() == 0
        assert time.monotonic() - started_at < 9  # the engine gives others ten seconds
        assert read.exception() is not None


def test_a_proxy_in_the_environment_does_not_stand_before_the_own_machine(
    engine: EngineProcess, store: ClickHouseTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nothing answers
    monkeypatch.delenv("no_proxy", raising=False)

    assert store.query("SELECT 1").rows[0][0] == 1


def test_two_processes_may_migrate_a_new_folder_at_once() -> None:
    with running_engine() as fresh, ThreadPoolExecutor(2) as threads:
        first, second = fresh.store(), fresh.store()

        list(threads.map(lambda opened: opened.migrate(), (first, second)))

        first.insert("spans", COLUMNS, batch(0))
        assert count(second) == 200
        first.close()
        second.close()
