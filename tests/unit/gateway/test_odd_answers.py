"""Answers that no dialect allows: one record each, the place of a limit given back, nothing paid twice."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sternpost.contracts.call import Dialect, LimitEntry, Route, Target
from sternpost.contracts.message import TextPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import CostStatus
from sternpost.dialects.framing.assemble import read_recorded
from sternpost.dialects.registry import UPSTREAM_CODECS
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support import odd_answers as odd
from tests.support.scripted_provider import ScriptedProvider, reply, start_scripted_provider
from tests.unit.gateway.conftest import Answer, Gateway, GatewayMaker

PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
SPOKEN = {"openai_chat": PATHS[0], "openai_responses": PATHS[1], "anthropic": PATHS[2]}
WAYS = [(path, is_stream) for path in PATHS for is_stream in (False, True)]


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedProvider]:
    async with start_scripted_provider() as provider:
        yield provider


@pytest.fixture
async def odd_gateway(start_gateway: GatewayMaker, upstream: ScriptedProvider) -> Gateway:
    """A gateway with room for one call at a time, and a route from each dialect to OpenAI's."""
    settings = [
        ProviderSetting(f"x-{name}".replace("_", "-"), name, upstream.url, "k" * 20, options={"region": "eu"})
        for name in odd.DIALECTS
    ]
    settings.append(ProviderSetting("spare", "openai_chat", upstream.url, "k" * 20))
    routes = [
        Route(f"then-{name}", (Target(f"x-{name}".replace("_", "-"), "m1"), Target("spare", "m1")))
        for name in odd.DIALECTS
    ]
    limit = LimitEntry("key", "", concurrency=1)
    traffic = traffic_of(configure(settings, {}), routes, (limit,))
    return await start_gateway(limit, traffic=lambda: traffic)


async def ask(gateway: Gateway, path: str, model: str, *, is_stream: bool) -> Answer:
    messages = [{"role": "user", "content": "hi"}]
    body: dict[str, Any] = {"model": model, "stream": is_stream}
    body |= {"input": messages} if path.endswith("responses") else {"messages": messages, "max_tokens": 50}
    return await gateway.post(path, body)


def text_of(path: str, answer: Answer, *, is_stream: bool) -> str:
    """Return the text as an SDK would put it together."""
    if not is_stream:
        read = answer.json
        if path.endswith("completions"):
            return read["choices"][0]["message"]["content"]
        return (read["content"][0] if path.endswith("messages") else read["output"][0]["content"][0])["text"]
    lines = answer.body.split(b"\n")
    events = [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]
    found = ""
    for event in events:
        if path.endswith("completions"):
            found += "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
        elif event["type"] == "content_block_delta":
            found += event["delta"].get("text", "")
        elif event["type"] == "response.output_text.delta":
            found += event["delta"]
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def scripted(
    dialect: Dialect, *, is_stream: bool, texts: tuple[bytes, ...], end: bytes | None = None
) -> bytes:
    if is_stream:
        return reply(odd.stream(dialect, texts, end), odd.stream_type(dialect))
    return reply(odd.whole(dialect, b"".join(texts), end))


def model_of(dialect: Dialect) -> str:
    return f"x-{dialect}/m1".replace("_", "-")


@pytest.mark.parametrize("dialect", odd.DIALECTS)
async def test_halves_of_a_pair_are_joined_and_a_lone_one_is_replaced(
    odd_gateway: Gateway, upstream: ScriptedProvider, dialect: Dialect
) -> None:
    texts = (b"smile ", b"\\ud83d", b"\\ude00 ok", b" \\ude00!\\ud83d")
    for path, is_stream in WAYS:
        upstream.replies, upstream.paths = [scripted(dialect, is_stream=is_stream, texts=texts)], []
        answer = await ask(odd_gateway, path, model_of(dialect), is_stream=is_stream)
        assert answer.status == 200
        told = text_of(path, answer, is_stream=is_stream).encode("utf-16", "surrogatepass")
        assert told.decode("utf-16", "replace") == "smile 😀 ok \ufffd!\ufffd"
        assert len(upstream.paths) == 1
        record = odd_gateway.records()[-1]
        assert record.status is SpanStatus.OK
        assert record.usage is not None
        assert record.usage.in_fresh == 10
        reply = read_recorded(
            UPSTREAM_CODECS[dialect], record.reply_body, is_stream=is_stream, quirks=STANDARD
        )
        assert reply is not None
        assert reply.choices[0].parts == (TextPart("smile 😀 ok \ufffd!\ufffd"),)


