"""Calls that succeed: bytes, headers, the record, and both dialects in both directions."""

import json
from typing import Any

import pytest

from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import CostStatus
from tests.unit.gateway.conftest import ASK, Gateway

TOOL = {"name": "weather", "description": "The weather of a city.", "parameters": {"type": "object"}}
OPENAI_TOOLS = [{"type": "function", "function": TOOL}]
ANTHROPIC_TOOLS = [{"name": "weather", "description": "x", "input_schema": {"type": "object"}}]


def events_of(body: bytes) -> list[Any]:
    """Return the JSON payloads of a stream; the terminal marker stays text."""
    payloads = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    return [payload if payload == "[DONE]" else json.loads(payload) for payload in payloads]


def text_of(body: bytes) -> str:
    pieces = [
        event["choices"][0]["delta"].get("content") or ""
        for event in events_of(body)
        if isinstance(event, dict) and event.get("choices")
    ]
    return "".join(pieces)


async def test_an_answer_of_the_same_dialect_passes_byte_for_byte(gateway: Gateway) -> None:
    direct = await gateway.session.post(
        gateway.provider.url + "/v1/chat/completions",
        data=json.dumps({"model": "m1", "messages": ASK}).encode(),
    )
    expected = await direct.read()
    answer = await gateway.chat("lab/m1")
    assert answer.status == 200
    assert json.loads(answer.body)["choices"] == json.loads(expected)["choices"]
    sent = gateway.provider.requests()[-1]
    assert json.loads(sent["body"]) == {"model": "m1", "messages": ASK}


