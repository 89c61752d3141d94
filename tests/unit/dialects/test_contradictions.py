"""Replies that contradict themselves, per dialect: what came is shown, and the reason agrees with it."""

import json
from typing import Any

import pytest

from sternpost.contracts.chat import Finish, StreamEvent, StreamFault, StreamStart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.framing.whole_stream import settled
from sternpost.dialects.losses.unshown import unshown
from sternpost.dialects.protocols import Codec, UpstreamCodec
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.support import event_stream
from tests.unit.dialects.wire import (
    ANTHROPIC,
    BEDROCK,
    OPENAI,
    RESPONSES,
    events_of,
    head_for,
    payloads,
    pump,
    text_of,
    tools_of,
)

GEMINI, COHERE, OLLAMA = (UPSTREAM_CODECS[name] for name in ("gemini", "cohere", "ollama"))
MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "all of it"}]}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def response(*output: Any, kind: str = "response.completed", **more: Any) -> dict[str, Any]:
    return {"type": kind, "response": {"id": "r", "status": "completed", "output": output, **more}}


def chunk(**choice: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": 0, **choice}]}


LATE: list[tuple[UpstreamCodec, bytes]] = [
    (RESPONSES, sse(response(MESSAGE))),
    (RESPONSES, sse({"type": "response.output_text.done", "text": "all of it"}, response(MESSAGE))),
    (
        RESPONSES,
        sse(
            {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
            {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
            response(MESSAGE),
        ),
    ),
    (
        RESPONSES,
        sse(
            {"type": "response.output_text.delta", "output_index": 1, "delta": "all of it"},
            response({"type": "reasoning", "summary": []}, MESSAGE),
        ),
    ),
    (OPENAI, sse(chunk(message={"content": "all of it"}, finish_reason="stop")) + b"data: [DONE]\n\n"),
    (
        OPENAI,
        sse(
            chunk(delta={"content": "all of it"}),
            chunk(delta={}, message={"content": "all of it"}, finish_reason="stop"),
        )
        + b"data: [DONE]\n\n",
    ),
    (
        ANTHROPIC,
        sse(
            {"type": "message_start", "message": {"content": [{"type": "text", "text": "all of it"}]}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            {"type": "message_stop"},
        ),
    ),
    (
        COHERE,
        sse(
            {"type": "message-start", "id": "c"},
            {
                "type": "message-end",
                "delta": {"finish_reason": "COMPLETE", "message": {"content": {"text": "all of it"}}},
            },
        ),
    ),
    (OLLAMA, b'{"message":{"content":"all of it"},"done":true,"done_reason":"stop"}\n'),
    (GEMINI, sse({"candidates": [{"content": {"parts": [{"text": "all of it"}]}, "finishReason": "STOP"}]})),
]


@pytest.mark.parametrize(("codec", "stream"), LATE)
def test_what_stands_in_the_last_event_alone_is_shown_once(codec: UpstreamCodec, stream: bytes) -> None:
    assert text_of(events_of(codec, [stream])) == "all of it"


@pytest.mark.parametrize(
    "stream",
    [
        sse({"type": "response.output_text.delta", "delta": "hm"}, response(MESSAGE, CALL)),
        sse({"type": "response.output_item.added", "output_index": 0, "item": CALL}, response(CALL)),
        sse(
            {"type": "response.output_item.added", "output_index": 0, "item": CALL},
            {"type": "response.output_item.done", "output_index": 0, "item": CALL},
            response({"type": "reasoning", "summary": []}, CALL),
        ),
    ],
)
def test_calls_of_the_last_event_are_shown_once(stream: bytes) -> None:
    assert tools_of(events_of(RESPONSES, [stream])) == {0: ("c1", "f", "{}")}


CALLED = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("delta", "said", "is_tool"),
    [
        ({"content": "no call"}, "tool_calls", False),
        ({"tool_calls": [CALLED]}, "stop", True),
        ({"tool_calls": [CALLED]}, "made_up", True),
        ({"tool_calls": [CALLED]}, "tool_calls", True),
    ],
)
@pytest.mark.parametrize("sink", [ANTHROPIC, RESPONSES])
def test_the_reason_agrees_with_the_calls(
    sink: Codec, delta: dict[str, Any], said: str, is_tool: bool
) -> None:
    body = sse(chunk(delta=delta), chunk(delta={}, finish_reason=said)) + DONE
    streamed = payloads(pump(open_relay(OPENAI, sink, head_for(sink), STANDARD), [body]))
    message = {"choices": [{"message": {"role": "assistant", **delta}, "finish_reason": said}]}
    whole = settled(OPENAI.read_reply(json.dumps(message).encode()))
    assert whole.choices[0].finish_reason == ("tool" if is_tool else "end")
    if sink is ANTHROPIC:
        stops = [event["delta"]["stop_reason"] for event in streamed if event["type"] == "message_delta"]
        assert stops == ["tool_use" if is_tool else "end_turn"]


@pytest.mark.parametrize(
    ("codec", "stream", "is_failure"),
    [
        (
            GEMINI,
            sse({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "x"}]}),
            True,
        ),
        (GEMINI, sse({"candidates": [{"content": {}, "finishReason": "OTHER"}]}), True),
        (GEMINI, sse({"promptFeedback": {"blockReason": "SAFETY"}}), False),
        (GEMINI, sse({"candidates": [{"finishReason": "SAFETY"}]}), False),
        (GEMINI, sse({"candidates": [{"finishReason": "STOP"}]}), False),
        (
            BEDROCK,
            event_stream.stream(
                ("messageStart", {"role": "assistant"}), ("messageStop", {"stopReason": "malformed_tool_use"})
            ),
            True,
        ),
        (RESPONSES, sse(response(kind="response.completed", error={"code": "server_error"})), True),
        (RESPONSES, sse(response(MESSAGE, error={"code": "server_error"})), False),
        (RESPONSES, sse({"type": "response.cancelled", "response": {"status": "cancelled"}}), True),
        (OPENAI, sse({"object": "error", "message": "no", "code": 400}), True),
        (OPENAI, sse({"choices": [], "prompt_filter_results": []}), False),
    ],
)
def test_a_stream_without_content_says_whether_it_failed(
    codec: UpstreamCodec, stream: bytes, is_failure: bool
) -> None:
    faults = [event for event in events_of(codec, [stream]) if isinstance(event, StreamFault)]
    assert bool(faults) is is_failure


@pytest.mark.parametrize(
    ("codec", "stream", "usage"),
    [
        (
            GEMINI,
            sse(
                {
                    "candidates": [{"content": {"parts": [{"text": "Hi"}]}}],
                    "usageMetadata": {"promptTokenCount": 1000, "cachedContentTokenCount": 800},
                }
            ),
            Usage(in_fresh=200, in_cache_read=800),
        ),
        (OPENAI, sse(chunk(delta={}) | {"usage": {"prompt_tokens": 7, "completion_tokens": 0}}), Usage(7)),
        (OPENAI, sse(chunk(delta={})), None),
    ],
)
def test_a_stream_begins_with_the_usage_that_is_known_then(
    codec: UpstreamCodec, stream: bytes, usage: Usage | None
) -> None:
    start: StreamEvent = events_of(codec, [stream])[0]
    assert isinstance(start, StreamStart)
    assert start.usage == usage
    shown = payloads(pump(open_relay(codec, ANTHROPIC, head_for(ANTHROPIC), STANDARD), [stream]))[0]
    assert shown["message"]["usage"]["input_tokens"] == (usage.in_fresh if usage else 0)
    assert shown["message"]["usage"]["cache_read_input_tokens"] == (usage.in_cache_read if usage else 0)


def test_the_reason_of_an_end_is_kept_beside_the_calls() -> None:
    body = sse(chunk(delta={"tool_calls": [CALLED]}), chunk(delta={}, finish_reason="length")) + DONE
    assert [event.reason for event in events_of(OPENAI, [body]) if isinstance(event, Finish)] == ["length"]


LOSSES: list[tuple[UpstreamCodec, dict[str, Any], set[str]]] = [
    (
        OPENAI,
        {
            "choices": [{"message": {"content": "x", "executed_tools": [{}]}, "finish_reason": "stop"}],
            "citations": ["https://a"],
            "system_fingerprint": "fp",
        },
        {"unshown:citations", "unshown:executed_tools"},
    ),
    (ANTHROPIC, {"content": [], "container": {"id": "c"}, "stop_details": None}, {"unshown:container"}),
    (BEDROCK, {"output": {"message": {"content": []}}, "trace": {"guardrail": {}}}, {"unshown:trace"}),
    (COHERE, {"message": {"content": []}, "prompt": "p"}, {"unshown:prompt"}),
    (
        GEMINI,
        {
            "candidates": [
                {
                    "content": {"parts": [{"text": "x"}, {"executableCode": {"code": "1"}}]},
                    "groundingMetadata": {"searchEntryPoint": {"renderedContent": "<a>"}},
                }
            ]
        },
        {"unshown:searchEntryPoint", "unshown:content.executable_code"},
    ),
    (
        RESPONSES,
        {"output": [{"type": "web_search_call", "id": "w"}], "status": "completed"},
        {"unshown:content.web_search_call"},
    ),
]


@pytest.mark.parametrize(("codec", "body", "lost"), LOSSES)
def test_what_an_answer_loses_is_named(codec: UpstreamCodec, body: dict[str, Any], lost: set[str]) -> None:
    assert set(unshown(codec.read_reply(json.dumps(body).encode()), "openai_chat")) == lost


@pytest.mark.parametrize(
    ("codec", "stream", "lost"),
    [
        (
            ANTHROPIC,
            sse({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use"}}),
            "unshown:content.server_tool_use",
        ),
        (
            RESPONSES,
            sse({"type": "response.output_item.done", "item": {"type": "mcp_call"}}),
            "unshown:content.mcp_call",
        ),
        (
            GEMINI,
            sse({"candidates": [{"content": {"parts": [{"executableCode": {"code": "1"}}]}}]}),
            "unshown:content.executable_code",
        ),
    ],
)
def test_what_a_stream_loses_is_named(codec: UpstreamCodec, stream: bytes, lost: str) -> None:
    sink = ANTHROPIC if codec is not ANTHROPIC else OPENAI
    relay = open_relay(codec, sink, head_for(sink), STANDARD)
    relay.feed(stream)
    assert list(relay.unshown()) == [lost]
