import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.openai_chat.errors import write_error_event
from sternpost.dialects.protocols import ReplySummary, WireError
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, fixture, openai_head, payloads, pump


def test_a_reply_is_read_and_written_with_its_meaning() -> None:
    reply = OPENAI.read_reply(fixture("openai_reply.json"))
    assert reply.choices[0].parts == (
        TextPart("Checking."),
        ToolCallPart("get_weather", '{"city": "Ulm"}', "call_a"),
    )
    assert reply.choices[0].finish_reason == "tool"
    assert OPENAI.read_reply(OPENAI.write_reply(reply)) == reply


def test_the_summary_agrees_with_the_reply_and_keeps_the_providers_words() -> None:
    body = fixture("openai_reply.json")
    summary = OPENAI.summarise(body, STANDARD)
    assert summary.usage == OPENAI.read_reply(body).usage
    assert (summary.id, summary.model) == ("chatcmpl-1", "gpt-5-mini-2025-08-07")
    assert summary.finish_reasons == ("tool_calls",)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices": 5}'])
def test_a_body_that_is_no_reply_has_an_empty_summary_and_cannot_be_read(body: bytes) -> None:
    assert OPENAI.summarise(body, STANDARD) == ReplySummary()
    with pytest.raises(BadRequest):
        OPENAI.read_reply(body)


def test_an_anthropic_reply_is_written_as_the_official_sdk_reads_it() -> None:
    body = OPENAI.write_reply(ANTHROPIC.read_reply(fixture("anthropic_reply.json")))
    completion = ChatCompletion.model_validate_json(body, strict=True)
    message = completion.choices[0].message
    assert (message.content, completion.choices[0].finish_reason) == ("Checking.", "tool_calls")
    extension: dict[str, Any] = message.model_extra or {}
    assert extension["reasoning_content"] == "Look up both."
    assert extension["thinking_blocks"] == json.loads(fixture("anthropic_reply.json"))["content"][:2]
    assert completion.usage is not None
    # 25 fresh + 30 written + 100 read
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (155, 89)


def test_an_anthropic_stream_is_written_as_the_official_sdk_reads_it() -> None:
    head = openai_head(stream_options={"include_usage": True})
    sent = pump(open_relay(ANTHROPIC, OPENAI, head, STANDARD), [fixture("anthropic_thinking_tools.sse")])
    chunks = [ChatCompletionChunk.model_validate(payload) for payload in payloads(sent)]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage is not None
    assert sent.endswith(b"data: [DONE]\n\n")


def test_thinking_of_a_reply_is_read_from_reasoning_content() -> None:
    message = {"role": "assistant", "content": "a", "reasoning_content": "t"}
    body = json.dumps({"id": "1", "choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    assert OPENAI.read_reply(body).choices[0].parts == (ReasoningPart("t"), TextPart("a"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (WireError(400, "bad_request", "m"), "invalid_request_error"),
        (WireError(401, "invalid_api_key", "m"), "invalid_request_error"),
        (WireError(403, "permission_denied", "m"), "permission_error"),
        (WireError(429, "rate_limit_exceeded", "m"), "rate_limit_exceeded"),
        (WireError(429, "budget_exceeded", "m"), "insufficient_quota"),
        (WireError(502, "all_targets_failed", "m"), "server_error"),
        (WireError(529, "x", "m", error_type="overloaded_error"), "server_error"),
        (WireError(400, "x", "m", error_type="image_generation_user_error"), "image_generation_user_error"),
    ],
)
def test_an_error_has_openais_shape_and_the_type_of_its_status(error: WireError, kind: str) -> None:
    inner = {"message": "m", "type": kind, "param": None, "code": error.code}
    assert json.loads(OPENAI.write_error(error)) == {"error": inner}


def test_an_error_event_ends_the_stream_without_done() -> None:
    event = write_error_event(WireError(502, "stream_truncated", "cut", param="p"))
    assert event.startswith(b'data: {"error":{"message":"cut"')
    assert event.endswith(b"}\n\n")
    assert b"DONE" not in event
