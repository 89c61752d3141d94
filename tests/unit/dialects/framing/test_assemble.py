import json

from sternpost.contracts.message import ReasoningPart, TextPart, ToolCallPart
from sternpost.dialects.framing.assemble import read_stream_reply
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, fixture


def test_a_recorded_stream_with_thinking_and_tools_reads_as_one_reply() -> None:
    reply = read_stream_reply(ANTHROPIC, fixture("anthropic_thinking_tools.sse"))
    assert reply is not None
    assert reply.choices[0].parts == (
        ReasoningPart("Look up both.", signature="EqQBCgIYAhIM+/=="),
        ReasoningPart(encrypted_content="EmwKAhgB"),
        TextPart("Checking."),
        ToolCallPart("get_weather", '{"city": "Ulm"}', "toolu_a"),
        ToolCallPart("ping", "{}", "toolu_b"),
    )
    assert reply.choices[0].finish_reason == "tool"
    assert reply.usage is not None
    assert (reply.usage.in_fresh, reply.usage.out_text) == (40, 89)


def test_interleaved_tool_calls_are_put_together_by_their_index() -> None:
    reply = read_stream_reply(OPENAI, fixture("openai_parallel_tools.sse"))
    assert reply is not None
    assert reply.choices[0].parts == (
        ToolCallPart("get_weather", '{"city": "Ulm"}', "call_a"),
        ToolCallPart("get_time", '{"zone": "UTC"}', "call_b"),
        ToolCallPart("ping", "", "call_c"),
    )
    assert reply.created_s == 1_700_000_000


def test_two_signed_thoughts_in_a_row_stay_two() -> None:
    deltas = [
        {"type": kind, kind.removesuffix("_delta"): text}
        for kind, text in [
            ("thinking_delta", "a"),
            ("signature_delta", "s1"),
            ("thinking_delta", "b"),
            ("signature_delta", "s2"),
        ]
    ]
    start = {"type": "message_start", "message": {"id": "i"}}
    events = [start, *({"type": "content_block_delta", "delta": delta} for delta in deltas)]
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    reply = read_stream_reply(ANTHROPIC, body)
    assert reply is not None
    assert reply.choices[0].parts == (
        ReasoningPart("a", signature="s1"),
        ReasoningPart("b", signature="s2"),
    )


def test_several_choices_of_one_stream_stay_apart() -> None:
    chunks = [
        {"id": "c", "model": "m", "choices": [{"index": index, "delta": {"content": text}}]}
        for index, text in [(0, "a"), (1, "x"), (0, "b"), (1, "y")]
    ]
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    reply = read_stream_reply(OPENAI, body)
    assert reply is not None
    assert [choice.parts for choice in reply.choices] == [(TextPart("ab"),), (TextPart("xy"),)]


def test_a_cut_stream_gives_what_arrived_without_finish_and_usage() -> None:
    body = fixture("openai_text.sse")
    reply = read_stream_reply(OPENAI, body[: body.index(b'"stop"')])
    assert reply is not None
    assert reply.choices[0].parts == (TextPart("Grüße 🌍\n\nworld"),)
    assert (reply.choices[0].finish_reason, reply.usage) == ("", None)


def test_bytes_that_are_no_stream_give_nothing() -> None:
    assert read_stream_reply(OPENAI, b"<html>502</html>") is None
    assert read_stream_reply(ANTHROPIC, b"") is None