@pytest.mark.parametrize("dialect", odd.DIALECTS)
async def test_bytes_that_are_no_utf8_end_a_call_that_is_recorded_and_frees_its_place(
    odd_gateway: Gateway, upstream: ScriptedProvider, dialect: Dialect
) -> None:
    texts = (b"ok ", b"bad \xff")
    for path, is_stream in WAYS:
        upstream.replies, upstream.paths = [scripted(dialect, is_stream=is_stream, texts=texts)], []
        answer = await ask(odd_gateway, path, model_of(dialect), is_stream=is_stream)
        record = odd_gateway.records()[-1]
        assert len(upstream.paths) == 1  # it counted tokens: not asked for again
        if is_stream:
            assert (answer.status, b'"error"' in answer.body) == (200, True)
            assert (record.status, record.error_type) == (SpanStatus.TRUNCATED, "stream_truncated")
            assert record.cost is not None
            assert record.cost.reason != "not_sent"
        elif SPOKEN.get(dialect) == path:
            assert answer.body == odd.whole(dialect, b"".join(texts))
        else:
            assert answer.status == 502
            assert record.cost is not None
            assert (record.cost.status, record.error_type) == (CostStatus.UNKNOWN, "unreadable_answer")
    assert len(odd_gateway.records()) == len(WAYS)


@pytest.mark.parametrize("dialect", odd.DIALECTS)
async def test_a_whole_answer_that_is_no_utf8_goes_to_the_next_target(
    odd_gateway: Gateway, upstream: ScriptedProvider, dialect: Dialect
) -> None:
    path = next(path for path in PATHS if SPOKEN.get(dialect) != path)
    spare = scripted("openai_chat", is_stream=False, texts=(b"spare",))
    upstream.replies = [scripted(dialect, is_stream=False, texts=(b"bad \xff",)), spare]
    answer = await ask(odd_gateway, path, f"then-{dialect}", is_stream=False)
    assert text_of(path, answer, is_stream=False) == "spare"
    assert [attempt.status for attempt in odd_gateway.record().attempts] == [SpanStatus.ERROR, SpanStatus.OK]


@pytest.mark.parametrize("dialect", odd.DIALECTS)
async def test_an_error_that_is_no_utf8_is_an_error_like_any_other(
    odd_gateway: Gateway, upstream: ScriptedProvider, dialect: Dialect
) -> None:
    body = b'{"error":{"message":"no \xff such \\ud83d","type":"invalid_request_error"},"message":"no \xff"}'
    upstream.replies = [reply(body, status=400, headers=b"x-request-id: req_\xff\r\n")]
    for path, is_stream in WAYS:
        answer = await ask(odd_gateway, path, model_of(dialect), is_stream=is_stream)
        assert answer.status == 400
        assert "no \ufffd" in answer.json["error"]["message"]
    assert [record.http_status for record in odd_gateway.records()] == [400] * len(WAYS)


@pytest.mark.parametrize(
    ("dialect", "end"),
    [
        ("openai_chat", b"error"),
        ("openai_chat", b"network_error"),
        ("openai_chat", b"insufficient_system_resource"),
        ("openai_chat", b"abort"),
        ("openai_responses", b"failed"),
        ("openai_responses", b"cancelled"),
        ("anthropic", b"error"),
        ("bedrock", b"error"),
        ("cohere", b"ERROR"),
        ("cohere", b"TIMEOUT"),
    ],
)
async def test_a_reply_that_ends_in_a_failure_is_one(
    odd_gateway: Gateway, upstream: ScriptedProvider, dialect: Dialect, end: bytes
) -> None:
    for path, is_stream in WAYS:
        empty = scripted(dialect, is_stream=is_stream, texts=(), end=end)
        upstream.replies = [empty, scripted("openai_chat", is_stream=is_stream, texts=(b"spare",))]
        answer = await ask(odd_gateway, path, f"then-{dialect}", is_stream=is_stream)
        assert text_of(path, answer, is_stream=is_stream) == "spare"
        odd_gateway.services.health.answered(Target(model_of(dialect).partition("/")[0], "m1"), 0.0)
        upstream.replies = [scripted(dialect, is_stream=is_stream, texts=(b"half an ans",), end=end)]
        broken = await ask(odd_gateway, path, model_of(dialect), is_stream=is_stream)
        assert broken.status == 200 if is_stream else broken.status >= 500
        assert b'"error"' in broken.body
        assert odd_gateway.records()[-1].status is SpanStatus.ERROR


