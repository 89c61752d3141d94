"""Calls to a provider's own paths, over real HTTP: bytes both ways, secrets, records, what breaks."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from sternpost.contracts.call import LimitEntry
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import CostStatus, UsageSource
from tests.support.polling import until
from tests.unit.gateway.conftest import ASK, LONG_KEY, TEAM_TOKEN, Gateway, GatewayMaker

BASE = "/v1/providers/lab"


async def ask(gateway: Gateway, method: str, path: str, **more: Any) -> tuple[aiohttp.ClientResponse, bytes]:
    url = URL(gateway.url + path, encoded=True)
    async with gateway.session.request(method, url, **more) as reply:
        return reply, await reply.read()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
async def test_any_method_and_query_goes_on_as_it_came(gateway: Gateway, method: str) -> None:
    query = "a=1&a=2&b=%20x+y%2Fz&c"
    _, body = await ask(gateway, method, f"{BASE}/echo/a%2Fb%20c:go?{query}", data=b"\x00\xff")
    echo = json.loads(body)
    record = gateway.record()

    assert (echo["method"], echo["path"]) == (method, f"/v1/echo/a%2Fb%20c:go?{query}")
    assert echo["sha256"] == hashlib.sha256(b"\x00\xff").hexdigest()
    assert (record.operation, record.provider, record.http_status) == ("pass_through", "lab", 200)
    assert record.attributes["http.request.method"] == method
    assert record.attributes["url.path"] == "/echo/a%2Fb%20c:go"
    assert record.attributes["request_bytes"] == "2"
    assert record.attributes["reply_bytes"] == str(len(body))
    assert record.request_body == record.reply_body == b""
    assert record.cost is not None
    assert (record.cost.status, record.cost.nanousd) == (CostStatus.UNKNOWN, None)


async def test_no_secret_of_the_caller_reaches_the_provider(gateway: Gateway) -> None:
    secrets = {
        name: f"secret-{name}"
        for name in (
            "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization", "openai-organization",
            "openai-project", "x-forwarded-for", "forwarded", "referer", "x-custom-token", "x-sternpost-user",
        )
    }  # fmt: skip
    hop = {"connection": "keep-alive, if-match", "te": "trailers", "if-match": "secret-hop"}
    passing = {"openai-beta": "assistants=v2", "range": "bytes=0-9", "if-none-match": '"e"', "accept": "a/b"}
    _, body = await ask(gateway, "GET", f"{BASE}/echo?key=sp-one&q=1", headers={**secrets, **hop, **passing})
    echo = json.loads(body)

    assert "secret-" not in body.decode()
    assert "sp-one" not in body.decode()
    assert echo["path"] == "/v1/echo?q=1"
    assert {name: echo["headers"].get(name) for name in passing} == passing
    assert echo["headers"]["authorization"] == "Bearer lab-key"
    assert set(echo["headers"]) <= {
        *passing, "host", "authorization", "user-agent", "accept-encoding", "content-length", "connection",
    }  # fmt: skip


async def test_no_secret_of_the_provider_reaches_the_caller(gateway: Gateway) -> None:
    _, echoed = await ask(gateway, "GET", "/v1/providers/long/echo")
    reply, image = await ask(gateway, "GET", "/v1/providers/long/bytes")
    refused, problem = await ask(gateway, "GET", "/v1/providers/long/echo?fault=401")

    assert LONG_KEY not in echoed.decode()
    assert TEAM_TOKEN not in echoed.decode()
    assert json.loads(echoed)["headers"]["authorization"] == "Bearer " + "*" * len(LONG_KEY)
    assert image == bytes(range(256)) * 400
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["x-upstream-request-id"] == "req_up_1"
    assert not {
        "set-cookie", "openai-organization", "x-ratelimit-limit", "location", "content-location", "link",
        "x-amzn-account-id",
    } & {name.lower() for name in reply.headers}  # fmt: skip
    assert reply.headers["etag"] == '"1"'
    assert (refused.status, json.loads(problem)["error"]["code"]) == (502, "provider_key_refused")


async def test_a_key_in_a_header_of_an_answer_is_redacted(gateway: Gateway) -> None:
    path = f"/v1/providers/long/echo?fault=429&retry_after={LONG_KEY}"
    reply, _ = await ask(gateway, "POST", path, json={"model": "m1"})
    assert reply.headers["retry-after"] == "*" * len(LONG_KEY)


@pytest.mark.parametrize("dialect", ["same", "translated"])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_key_that_a_provider_quotes_in_its_answer_reaches_neither_caller_nor_record(
    gateway: Gateway, dialect: str, is_stream: bool
) -> None:
    ask_for = gateway.chat if dialect == "same" else gateway.message
    answer = await ask_for(f"long/{LONG_KEY}", stream=is_stream)  # the model's name is quoted in every frame
    record = gateway.record()

    assert answer.status == 200
    assert LONG_KEY.encode() not in answer.body
    assert LONG_KEY.encode() not in record.reply_body
    assert b"*" * len(LONG_KEY) in record.reply_body
    assert record.response_model == "*" * len(LONG_KEY)


async def test_a_key_in_vectors_reaches_neither_caller_nor_record(gateway: Gateway) -> None:
    answer = await gateway.post("/v1/embeddings", {"model": f"long/{LONG_KEY}", "input": "x"})
    assert answer.status == 200
    assert LONG_KEY.encode() not in answer.body + gateway.record().reply_body


async def test_usage_in_a_known_shape_is_priced(gateway: Gateway) -> None:
    body = {"model": "m1", "messages": ASK}
    _, whole = await ask(gateway, "POST", f"{BASE}/chat/completions", json=body)
    streamed, frames = await ask(
        gateway,
        "POST",
        f"{BASE}/chat/completions",
        json={**body, "stream": True, "stream_options": {"include_usage": True}},
    )
    _, claude = await ask(gateway, "POST", "/v1/providers/labant/messages", json={**body, "stream": True})
    await ask(gateway, "GET", f"{BASE}/chat/completions", json=body)  # looks up what was paid for
    first, second, third, again = gateway.records()

    usage = json.loads(whole)["usage"]
    nano = usage["prompt_tokens"] * 1000 + usage["completion_tokens"] * 2000
    assert (first.request_model, first.response_model) == ("m1", "m1")
    assert first.cost is not None
    assert (first.cost.status, first.cost.nanousd) == (CostStatus.COMPUTED, nano)
    assert streamed.headers["content-type"] == "text/event-stream"
    assert frames.endswith(b"data: [DONE]\n\n")
    assert second.usage is not None
    assert second.usage.out_text == usage["completion_tokens"]
    assert b"message_stop" in claude
    assert third.usage is not None
    assert (third.usage.in_fresh > 1, third.usage.out_text) == (True, 8)
    assert again.usage is None


async def test_a_large_body_of_any_kind_flows_through(gateway: Gateway) -> None:
    form = aiohttp.FormData()
    form.add_field("purpose", "batch")
    form.add_field(
        "file", io.BytesIO(b"line\n" * 400_000), filename="a.jsonl", content_type="application/jsonl"
    )
    _, multipart = await ask(gateway, "POST", f"{BASE}/echo", data=form)

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"b" * 10_000

    _, chunked = await ask(gateway, "PUT", f"{BASE}/echo", data=blocks())

    echo = json.loads(multipart)
    assert echo["size"] > 2_000_000
    assert echo["headers"]["content-type"].startswith("multipart/form-data; boundary=")
    assert echo["headers"]["content-length"] == str(echo["size"])
    assert json.loads(chunked)["sha256"] == hashlib.sha256(b"b" * 1_000_000).hexdigest()
    assert [one.attributes["request_bytes"] for one in gateway.records()] == [str(echo["size"]), "1000000"]


async def test_a_body_too_large_is_refused_announced_or_not(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(max_body_bytes=300_000)

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"b" * 10_000

    for body in (io.BytesIO(b"b" * 1_000_000), blocks()):
        reply, problem = await ask(gateway, "PUT", f"{BASE}/echo", data=body)
        assert reply.status == 413
        assert json.loads(problem)["error"]["code"] == "request_too_large"
    assert [one.status for one in gateway.records()] == [SpanStatus.ERROR, SpanStatus.ERROR]


async def test_a_caller_who_reads_slowly_holds_the_provider_back(gateway: Gateway) -> None:
    async with gateway.session.get(gateway.url + f"{BASE}/flood?megabytes=100") as reply:
        sent = -1
        while sent < gateway.provider.count("flood_bytes"):
            sent = gateway.provider.count("flood_bytes")
            await asyncio.sleep(0.2)
        assert 0 < sent < 30_000_000
        rest = await reply.read()
    assert len(rest) == 100_000_000
    assert gateway.record().attributes["reply_bytes"] == "100000000"


@pytest.mark.parametrize(
    "path",
    [
        "/../admin", "/a/../../admin", "/%2e%2e/admin", "/a/%2E%2e%2fadmin", "/%252e%252e/x", "/..%5cadmin",
        "/..;/admin", "/a%00b", "/.",
    ],
)  # fmt: skip
async def test_no_path_leaves_the_base_url(gateway: Gateway, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    head = (
        f"GET {BASE}{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sp-one\r\nconnection: close\r\n\r\n"
    )
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400")
    assert gateway.provider.requests() == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/providers/labb/echo", 404, "not_found"),
        ("/v1/providers/unset/echo", 424, "provider_not_configured"),
        ("/v1/providers/dead/echo", 502, "upstream_unreachable"),
        ("/v1/providers/lab/echo?fault=drop-connection", 502, "upstream_unreachable"),
    ],
)
async def test_errors_of_ours_are_in_openais_shape(
    gateway: Gateway, path: str, status: int, code: str
) -> None:
    reply, problem = await ask(gateway, "GET", path)
    assert (reply.status, json.loads(problem)["error"]["code"]) == (status, code)
    record = gateway.record()
    assert record.error_type == code
    assert record.cost is not None
    assert record.cost.reason == ("no_answer" if "drop" in path else "not_sent")


async def test_errors_of_the_provider_come_as_they_are(gateway: Gateway) -> None:
    reply, problem = await ask(gateway, "POST", f"{BASE}/echo?fault=429&retry_after=7", json={"model": "m1"})
    record = gateway.record()

    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert json.loads(problem)["error"]["type"] == "rate_limit_error"
    assert (record.status, record.http_status, record.error_type) == (SpanStatus.ERROR, 429, "rate_limited")
    assert [attempt.http_status for attempt in record.attempts] == [429]


async def test_a_key_with_an_allow_list_needs_all_of_the_provider(gateway: Gateway) -> None:
    narrow, problem = await ask(gateway, "GET", f"{BASE}/echo", headers={"authorization": "Bearer sp-narrow"})
    whole, _ = await ask(gateway, "GET", f"{BASE}/echo", headers={"authorization": "Bearer sp-lab"})
    other, _ = await ask(
        gateway, "GET", "/v1/providers/labant/echo", headers={"authorization": "Bearer sp-lab"}
    )
    nobody, _ = await ask(gateway, "GET", f"{BASE}/echo", headers={"authorization": "Bearer sp-none"})

    assert (narrow.status, whole.status, other.status, nobody.status) == (403, 200, 403, 401)
    assert "lab/*" in json.loads(problem)["error"]["message"]


async def test_limits_hold_for_the_key_and_for_the_model_that_is_named(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(LimitEntry("model", "lab/m1", requests_per_minute=1))
    calls = [{"model": "m1"}, {"model": "m2"}, {"model": "m1"}]
    found = [(await ask(gateway, "POST", f"{BASE}/echo", json=body))[0].status for body in calls]
    in_path, _ = await ask(gateway, "POST", f"{BASE}/models/m1:generateContent", json={})
    assert [*found, in_path.status] == [200, 200, 429, 429]


async def test_a_reply_that_breaks_breaks_for_the_caller_too(gateway: Gateway) -> None:
    for body in ({"model": "fault-cut"}, {"model": "fault-cut?after=5", "stream": True}):
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(gateway, "POST", f"{BASE}/chat/completions", json={**body, "messages": ASK})
    records = gateway.records()
    assert [one.status for one in records] == [SpanStatus.TRUNCATED, SpanStatus.TRUNCATED]
    assert records[1].attempts[0].status is SpanStatus.TRUNCATED


async def test_a_caller_who_leaves_ends_the_call_to_the_provider(gateway: Gateway) -> None:
    body = {"model": "fault-stall?after=4", "messages": ASK, "stream": True}
    async with gateway.session.post(gateway.url + "/v1/providers/labant/messages", json=body) as reply:
        await reply.content.readany()
        reply.close()
    record = await gateway.wait_for_record()

    assert record.status is SpanStatus.CANCELLED
    assert record.usage is not None
    assert record.usage.source is UsageSource.PARTIAL
    await until(lambda: gateway.provider.count("closed_by_client") == 1)


async def test_a_caller_who_leaves_while_sending_ends_the_call(gateway: Gateway) -> None:
    port = int(gateway.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"PUT {BASE}/echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sp-one\r\n"
    writer.write(head.encode() + b"content-length: 900000\r\n\r\n" + b"x" * 200_000)
    await writer.drain()
    await until(lambda: gateway.provider.count("connections") > 1)
    writer.close()
    record = await gateway.wait_for_record()

    assert (record.status, record.http_status) == (SpanStatus.CANCELLED, 499)
    assert gateway.provider.requests() == []


async def test_a_drain_ends_what_is_open_without_an_end(gateway: Gateway) -> None:
    body = {"model": "fault-stall?after=4", "messages": ASK, "stream": True}
    async with gateway.session.post(gateway.url + f"{BASE}/chat/completions", json=body) as reply:
        await reply.content.readany()
        assert gateway.app.interrupt_calls() == 1
        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.read()
    assert gateway.record().status is SpanStatus.TRUNCATED


async def test_a_dry_run_calls_nobody(gateway: Gateway) -> None:
    _, body = await ask(gateway, "DELETE", f"{BASE}/files/1", headers={"x-sternpost-dry-run": "1"})
    assert json.loads(body)["object"] == "sternpost.plan"
    assert gateway.provider.requests() == []


async def test_a_stream_arrives_piece_by_piece_and_an_answer_to_head_without_a_body(gateway: Gateway) -> None:
    body = {"model": "fault-slow?seconds=0.1&chunks=3", "messages": ASK, "stream": True}
    async with gateway.session.post(gateway.url + f"{BASE}/chat/completions", json=body) as reply:
        first = await reply.content.readany()
        rest = await reply.read()
    head, nothing = await ask(gateway, "HEAD", "/v1/providers/long/bytes")

    assert first.count(b"data: ") == 1
    assert rest.endswith(b"data: [DONE]\n\n")
    assert (head.status, head.headers["content-type"], nothing) == (200, "image/png", b"")


async def test_a_wrong_key_is_said_however_large_the_body(gateway: Gateway) -> None:
    sent = io.BytesIO(b"b" * 2_000_000)
    reply, problem = await ask(
        gateway, "PUT", f"{BASE}/echo", data=sent, headers={"authorization": "Bearer sp-none"}
    )
    assert (reply.status, json.loads(problem)["error"]["code"]) == (401, "invalid_api_key")
    assert gateway.records() == []


async def test_a_drain_answers_whoever_still_waits(gateway: Gateway) -> None:
    waiting = asyncio.create_task(ask(gateway, "GET", f"{BASE}/echo?fault=slow-status&seconds=30"))
    await until(lambda: bool(gateway.provider.requests()))
    assert gateway.app.interrupt_calls() == 1
    reply, problem = await waiting

    assert reply.status == 503
    assert "stopping" in json.loads(problem)["error"]["message"]
    assert gateway.record().attempts[0].status is SpanStatus.CANCELLED
