import json

import pytest

from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.framing.relay import open_relay
from tests.support import event_stream as wire
from tests.unit.dialects.wire import (
    ANTHROPIC,
    BEDROCK,
    OPENAI,
    RESPONSES,
    anthropic_head,
    events_of,
    fixture,
    head_for,
    openai_head,
    payloads,
    pump,
    tools_of,
)


def test_one_dialect_on_both_sides_passes_frames_and_withholds_the_end() -> None:
    body = fixture("anthropic_text.sse")
    relay = open_relay(ANTHROPIC, ANTHROPIC, anthropic_head(), STANDARD)
    sent = relay.feed(body) + relay.finish()
    assert b"message_stop" not in sent
    assert sent + relay.closing() == body


def test_the_terminal_frames_of_a_crossing_come_only_with_closing() -> None:
    relay = open_relay(OPENAI, ANTHROPIC, anthropic_head(), STANDARD)
    sent = relay.feed(fixture("openai_text.sse")) + relay.finish()
    assert relay.is_complete
    assert b"message_delta" not in sent
    assert [event["type"] for event in payloads(relay.closing())] == ["message_delta", "message_stop"]


def test_content_is_seen_only_when_text_thinking_or_a_tool_arrives() -> None:
    body = fixture("anthropic_text.sse")
    first_text = body.index(b"event: content_block_delta")
    relay = open_relay(ANTHROPIC, OPENAI, openai_head(), STANDARD)
    relay.feed(body[:first_text])
    assert not relay.has_content
    relay.feed(body[first_text:])
    assert relay.has_content


def test_an_error_inside_the_stream_becomes_a_fault_and_is_not_forwarded() -> None:
    body = fixture("anthropic_overloaded.sse")
    for sink, head in ((ANTHROPIC, anthropic_head()), (OPENAI, openai_head())):
        relay = open_relay(ANTHROPIC, sink, head, STANDARD)
        sent = relay.feed(body) + relay.finish()
        assert relay.fault is not None
        assert (relay.fault.error_type, relay.fault.message) == ("overloaded_error", "Overloaded")
        assert not relay.is_complete
        assert b"Hel" in sent
        assert b"verloaded" not in sent


@pytest.mark.parametrize("name", ["openai_parallel_tools.sse", "deepseek_thinking.sse", "openai_text.sse"])
def test_blocks_never_interleave_when_openai_goes_to_an_anthropic_caller(name: str) -> None:
    sent = pump(open_relay(OPENAI, ANTHROPIC, anthropic_head(), STANDARD), [fixture(name)])
    open_index: int | None = None
    seen = 0
    for event in payloads(sent):
        if event["type"] == "content_block_start":
            assert (open_index, event["index"]) == (None, seen)
            open_index, seen = seen, seen + 1
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_index
        elif event["type"] == "content_block_stop":
            assert event["index"] == open_index
            open_index = None
    assert (open_index, seen > 0) == (None, True)


def test_interleaved_tools_arrive_whole_at_an_anthropic_caller() -> None:
    relay = open_relay(OPENAI, ANTHROPIC, anthropic_head(), STANDARD)
    sent = pump(relay, [fixture("openai_parallel_tools.sse")])
    assert tools_of(events_of(ANTHROPIC, [sent])) == {
        0: ("call_a", "get_weather", '{"city": "Ulm"}'),
        1: ("call_b", "get_time", '{"zone": "UTC"}'),
        2: ("call_c", "ping", "{}"),
    }


def test_a_renamed_tool_has_the_callers_name_again() -> None:
    relay = open_relay(OPENAI, ANTHROPIC, anthropic_head(), STANDARD, renamed_tools={"ping": "net.ping"})
    sent = pump(relay, [fixture("openai_parallel_tools.sse")])
    assert tools_of(events_of(ANTHROPIC, [sent]))[2] == ("call_c", "net.ping", "{}")