async def test_the_reply_names_trace_target_and_cost(gateway: Gateway) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = await gateway.chat("lab/m1", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    usage = answer.json["usage"]
    nano = usage["prompt_tokens"] * 1000 + usage["completion_tokens"] * 2000  # 1 and 2 USD per million
    assert answer.headers["x-sternpost-trace-id"] == trace
    assert answer.headers["x-sternpost-target"] == "lab/m1"
    assert answer.headers["x-sternpost-cache"] == "off"
    assert answer.headers["x-sternpost-attempts"] == "1"
    assert answer.headers["x-upstream-request-id"] == "req_up_1"
    assert round(float(answer.headers["x-sternpost-cost-usd"]) * 1e9) == nano
    record = gateway.record()
    assert record.parent_span_id == "b7ad6b7169203331"
    assert record.cost is not None
    assert (record.cost.status, record.cost.nanousd) == (CostStatus.COMPUTED, nano)


async def test_the_record_holds_both_bodies_and_what_the_caller_said_of_itself(gateway: Gateway) -> None:
    answer = await gateway.chat(
        "lab/m1",
        metadata={"session_id": "s-1", "feature": "from-body"},
        user="u-1",
        headers={"x_sternpost_feature": "search", "x_sternpost_tags": "a, b", "x_sternpost_run": "r-1"},
    )
    record = gateway.record()
    assert record.reply_body == answer.body
    assert json.loads(record.request_body)["user"] == "u-1"
    assert (record.trace.session_id, record.trace.user_id) == ("s-1", "u-1")
    assert (record.trace.feature, record.trace.tags, record.trace.run_id) == ("search", ("a", "b"), "r-1")
    assert (record.status, record.http_status, record.provider) == (SpanStatus.OK, 200, "lab")
    assert [attempt.http_status for attempt in record.attempts] == [200]


async def test_a_call_counts_in_its_keys_environment_unless_it_names_another_that_exists(
    gateway: Gateway,
) -> None:
    for headers in ({}, {"x_sternpost_environment": "staging"}, {"x_sternpost_environment": "stagin"}):
        await gateway.chat("lab/m1", headers=headers)
    assert [record.environment for record in gateway.records()] == ["production", "staging", "production"]


async def test_a_name_in_any_script_arrives_as_it_was_sent(gateway: Gateway) -> None:
    await gateway.chat("lab/m1", headers={"x_sternpost_user": "zoé", "x_sternpost_session": "日本"})
    await gateway.chat("lab/m1", user="zoé")
    headers, body = gateway.records()
    assert (headers.trace.user_id, headers.trace.session_id) == ("zoé", "日本")
    assert body.trace.user_id == "zoé"


async def test_the_callers_key_is_never_forwarded(gateway: Gateway) -> None:
    await gateway.chat("lab/m1", headers={"x_api_key": "sp-one", "cookie": "a=b", "openai_beta": "x=v1"})
    headers = gateway.provider.requests()[-1]["headers"]
    assert headers["authorization"] == "Bearer lab-key"
    assert headers["openai-beta"] == "x=v1"
    assert not {"x-api-key", "cookie"} & headers.keys()


async def test_a_stream_passes_and_its_record_is_written_before_the_end(gateway: Gateway) -> None:
    body = {"model": "lab/chunks-20", "messages": ASK, "stream": True}
    async with gateway.session.post(f"{gateway.url}/v1/chat/completions", json=body) as reply:
        seen = b""
        async for chunk in reply.content.iter_any():
            seen += chunk
            if b"[DONE]" in seen:
                break
        records = gateway.records()
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert len(records) == 1
    assert text_of(seen).count(" ") == 19
    assert b'"usage":{' not in seen  # nobody asked for the usage chunk
    assert records[0].usage is not None
    assert records[0].usage.out_text == 20
    assert records[0].first_token_ns is not None
    assert records[0].started_ns < records[0].first_token_ns <= records[0].ended_ns


async def test_the_connection_upstream_is_used_again_after_a_stream(gateway: Gateway) -> None:
    for _ in range(3):
        await gateway.chat("lab/m1", stream=True)
        await gateway.chat("lab/m1")
    # One connection of the gateway, one of `count` itself.
    assert gateway.provider.count("connections") <= 2


@pytest.mark.parametrize("model", ["lab/m1", "labant/m1"])
async def test_whole_and_streamed_text_are_equal_in_both_dialects(gateway: Gateway, model: str) -> None:
    whole = (await gateway.chat(model)).json["choices"][0]["message"]["content"]
    streamed = text_of((await gateway.chat(model, stream=True)).body)
    message = (await gateway.message(model)).json["content"][0]["text"]
    frames = events_of((await gateway.message(model, stream=True)).body)
    deltas = [e["delta"].get("text", "") for e in frames if e["type"] == "content_block_delta"]
    assert whole == streamed == message == "".join(deltas)
    assert frames[-1]["type"] == "message_stop"
    assert {record.dialect_out for record in gateway.records()} == {
        "anthropic" if model == "labant/m1" else "openai_chat"
    }


async def test_tools_cross_from_openai_to_anthropic(gateway: Gateway) -> None:
    call = (await gateway.chat("labant/m1", tools=OPENAI_TOOLS)).json["choices"][0]
    assert call["finish_reason"] == "tool_calls"
    assert call["message"]["tool_calls"][0]["function"]["name"] == "weather"
    assert json.loads(call["message"]["tool_calls"][0]["function"]["arguments"]) == {"city": "Paris"}


async def test_tools_cross_from_anthropic_to_openai_in_a_stream(gateway: Gateway) -> None:
    answer = await gateway.message("lab/m1", tools=ANTHROPIC_TOOLS, stream=True)
    frames = events_of(answer.body)
    start = next(e for e in frames if e["type"] == "content_block_start")
    pieces = [e["delta"]["partial_json"] for e in frames if e["type"] == "content_block_delta"]
    assert start["content_block"]["name"] == "weather"
    assert json.loads("".join(pieces)) == {"city": "Paris"}


async def test_what_a_dialect_cannot_carry_is_named(gateway: Gateway) -> None:
    answer = await gateway.chat("labant/m1", seed=7, logit_bias={"1": 2})
    assert set(answer.headers["x-sternpost-dropped"].split(",")) >= {"seed", "logit_bias"}
    assert "dropped:seed" in gateway.record().warnings


async def test_a_dry_run_answers_the_plan_and_calls_nobody(gateway: Gateway) -> None:
    answer = await gateway.chat("steady", headers={"x_sternpost_dry_run": "1"})
    assert answer.status == 200
    assert [target["model"] for target in answer.json["targets"]] == ["dead/m1", "lab/m1"]
    assert gateway.provider.count("calls") == 0
    assert gateway.record().warnings == ("dry_run",)


async def test_the_models_are_listed_in_the_shape_of_the_asking_sdk(gateway: Gateway) -> None:
    openai = (await gateway.get("/v1/models")).json
    anthropic = (await gateway.get("/v1/models", anthropic_version="2023-06-01")).json
    narrow = (await gateway.get("/v1/models", authorization="Bearer sp-narrow")).json
    one = (await gateway.get("/v1/models/offline/extract-large")).json
    names = [entry["id"] for entry in openai["data"]]
    assert {"steady", "offline/extract-large"} <= set(names)
    assert "openai/gpt-5-mini" not in names  # nobody set a key for it
    assert [entry["id"] for entry in anthropic["data"]] == names
    assert [entry["id"] for entry in narrow["data"]] == ["steady"]
    assert (one["id"], one["object"]) == ("offline/extract-large", "model")


async def test_a_model_looked_up_by_a_wrong_name_is_answered_with_the_nearest_of_ones_own(
    gateway: Gateway,
) -> None:
    wide = await gateway.get("/v1/models/offline/extract-larg")
    narrow = await gateway.get("/v1/models/offline/extract-large", authorization="Bearer sp-narrow")
    assert (wide.status, narrow.status) == (404, 404)
    assert "did you mean 'offline/extract-large'" in wide.json["error"]["message"]
    assert "GET /v1/models lists" in narrow.json["error"]["message"]


async def test_a_long_request_is_translated_whole(gateway: Gateway) -> None:
    words = "heave " * 170_000  # 1.02 MB, which is written in a thread
    answer = await gateway.chat("labant/m1", messages=[{"role": "user", "content": words}])
    assert answer.status == 200
    # The fake counts a token for four bytes: 1,020,000 / 4, and the rest of the request.
    assert answer.json["usage"]["prompt_tokens"] > 255_000
