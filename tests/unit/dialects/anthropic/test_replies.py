import json

import pytest
from anthropic.types import Message as SdkMessage
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    Finish,
    Ping,
    RedactedThinking,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.anthropic.errors import write_error_event
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.protocols import ReplySummary, WireError
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, anthropic_head, fixture, payloads, pump

SDK_EVENT: TypeAdapter[object] = TypeAdapter(RawMessageStreamEvent)


def test_a_reply_is_read_and_written_byte_exact_in_its_signed_blocks() -> None:
    body = json.loads(fixture("anthropic_reply.json"))
    reply = ANTHROPIC.read_reply(fixture("anthropic_reply.json"))
    written = json.loads(ANTHROPIC.write_reply(reply))
    same = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence")
    assert {name: written[name] for name in same} == {name: body[name] for name in same}
    assert ANTHROPIC.read_reply(ANTHROPIC.write_reply(reply)).choices == reply.choices


def test_the_summary_agrees_with_the_reply_and_keeps_the_providers_words() -> None:
    body = fixture("anthropic_reply.json")
    summary = ANTHROPIC.summarise(body, STANDARD)
    assert summary.usage == ANTHROPIC.read_reply(body).usage
    assert (summary.id, summary.finish_reasons) == ("msg_1", ("tool_use",))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"usage": 5}'])
def test_a_body_that_is_no_reply_has_an_empty_summary_and_cannot_be_read(body: bytes) -> None:
    assert ANTHROPIC.summarise(body, STANDARD) == ReplySummary()
    with pytest.raises(BadRequest):
        ANTHROPIC.read_reply(body)


def test_an_openai_reply_is_written_as_the_official_sdk_reads_it() -> None:
    body = ANTHROPIC.write_reply(OPENAI.read_reply(fixture("openai_reply.json")))
    message = SdkMessage.model_validate_json(body, strict=True)
    assert [block.type for block in message.content] == ["text", "tool_use"]
    assert message.stop_reason == "tool_use"
    # 20 prompt tokens of which 8 were cached
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (12, 8)


@pytest.mark.parametrize("name", ["openai_parallel_tools.sse", "deepseek_thinking.sse", "azure_text.sse"])
def test_an_openai_stream_is_written_as_the_official_sdk_reads_it(name: str) -> None:
    sent = pump(open_relay(OPENAI, ANTHROPIC, anthropic_head(), STANDARD), [fixture(name)])
    events = payloads(sent)
    for event in events:
        SDK_EVENT.validate_python(event)
    assert events[0]["type"] == "message_start"
    assert [event["type"] for event in events[-2:]] == ["message_delta", "message_stop"]


def test_a_refusal_is_text_with_its_own_stop_reason() -> None:
    writer = ANTHROPIC.open_writer(anthropic_head())
    events = (StreamStart("i", "m"), RefusalDelta("I can't."), Finish("end"), StreamEnd())
    frames = payloads(b"".join(writer.write(event) for event in events))
    assert frames[2]["delta"]["text"] == "I can't."
    assert frames[-2]["delta"]["stop_reason"] == "refusal"
    reply = {"choices": [{"message": {"refusal": "I can't."}, "finish_reason": "stop"}]}
    written = json.loads(ANTHROPIC.write_reply(OPENAI.read_reply(json.dumps(reply).encode())))
    assert (written["content"][0]["text"], written["stop_reason"]) == ("I can't.", "refusal")


def test_text_behind_an_open_tool_call_waits_for_its_end() -> None:
    writer = ANTHROPIC.open_writer(anthropic_head())
    events = (
        ThinkingDelta("t"),
        TextDelta("a"),
        ToolStart(0, "c", "f"),
        TextDelta("late"),
        ToolArguments(0, "{}"),
        RedactedThinking("x"),
        Ping(),
        Finish("tool"),
        StreamEnd(),
    )
    frames = payloads(b"".join(writer.write(event) for event in events))
    starts = [frame["content_block"]["type"] for frame in frames if frame["type"] == "content_block_start"]
    assert starts == ["thinking", "text", "tool_use", "text"]
    deltas = [frame["delta"] for frame in frames if frame["type"] == "content_block_delta"]
    assert [delta.get("partial_json") or delta.get("text") for delta in deltas[2:]] == ["{}", "late"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (WireError(400, "bad_request", "m"), "invalid_request_error"),
        (WireError(401, "invalid_api_key", "m"), "authentication_error"),
        (WireError(403, "permission_denied", "m"), "permission_error"),
        (WireError(404, "model_not_found", "m"), "not_found_error"),
        (WireError(413, "request_too_large", "m"), "request_too_large"),
        (WireError(424, "provider_not_configured", "m"), "invalid_request_error"),
        (WireError(429, "rate_limit_exceeded", "m", error_type="tokens"), "rate_limit_error"),
        (WireError(502, "all_targets_failed", "m"), "api_error"),
        (WireError(504, "upstream_timeout", "m"), "timeout_error"),
        (WireError(529, "x", "m", error_type="overloaded_error"), "overloaded_error"),
    ],
)
def test_an_error_has_anthropics_shape_and_the_type_of_its_status(error: WireError, kind: str) -> None:
    inner = {"type": kind, "message": "m"}
    assert json.loads(ANTHROPIC.write_error(error)) == {"type": "error", "error": inner, "request_id": None}


def test_an_error_event_is_an_event_of_its_own() -> None:
    event = write_error_event(WireError(502, "stream_truncated", "cut", request_id="req_1"))
    assert event.startswith(b"event: error\ndata: {")
    assert payloads(event)[0]["request_id"] == "req_1"