def test_usage_crosses_into_the_callers_own_counting() -> None:
    sent = pump(open_relay(OPENAI, ANTHROPIC, anthropic_head(), STANDARD), [fixture("openai_text.sse")])
    usage = next(event["usage"] for event in payloads(sent) if event["type"] == "message_delta")
    # 20 prompt tokens of which 8 were cached; 10 completion tokens, 4 of them reasoning
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (12, 8, 10)


@pytest.mark.parametrize("wants_usage", [True, False])
def test_the_tier_that_served_crosses_in_a_stream(wants_usage: bool) -> None:
    head = head_for(OPENAI, wants_usage=wants_usage)
    sent = pump(open_relay(RESPONSES, OPENAI, head, STANDARD), [fixture("responses_text.sse")])
    assert payloads(sent)[-1]["service_tier"] == "default"


def test_usage_of_a_failed_response_crosses_with_its_failure() -> None:
    counts = {"input_tokens": 20, "output_tokens": 10, "total_tokens": 30}
    failed = {"status": "failed", "usage": counts, "error": {"code": "server_error", "message": "No."}}
    frame = b"data: " + json.dumps({"type": "response.failed", "response": failed}).encode() + b"\n\n"
    for sink in (OPENAI, ANTHROPIC, RESPONSES):
        relay = open_relay(RESPONSES, sink, head_for(sink), STANDARD)
        relay.feed(frame)
        assert relay.fault is not None
        assert relay.summary().usage == Usage(in_fresh=20, out_text=10)


def test_signed_thinking_crosses_whole_so_that_it_can_be_replayed() -> None:
    sent = pump(
        open_relay(ANTHROPIC, OPENAI, openai_head(), STANDARD), [fixture("anthropic_thinking_tools.sse")]
    )
    deltas = [choice["delta"] for chunk in payloads(sent) for choice in chunk["choices"]]
    assert [block for delta in deltas for block in delta.get("thinking_blocks", ())] == [
        {"index": 0, "type": "thinking", "thinking": "Look up both.", "signature": "EqQBCgIYAhIM+/=="},
        {"index": 1, "type": "redacted_thinking", "data": "EmwKAhgB"},
    ]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Look up both."


def test_an_openai_caller_sees_the_time_of_the_call_and_usage_only_when_asked() -> None:
    body = fixture("anthropic_text.sse")
    silent = pump(open_relay(ANTHROPIC, OPENAI, openai_head(), STANDARD, created_s=7), [body])
    assert {chunk["created"] for chunk in payloads(silent)} == {7}
    assert not any("usage" in chunk for chunk in payloads(silent))
    asked = openai_head(stream_options={"include_usage": True})
    last = payloads(pump(open_relay(ANTHROPIC, OPENAI, asked, STANDARD), [body]))[-1]
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 155  # 25 fresh + 30 written + 100 read
    assert json.dumps(last["usage"]["total_tokens"]) == "170"


@pytest.mark.parametrize("pieces", [[], [""]])
def test_a_streamed_call_without_arguments_has_an_empty_object_like_a_whole_one(pieces: list[str]) -> None:
    """Callers of OpenAI's dialects parse what they gathered, and "" is no JSON."""
    start = {"type": "tool_use", "id": "t1", "name": "now", "input": {}}
    claude = b"".join(
        b"data: " + json.dumps(event).encode() + b"\n\n"
        for event in (
            {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": 1}}},
            {"type": "content_block_start", "index": 1, "content_block": start},
            *(
                {
                    "type": "content_block_delta",
                    "index": 1,
                    "delta": {"type": "input_json_delta", "partial_json": piece},
                }
                for piece in pieces
            ),
            {"type": "content_block_stop", "index": 1},
        )
    )
    converse = wire.stream(
        (
            "contentBlockStart",
            {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "now"}}},
        ),
        *(
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": piece}}})
            for piece in pieces
        ),
        ("contentBlockStop", {"contentBlockIndex": 1}),
    )
    assert tools_of(events_of(ANTHROPIC, [claude])) == {0: ("t1", "now", "{}")}
    assert tools_of(events_of(BEDROCK, [converse])) == {0: ("t1", "now", "{}")}