@pytest.mark.parametrize("dialect", odd.DIALECTS)
async def test_an_answer_in_another_framing_than_asked_is_shown_and_paid_for_once(
    odd_gateway: Gateway, upstream: ScriptedProvider, dialect: Dialect
) -> None:
    for path, is_stream in WAYS:
        other = scripted(dialect, is_stream=not is_stream, texts=(b"all ", b"of it"))
        upstream.replies, upstream.paths = [other], []
        answer = await ask(odd_gateway, path, model_of(dialect), is_stream=is_stream)
        assert answer.status == 200
        assert text_of(path, answer, is_stream=is_stream) == "all of it"
        record = odd_gateway.records()[-1]
        assert record.status is SpanStatus.OK
        assert record.usage is not None
        assert (record.usage.in_fresh, record.usage.out_text, len(upstream.paths)) == (10, 2, 1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"g","object":"chat.completion","model":"m1","choices":null,"usage":{"prompt_tokens":1}}',
        b'{"id":"g","object":"chat.completion","model":"m1","choices":[]}',
        b'{"id":"g","model":"m1","error":{"message":"no","code":502},"choices":[]}',
        b'{"id":"g","model":"m1","choices":[{"message":{"content":"half"},"error":{"code":502,"message":"x"}}]}',
        b'{"object":"error","message":"no","type":"InternalServerError","code":500}',
        b'{"base_resp":{"status_code":1013,"status_msg":"internal error"},"choices":null}',
    ],
)
async def test_a_200_without_an_answer_goes_to_the_next_target(
    odd_gateway: Gateway, upstream: ScriptedProvider, body: bytes
) -> None:
    for path, is_stream in WAYS:
        odd_gateway.services.health.answered(Target("x-openai-chat", "m1"), 0.0)
        bad = reply(b"data: " + body + b"\n\ndata: [DONE]\n\n", odd.SSE) if is_stream else reply(body)
        upstream.replies = [bad, scripted("openai_chat", is_stream=is_stream, texts=(b"spare",))]
        answer = await ask(odd_gateway, path, "then-openai_chat", is_stream=is_stream)
        assert text_of(path, answer, is_stream=is_stream) == "spare"


@pytest.mark.parametrize("status", [200, 400])
async def test_odd_bytes_pass_through_and_are_recorded(
    odd_gateway: Gateway, upstream: ScriptedProvider, status: int
) -> None:
    body = odd.whole("openai_chat", b"bad \xff \\ud83d")
    upstream.replies = [reply(body, status=status, headers=b"x-request-id: req_\xff\r\n")]
    answer = await odd_gateway.post("/v1/providers/x-openai-chat/chat/completions", {"model": "m1"})
    assert (answer.status, answer.body) == (status, body)
    assert odd_gateway.record().http_status == status


async def test_vectors_and_counts_that_are_no_utf8_are_unreadable_answers(
    odd_gateway: Gateway, upstream: ScriptedProvider
) -> None:
    upstream.replies = [reply(b'{"data":[{"embedding":[1]}],"model":"\xff","input_tokens":"\xff"}')]
    vectors = await odd_gateway.post("/v1/embeddings", {"model": "x-openai-chat/m1", "input": "a"})
    count = await odd_gateway.post(
        "/v1/messages/count_tokens",
        {"model": "x-anthropic/m1", "messages": [{"role": "user", "content": "a"}]},
    )
    assert (vectors.status, count.status) == (502, 502)
    assert len(odd_gateway.records()) == 2


async def test_the_configured_address_is_hidden_and_public_links_stay(
    odd_gateway: Gateway, upstream: ScriptedProvider
) -> None:
    host = upstream.url.removeprefix("http://").partition(":")[0]
    words = f"see https://platform.openai.com/docs/errors, not {upstream.url}/v1/x of {host}"
    upstream.replies = [reply(json.dumps({"error": {"message": words}}).encode(), status=400)]
    for path, is_stream in WAYS:
        answer = await ask(odd_gateway, path, "x-openai-chat/m1", is_stream=is_stream)
        told = answer.json["error"]["message"]
        assert "https://platform.openai.com/docs/errors" in told
        assert host not in told
