"""Replies and streams of Cohere: text, plan, thinking, calls, citations, usage, ends and errors."""

import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    Citation,
    CitationSeen,
    Finish,
    LogprobsSeen,
    StreamEnd,
    StreamFault,
    ThinkingDelta,
    TokenLogprob,
    UsageSeen,
)
from sternpost.contracts.message import ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.cohere.usage import read_usage
from sternpost.dialects.framing.assemble import read_stream_reply
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, events_of, fixture, text_of, tools_of

COHERE = UPSTREAM_CODECS["cohere"]
USAGE = Usage(in_fresh=9, in_cache_read=8, out_text=12)  # 17 billed, of which 8 came from the cache
CITED = Citation("Sternpost", "https://example.com/w", "Drums turn slowly.", "doc:0", 0, 10)


def test_a_whole_reply_is_read() -> None:
    reply = COHERE.read_reply(fixture("cohere/reply.json"))
    (message,) = reply.choices
    assert message.parts == (
        ReasoningPart("The report says so."),
        TextPart("Drums turn slowly — très lent."),
    )
    assert message.finish_reason == "end"
    assert reply.usage == USAGE
    assert reply.citations == (CITED,)
    assert reply.logprobs == ((TokenLogprob("Drums", -0.75, token_bytes=b"Drums"),),)


def test_a_stream_says_what_the_whole_reply_says() -> None:
    whole = COHERE.read_reply(fixture("cohere/reply.json"))
    streamed = read_stream_reply(COHERE, fixture("cohere/text.sse"))
    assert streamed is not None
    assert (streamed.choices, streamed.usage, streamed.id) == (whole.choices, whole.usage, whole.id)
    events = events_of(COHERE, [fixture("cohere/text.sse")])
    assert [e.citation for e in events if isinstance(e, CitationSeen)] == [CITED]
    assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "The report says so."
    assert isinstance(events[-1], StreamEnd)


def test_the_plan_is_text_before_the_calls() -> None:
    events = events_of(COHERE, [fixture("cohere/tools.sse")])
    assert text_of(events) == "I will ask for both cities."
    assert tools_of(events) == {
        0: ("get_weather_1byjy32y4hvq", "get_weather", '{\n    "city": "Tōkyō"\n}'),
        1: ("get_weather_66nr65cc7shh", "get_weather", '{"city": "Paris"}'),
    }
    assert [e.reason for e in events if isinstance(e, Finish)] == ["tool"]


def test_text_behind_a_plan_is_cited_where_it_stands() -> None:
    citation = {"start": 1, "end": 3, "text": "bc", "sources": [{"type": "tool", "id": "t:0"}]}
    message = {"tool_plan": "plan", "content": [{"type": "text", "text": "abc"}], "citations": [citation]}
    reply = COHERE.read_reply(json.dumps({"message": message, "finish_reason": "COMPLETE"}).encode())
    assert reply.citations == (Citation(document="t:0", start=5, end=7),)


def test_citations_of_thinking_have_no_place_in_the_text() -> None:
    citation = {"start": 1, "end": 3, "type": "PLAN", "sources": []}
    message = {"tool_plan": "plan", "citations": [citation]}
    reply = COHERE.read_reply(json.dumps({"message": message, "finish_reason": "TOOL_CALL"}).encode())
    assert reply.citations == (Citation(),)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("COMPLETE", "end"),
        ("STOP_SEQUENCE", "stop_sequence"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool"),
        ("ERROR_TOXIC", "filtered"),
        ("SOMETHING_NEW", "unknown"),
    ],
)
def test_finish_reasons(said: str, expected: str) -> None:
    body = json.dumps({"id": "i", "message": {"content": "hi"}, "finish_reason": said}).encode()
    assert COHERE.read_reply(body).choices[0].finish_reason == expected
    assert COHERE.summarise(body, STANDARD).finish_reasons == (said,)


@pytest.mark.parametrize(("said", "status"), [("ERROR", 502), ("TIMEOUT", 504)])
def test_a_reply_that_ended_in_an_error_is_none(said: str, status: int) -> None:
    body = {"id": "i", "message": {"content": "hi"}, "finish_reason": said}
    with pytest.raises(BadRequest):
        COHERE.read_reply(json.dumps(body).encode())
    end = {"type": "message-end", "delta": {"finish_reason": said}}
    (*_, fault) = events_of(COHERE, [f"data: {json.dumps(end)}\n\n".encode()])
    assert isinstance(fault, StreamFault)
    assert fault.status == status


def test_an_error_at_the_end_of_a_stream_is_no_end_and_tells_no_key() -> None:
    events = events_of(COHERE, [fixture("cohere/failed.sse")])
    assert not [e for e in events if isinstance(e, StreamEnd | Finish)]
    fault = events[-1]
    assert isinstance(fault, StreamFault)
    assert "interrupted" in fault.message
    assert "secret" not in fault.message


def test_a_stream_without_its_end_is_not_complete() -> None:
    body = fixture("cohere/text.sse")
    events = events_of(COHERE, [body[: body.index(b"event: message-end")]])
    assert not [e for e in events if isinstance(e, StreamEnd)]


