"""What every engine of the trace store must do; the embedded one always, a server when its URL is given.

`STERNPOST_TEST_CLICKHOUSE_URL=http://user:password@host:8123` runs the suite on a ClickHouse server too.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.backends.trace_store.connections import server_address
from sternpost.base.errors import BadRequest, ConfigurationError, QueryTimedOut, RowsRefused, StoreUnavailable
from sternpost.contracts.trace_store import TraceStore
from tests.support.engine import eventually, running_engine

SERVER_URL = os.environ.get("STERNPOST_TEST_CLICKHOUSE_URL", "")
DAY_NS = 86_400 * 10**9
NOON_NS = 1_763_726_400_123_456_789  # 2025-11-21 12:00 UTC
SLOW = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"

SPAN = {
    "project_id": "prj_1",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7",
    "parent_span_id": "",
    "type": "gateway",
    "name": "chat gpt-5",
    "started_ns": NOON_NS,
    "ended_ns": NOON_NS + 1_234_567_890,
    "is_time_skewed": True,
    "status": "truncated",
    "operation": "chat",
    "error_type": "stream_truncated",
    "error": "the stream ended early: 'x' \\ \"y\"\n\t\0 é☃",
    "user_id": "u'1",
    "session_id": "s-1",
    "tags": ["beta", "it's"],
    "trace_name": "docs_bot",
    "run_id": "run-1",
    "feature": "answers",
    "environment": "prod",
    "release": "1.2.3",
    "service": "docs",
    "provider": "openai",
    "request_model": "openai/gpt-5",
    "response_model": "gpt-5-2026",
    "response_id": "resp_1",
    "parameters": '{"temperature":0.2}',
    "finish_reasons": ["stop", "length"],
    "time_to_first_token_ns": 123_456,
    "in_fresh": 1,
    "in_cache_read": 2,
    "in_cache_write_5m": 3,
    "in_cache_write_1h": 4,
    "in_audio": 5,
    "in_image": 6,
    "out_text": 7,
    "out_reasoning": 8,
    "out_audio": 9,
    "out_image": 2**40,
    "units": {"web_search": 3},
    "usage_source": "provider",
    "usage_is_mismatch": True,
    "service_tier": "flex",
    "reported_nanousd": None,
    "cost_nanousd": 9_200_000_000_000_000_000,
    "cost_status": "computed",
    "cost_parts": {"in_fresh": 5, "out_text": -1},
    "price_version": "2025-11-01",
    "cost_reason": "",
    "cache_saved_nanousd": None,
    "cost_rates": {},
    "cost_basis": {},
    "is_rollup": False,
    "key_id": "key_1",
    "route": "fast",
    "target": "openai/gpt-5",
    "attempt_number": 2,
    "fallback_from": "openai/gpt-5-mini",
    "http_status": 200,
    "overhead_ns": 950_000,
    "input_hashes": ["a" * 64, "b" * 64],
    "output_hashes": [],
    "preview_input": "How?",
    "preview_output": "So.",
    "attributes": {"a.b": "c", "k'": "v\n"},
    "scope": "sternpost.gateway",
    "mapping_version": 1,
    "received_ns": NOON_NS + 2_000_000_000,
    "written_by": "key_1",
}


@pytest.fixture(scope="module", params=["embedded", "server"] if SERVER_URL else ["embedded"])
def store(request: pytest.FixtureRequest) -> Iterator[ClickHouseTraceStore]:
    if request.param == "embedded":
        with running_engine() as engine:
            embedded = engine.store()
            embedded.migrate()
            yield embedded
            embedded.close()
        return
    address, _ = server_address(SERVER_URL)
    database = f"sternpost_test_{uuid4().hex}"
    remote = ClickHouseTraceStore(lambda: address, database=database)
    remote.migrate()
    yield remote
    remote.command(f"DROP DATABASE {database} SYNC")
    remote.close()


def write_span(store: TraceStore, **changes: object) -> None:
    row = {**SPAN, **changes}
    store.insert("spans", list(row), [list(row.values())])


@pytest.mark.skipif(not SERVER_URL, reason="STERNPOST_TEST_CLICKHOUSE_URL is not set: embedded engine only")
def test_the_suite_runs_on_a_clickhouse_server_too() -> None:
    assert server_address(SERVER_URL)


def test_every_column_of_a_span_comes_back_as_written(store: TraceStore) -> None:
    write_span(store)

    answer = store.query("SELECT * FROM spans WHERE project_id = {project:String}", {"project": "prj_1"})

    assert dict(zip(answer.columns, answer.rows[0], strict=True)) == SPAN


def test_columns_left_out_are_empty_and_numbers_left_out_are_null(store: TraceStore) -> None:
    names = ["project_id", "trace_id", "span_id", "started_ns", "ended_ns"]
    store.insert("spans", names, [["sparse", "t", "s", NOON_NS, NOON_NS]])

    answer = store.query(
        "SELECT parent_span_id, tags, units, cost_nanousd, time_to_first_token_ns, is_rollup "
        "FROM spans WHERE project_id = 'sparse'"
    )

    assert list(answer.rows) == [("", [], {}, None, None, False)]


def test_a_span_written_twice_is_read_once_and_summed_once(store: TraceStore) -> None:
    for _ in range(2):
        write_span(store, project_id="twice", cost_nanousd=5)
    write_span(store, project_id="twice", cost_nanousd=7, span_id="00f067aa0ba902b8")

    listed = store.query("SELECT span_id FROM spans WHERE project_id = 'twice' LIMIT 1 BY trace_id, span_id")
    summed = store.query("SELECT count(), sum(cost_nanousd) FROM spans FINAL WHERE project_id = 'twice'")

    assert len(listed.rows) == 2
    assert summed.rows[0] == (2, 12)  # 5 once + 7


def test_a_trace_is_found_in_time_by_its_id(store: TraceStore) -> None:
    for number, started_ns in enumerate((NOON_NS, NOON_NS + 5, NOON_NS - DAY_NS, NOON_NS)):
        write_span(
            store, project_id="times", span_id=str(number), started_ns=started_ns, ended_ns=started_ns + 9
        )

    answer = store.query(
        "SELECT min(first_started_ns), max(last_started_ns), max(last_ended_ns) FROM trace_times "
        "WHERE project_id = 'times' AND trace_id = {trace:String}",
        {"trace": SPAN["trace_id"]},
    )

    assert answer.rows[0] == (NOON_NS - DAY_NS, NOON_NS + 5, NOON_NS + 14)


def test_content_is_kept_once_and_found_by_its_words(store: TraceStore) -> None:
    body = json.dumps({"content": "Hello\nWorld, the refund-policy 42", "role": "user"})
    row = ["words", "c" * 64, body, NOON_NS]
    for _ in range(2):
        store.insert("content", ["project_id", "hash", "body", "first_seen_ns"], [row])

    def found(words: str) -> int:
        has_words = "project_id = 'words' AND hasAllTokens(body, {w:String})"
        sql = f"SELECT hash FROM content WHERE {has_words} LIMIT 1 BY hash"
        return len(store.query(sql, {"w": words}).rows)

    assert [found("world"), found("REFUND policy"), found("nWorld"), found("zebra")] == [1, 1, 0, 0]


def test_a_score_comes_back_as_written(store: TraceStore) -> None:
    score = {
        "project_id": "prj_1",
        "score_id": "score_1",
        "trace_id": "t",
        "span_id": "",
        "name": "helpful",
        "kind": "numeric",
        "source": "human",
        "created_ns": NOON_NS,
        "value": 0.25,
        "label": "",
        "explanation": "it's \\ fine\n",
        "author": "ann",
        "unscored_reason": "",
    }
    store.insert("scores", list(score), [list(score.values())])

    answer = store.query("SELECT * FROM scores WHERE score_id = 'score_1'")

    assert dict(zip(answer.columns, answer.rows[0], strict=True)) == score


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE spans; --",
        "\\'; SELECT 1",
        "\\",
        "a\tb\nc\rd",
        "{p:String}",
        "%(p)s",
        "é☃🙂",
        "",
        "NULL",
        "\\N",
    ],
)
def test_a_parameter_is_a_value_and_never_sql(store: TraceStore, text: str) -> None:
    answer = store.query("SELECT {p:String}, {list:Array(String)}", {"p": text, "list": [text, "x"]})

    assert answer.rows[0] == (text, [text, "x"])
    assert store.query("EXISTS TABLE spans").rows[0][0] == 1


def test_a_parameter_that_the_sql_does_not_name_is_refused(store: TraceStore) -> None:
    with pytest.raises(BadRequest, match="'p'"):
        store.query("SELECT '%(p)s'", {"p": "x"})


def test_ten_thousand_parameters_fit_in_one_query(store: TraceStore) -> None:
    hashes = [f"{number:064x}" for number in range(10_000)]

    assert store.query("SELECT length({h:Array(String)})", {"h": hashes}).rows[0][0] == 10_000


def test_eight_threads_query_and_insert_at_once(store: TraceStore) -> None:
    def work(number: int) -> int:
        for turn in range(5):
            write_span(store, project_id=f"thread-{number}", span_id=str(turn))
        sql = "SELECT count() FROM spans FINAL WHERE project_id = {p:String}"
        count = store.query(sql, {"p": f"thread-{number}"}).rows[0][0]
        assert isinstance(count, int)
        return count

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [5] * 8


def test_a_query_past_its_time_limit_is_ended(store: TraceStore) -> None:
    started_at = time.monotonic()
    with pytest.raises(QueryTimedOut):
        store.query(SLOW, timeout_s=0.3)

    assert time.monotonic() - started_at < 20  # it would run for hours


def test_a_cancelled_query_ends_for_its_caller_and_no_other(store: TraceStore) -> None:
    ends: list[type[Exception]] = []

    def ask() -> None:
        try:
            store.query(SLOW, query_id="slow-1", timeout_s=20)
        except QueryTimedOut as error:
            ends.append(type(error))

    caller = threading.Thread(target=ask)
    caller.start()

    def is_ended() -> bool:
        store.cancel("slow-1")
        return not caller.is_alive()

    eventually(is_ended)
    assert ends == [QueryTimedOut]


@pytest.mark.parametrize("query_id", ["'", "a b", "x' OR 1=1 --", ""])
def test_a_query_id_can_not_carry_sql(store: TraceStore, query_id: str) -> None:
    with pytest.raises(BadRequest):
        store.cancel(query_id)


def test_a_table_that_is_not_made_yet_is_an_outage_and_no_fault_of_the_question(store: TraceStore) -> None:
    with pytest.raises(StoreUnavailable, match="being made"):
        store.query("SELECT * FROM nope")


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nope", "SELECT {p:Int64}"])
def test_sql_that_the_engine_refuses_is_a_bad_request(store: TraceStore, sql: str) -> None:
    with pytest.raises(BadRequest, match=r"refused the statement with \d+ [A-Z_]+"):
        store.query(sql)


def test_more_rows_than_asked_for_is_an_error_and_never_a_cut(store: TraceStore) -> None:
    assert len(store.query("SELECT number FROM numbers(100)", max_rows=100).rows) == 100
    with pytest.raises(BadRequest, match="too many rows"):
        store.query("SELECT number FROM numbers(101)", max_rows=100)


def test_rows_of_the_wrong_type_are_refused_for_what_they_hold(store: TraceStore) -> None:
    with pytest.raises(RowsRefused) as refusal:
        store.insert("spans", ["project_id", "started_ns"], [["p", "not a number"]])

    assert refusal.value.is_certain


def test_a_dropped_day_is_gone_with_its_trace_times(store: TraceStore) -> None:
    old_ns = NOON_NS - 100 * DAY_NS  # 2025-08-13
    write_span(store, project_id="old", started_ns=old_ns, ended_ns=old_ns)

    for table in ("spans", "trace_times"):
        store.command(f"ALTER TABLE {table} DROP PARTITION 20250813")

    for table in ("spans", "trace_times"):
        assert store.query(f"SELECT count() FROM {table} WHERE project_id = 'old'").rows[0][0] == 0


def test_migrating_again_changes_nothing(store: TraceStore) -> None:
    write_span(store, project_id="kept")

    store.migrate()

    assert store.query("SELECT count() FROM spans FINAL WHERE project_id = 'kept'").rows[0][0] == 1


def test_a_newer_schema_is_refused(store: TraceStore) -> None:
    store.insert("schema_migrations", ["version", "name"], [[9999, "from_the_future"]])
    try:
        with pytest.raises(ConfigurationError, match="schema 9999"):
            store.migrate()
    finally:
        store.command("ALTER TABLE schema_migrations DELETE WHERE version = 9999 SETTINGS mutations_sync = 2")
    store.migrate()


def test_a_database_from_before_the_rename_is_taken_over_with_its_views() -> None:
    with running_engine() as engine:
        old = ClickHouseTraceStore(engine.address, database="windlass")
        old.migrate()
        write_span(old)
        old.close()
        store = engine.store()

        store.migrate()
        write_span(store, trace_id="b" * 32)

        assert store.query("SELECT count() FROM spans").rows[0][0] == 2
        assert store.query("SELECT uniq(trace_id) FROM trace_times").rows[0][0] == 2
        store.close()
