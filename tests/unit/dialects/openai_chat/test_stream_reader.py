import json
from typing import Any

from sternpost.contracts.chat import (
    Finish,
    RefusalDelta,
    StreamEnd,
    StreamFault,
    TextDelta,
    ThinkingDelta,
    UsageSeen,
)
from tests.unit.dialects.wire import OPENAI, events_of, fixture, text_of, tools_of


def _stream(*choices: dict[str, Any]) -> bytes:
    chunks = [{"id": "c1", "model": "m", "choices": [{"index": 0} | choice]} for choice in choices]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def _tools(*pieces: dict[str, Any]) -> dict[int, tuple[str, str, str]]:
    body = _stream(*({"delta": {"tool_calls": [piece]}} for piece in pieces))
    return tools_of(events_of(OPENAI, [body]))


def test_interleaved_tool_calls_are_kept_apart_by_index() -> None:
    assert tools_of(events_of(OPENAI, [fixture("openai_parallel_tools.sse")])) == {
        0: ("call_a", "get_weather", '{"city": "Ulm"}'),
        1: ("call_b", "get_time", '{"zone": "UTC"}'),
        2: ("call_c", "ping", ""),
    }


def test_hosts_that_repeat_id_and_name_or_leave_out_the_index_are_read() -> None:
    repeated = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "x"}}
    assert _tools(repeated, repeated) == {0: ("a", "f", "xx")}
    assert _tools(
        {"id": "a", "function": {"name": "f", "arguments": "1"}},
        {"function": {"arguments": "2"}},
        {"id": "b", "function": {"name": "g", "arguments": "3"}},
    ) == {0: ("a", "f", "12"), 1: ("b", "g", "3")}


def test_calls_that_a_host_all_numbers_zero_are_kept_apart_by_their_ids() -> None:
    first = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}
    second = {"index": 0, "id": "b", "function": {"name": "f", "arguments": {"y": 2}}}
    more = {"index": 0, "id": "made-up", "function": {"arguments": "}"}}
    assert _tools(first, more, second) == {0: ("a", "f", "{}"), 1: ("b", "f", '{"y":2}')}


def test_arguments_before_the_name_wait_and_a_missing_id_is_made_up() -> None:
    early = {"index": 0, "function": {"arguments": "1"}}
    assert _tools(early, {"index": 0, "function": {"name": "f", "arguments": "2"}}) == {
        0: ("call_c1_0", "f", "12")
    }


def test_thinking_is_read_from_all_spellings() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "c"}]}, {"type": "text", "text": "d"}]
    body = _stream(
        {"delta": {"reasoning_content": "a"}}, {"delta": {"reasoning": "b"}}, {"delta": {"content": parts}}
    )
    events = events_of(OPENAI, [body])
    assert [e.text for e in events if isinstance(e, ThinkingDelta)] == ["a", "b", "c"]
    assert text_of(events) == "d"


def test_deepseek_thinking_text_and_cache_counts_are_read_over_crlf() -> None:
    events = events_of(OPENAI, [fixture("deepseek_thinking.sse")])
    usage = [event.usage for event in events if isinstance(event, UsageSeen)][-1]
    assert [type(event) for event in events[1:4]] == [ThinkingDelta, TextDelta, Finish]
    assert (usage.in_fresh, usage.in_cache_read, usage.out_text, usage.out_reasoning) == (8, 4, 3, 6)
    assert isinstance(events[-1], StreamEnd)


def test_stop_after_tool_calls_means_tool_and_a_new_reason_is_unknown() -> None:
    call = {"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}}
    finish = [
        e for e in events_of(OPENAI, [_stream(call, {"finish_reason": "stop"})]) if isinstance(e, Finish)
    ]
    assert finish == [Finish("tool")]
    assert Finish("unknown") in events_of(OPENAI, [_stream({"finish_reason": "brand_new"})])


def test_a_repeated_finish_is_told_once() -> None:
    body = _stream({"finish_reason": "length"}, {"finish_reason": "length"})
    assert [e for e in events_of(OPENAI, [body]) if isinstance(e, Finish)] == [Finish("length")]


def test_refusals_are_events_of_their_own() -> None:
    assert RefusalDelta("no") in events_of(OPENAI, [_stream({"delta": {"refusal": "no"}})])


def test_a_frame_of_unknown_shape_is_a_fault_since_its_tokens_would_be_lost() -> None:
    events = events_of(OPENAI, [_stream({"delta": {"content": 5}}, {"delta": {"content": "late"}})])
    assert [type(event) for event in events] == [StreamFault]