def test_unknown_events_are_skipped_and_broken_ones_are_not() -> None:
    assert events_of(COHERE, [b'data: {"type":"debug","prompt":"p"}\n\n']) == []
    for broken in (b'data: {"type":\n\n', b'data: {"type":"content-delta","delta":7}\n\n'):
        assert isinstance(events_of(COHERE, [broken])[-1], StreamFault)


def test_logprobs_come_with_their_text() -> None:
    delta = {"message": {"content": {"text": "Hi"}}}
    item = {"text": "Hi", "token_ids": [1], "logprobs": [-0.5]}
    event = {"type": "content-delta", "index": 0, "delta": delta, "logprobs": item}
    events = events_of(COHERE, [f"data: {json.dumps(event)}\n\n".encode()])
    assert LogprobsSeen((TokenLogprob("Hi", -0.5, token_bytes=b"Hi"),)) in events


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"billed_units": {"input_tokens": 5, "output_tokens": 7}}, Usage(in_fresh=5, out_text=7)),
        (
            {"billed_units": {"input_tokens": 5.0, "output_tokens": 7.0}, "tokens": {"input_tokens": 71}},
            Usage(in_fresh=5, out_text=7),
        ),
        ({"tokens": {"input_tokens": 71, "output_tokens": 7}}, Usage(in_fresh=71, out_text=7)),
        (
            {"billed_units": {"input_tokens": 5, "output_tokens": 7}, "cached_tokens": 60},
            Usage(in_fresh=5, out_text=7),  # of the instructions, which are not billed
        ),
        (
            {"billed_units": {"output_tokens": 9}, "tokens": {"output_tokens": 7}},
            Usage(out_text=9, is_mismatch=True),
        ),
        ({"billed_units": {"search_units": 2}}, Usage(units={"search_units": 2})),
        (
            {"billed_units": {"input_tokens": 5, "image_tokens": 9, "images": 1}},
            Usage(in_fresh=5, in_image=9),
        ),
        ({"billed_units": {"images": 2}}, Usage(units={"images": 2})),
        ({"billed_units": {"input_tokens": True, "output_tokens": -3}}, Usage(is_mismatch=True)),
        (
            {"billed_units": {"input_tokens": None}, "tokens": {"input_tokens": 71, "output_tokens": 7}},
            Usage(in_fresh=71, out_text=7),
        ),
        ({"billed_units": {"input_tokens": None}, "tokens": {"input_tokens": None}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_usage_is_what_is_billed(given: Any, expected: Usage | None) -> None:
    assert read_usage(given) == expected


def test_usage_of_a_stream_is_seen_before_its_end() -> None:
    events = events_of(COHERE, [fixture("cohere/tools.sse")])
    assert [e.usage for e in events if isinstance(e, UsageSeen)] == [Usage(in_fresh=37, out_text=28)]


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "invalid request: all elements in tools must have a name", "bad_request"),
        (400, "too many tokens: size limit exceeded by 11326 tokens.", "context_too_long"),
        (401, "invalid api token", "auth"),
        (404, "model 'x' not found, make sure the correct model ID was used", "not_found"),
        (422, "invalid type", "bad_request"),
        (429, "You are using a Trial key, which is limited to 1000 API calls / month.", "quota"),
        (429, "You are using a Trial key, which is limited to 40 API calls / minute.", "rate_limited"),
        (498, "your text contains a blocked word", "policy"),
        (500, "internal server error", "server"),
        (503, "service unavailable", "overloaded"),
    ],
)
def test_failures_are_classed(status: int, message: str, kind: str) -> None:
    failure = COHERE.read_failure(status, {}, json.dumps({"id": "i", "message": message}).encode(), 0.0)
    assert (failure.kind, failure.message) == (kind, message)


@pytest.mark.parametrize("caller", [OPENAI, ANTHROPIC], ids=lambda codec: codec.name)
def test_a_turn_comes_back_as_it_was_said(caller: Any) -> None:
    """What Cohere said, shown to a caller and sent back by it, is what Cohere said."""
    said = {
        "role": "assistant",
        "tool_plan": "I will look.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Paris"}'}}
        ],
    }
    reply = COHERE.read_reply(json.dumps({"id": "i", "message": said, "finish_reason": "TOOL_CALL"}).encode())
    shown = json.loads(caller.write_reply(reply))
    turn = shown["choices"][0]["message"] if caller is OPENAI else {k: shown[k] for k in ("role", "content")}
    result: dict[str, Any] = {"role": "tool", "tool_call_id": "c1", "content": "{}"}
    if caller is ANTHROPIC:
        block = {"type": "tool_result", "tool_use_id": "c1", "content": "{}"}
        result = {"role": "user", "content": [block]}
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}, turn, result]}
    again = COHERE.write_request(caller.read_request(json.dumps(body).encode()), quirks=STANDARD, facts=None)
    assert json.loads(again.body)["messages"][1] == said
    assert any(isinstance(part, ToolCallPart) for part in reply.choices[0].parts)
