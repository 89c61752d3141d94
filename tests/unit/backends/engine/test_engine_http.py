"""The engine's HTTP protocol as any ClickHouse client may use it."""

import base64
import gzip
import http.client
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import clickhouse_connect
import lz4.frame
import pytest
import zstandard

from tests.support.engine import EngineProcess, eventually, running_engine

SLOW = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with running_engine() as running:
        yield running


def ask(
    engine: EngineProcess,
    body: bytes = b"",
    pairs: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    address = engine.address()
    signed = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}
    connection = http.client.HTTPConnection(urlsplit(address.url).netloc, timeout=20)
    query = f"?{urlencode(pairs)}" if pairs else ""
    connection.request(method, f"{path}{query}", body, dict(signed if headers is None else headers))
    answer = connection.getresponse()
    reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    connection.close()
    return reply


def test_ping_needs_no_password(engine: EngineProcess) -> None:
    assert ask(engine, method="GET", path="/ping", headers={}).body == b"Ok.\n"


def test_a_wrong_password_and_none_are_refused_as_clickhouse_does(engine: EngineProcess) -> None:
    address = engine.address()
    basic = base64.b64encode(f"{address.user}:wrong".encode()).decode()
    wrong = ask(engine, b"SELECT 1", headers={"Authorization": f"Basic {basic}"})
    none = ask(engine, b"SELECT 1", headers={})

    assert (wrong.status, wrong.headers["x-clickhouse-exception-code"]) == (403, "516")
    assert (none.status, none.headers["x-clickhouse-exception-code"]) == (401, "194")
    assert address.password.encode() not in wrong.body


def test_a_get_with_the_query_in_the_url_answers_in_the_format_asked_for(engine: EngineProcess) -> None:
    reply = ask(engine, pairs={"query": "SELECT 1 AS x FORMAT JSONEachRow"}, method="GET")

    assert json.loads(reply.body) == {"x": 1}
    assert reply.headers["x-clickhouse-format"] == "JSONEachRow"
    assert int(json.loads(reply.headers["x-clickhouse-summary"])["read_rows"]) == 1


def test_an_error_has_its_status_its_number_and_clickhouse_s_text(engine: EngineProcess) -> None:
    reply = ask(engine, b"SELECT nope()", {"query_id": "q-1"})

    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (404, "46")
    assert reply.body.startswith(b"Code: 46. DB::Exception: Function with name `nope` does not exist")
    assert reply.headers["x-clickhouse-query-id"] == "q-1"


def test_settings_of_one_query_do_not_stay_for_the_next(engine: EngineProcess) -> None:
    setting = b"SELECT getSetting('max_block_size')"
    usual = ask(engine, setting).body

    assert ask(engine, setting, {"max_block_size": "77"}).body == b"77\n"
    assert ask(engine, setting).body == usual


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("lz4", lz4.frame.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
def test_compressed_bodies_are_read(engine: EngineProcess, encoding: str, pack: object) -> None:
    assert callable(pack)
    address = engine.address()
    headers = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}

    assert ask(engine, pack(b"SELECT 7"), headers={**headers, "Content-Encoding": encoding}).body == b"7\n"
    broken = ask(engine, b"SELECT 7", headers={**headers, "Content-Encoding": encoding})
    assert broken.headers["x-clickhouse-exception-code"] == "271"


def test_the_stock_driver_works_with_its_own_defaults(engine: EngineProcess) -> None:
    address = engine.address()
    parts = urlsplit(address.url)
    client = clickhouse_connect.get_client(
        host=parts.hostname, port=parts.port, username=address.user, password=address.password
    )
    client.command("CREATE TABLE stock (a UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY a")
    client.insert("stock", [[n, f"s{n % 3}"] for n in range(100_000)], column_names=["a", "s"])

    assert client.query("SELECT sum(a), uniqExact(s) FROM stock").result_rows == [(4_999_950_000, 3)]
    assert client.ping()
    client.close()


def test_a_query_above_the_memory_limit_is_refused_and_the_engine_lives(engine: EngineProcess) -> None:
    reply = ask(engine, b"SELECT length(groupArray(toString(number))) FROM numbers(100000000)")

    assert reply.headers["x-clickhouse-exception-code"] == "241"
    assert ask(engine, b"SELECT 1").body == b"1\n"


def test_a_caller_who_leaves_ends_its_query(engine: EngineProcess) -> None:
    address = engine.address()
    headers = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}
    running = b"SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers%'"
    connection = http.client.HTTPConnection(urlsplit(address.url).netloc, timeout=20)
    connection.request("POST", "/", SLOW.encode(), headers)
    eventually(lambda: ask(engine, running).body == b"1\n")

    connection.close()

    eventually(lambda: ask(engine, running).body == b"0\n")


def test_a_second_engine_on_the_folder_is_refused(engine: EngineProcess) -> None:
    second = subprocess.run(engine.command(), capture_output=True, text=True, timeout=20, check=False)

    assert second.returncode != 0
    assert "AlreadyRunning" in second.stderr
    assert "another engine has" in second.stderr
    assert ask(engine, b"SELECT 1").body == b"1\n"
