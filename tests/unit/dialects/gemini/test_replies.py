"""Answers of Gemini, whole and streamed, in the words of its documentation."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    Citation,
    Finish,
    LogprobsSeen,
    MediaSeen,
    SafetyResult,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamFault,
    ThinkingSignature,
    TokenLogprob,
    UsageSeen,
)
from sternpost.contracts.message import BlobPart, ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.gemini.signatures import seal
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC, FIXTURES, OPENAI, RESPONSES, head_for, pump, text_of, tools_of

GEMINI = UPSTREAM_CODECS["gemini"]
FOLDER: Path = FIXTURES / "gemini"
STREAMS = sorted(path.name for path in FOLDER.glob("*.sse"))
WHOLE_STREAMS = [name for name in STREAMS if not name.endswith("_error.sse")]
EVERY_BUCKET = Usage(
    in_fresh=1000
    - 400
    - 258
    - 92
    + 50,  # prompt - cached - image - audio that was not cached + tools' prompts
    in_cache_read=400,
    in_audio=192 - 100,
    in_image=258,
    out_text=1300 - 1290,
    out_reasoning=60,
    out_image=1290,
    units={"web_search": 2},
)


def fixture(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def events_of(chunks: list[bytes]) -> list[StreamEvent]:
    reader = GEMINI.open_reader(STANDARD)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.finish()]


def reply_of(**fields: Any) -> bytes:
    return json.dumps({"responseId": "r1", "modelVersion": "gemini-3.8-flash", **fields}).encode()


def candidate(*parts: Any, finish: str = "STOP") -> Any:
    return {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}


def test_a_whole_answer_is_read_with_all_that_stands_beside_it() -> None:
    reply = GEMINI.read_reply(fixture("reply.json"))
    text = "Über Winden: a forklift lifts."
    assert (reply.id, reply.model) == ("oQitaKrS", "gemini-3.1-flash-image")
    assert reply.choices[0].parts == (
        ReasoningPart("Thinking it over."),
        TextPart(text),
        ReasoningPart(signature=seal("=text", "EpwC")),
        BlobPart("image", "iVBORw0KGgo=", "image/png"),
    )
    assert reply.choices[0].finish_reason == "end"
    assert reply.usage == EVERY_BUCKET
    top = (TokenLogprob("Über", -0.25, (), "Über".encode()), TokenLogprob("Ab", -1.5, (), b"Ab"))
    assert reply.logprobs == ((TokenLogprob("Über", -0.25, top, "Über".encode()),),)
    assert reply.safety == (SafetyResult("HARM_CATEGORY_HARASSMENT", "NEGLIGIBLE"),)
    found, recited = reply.citations
    assert (found.title, found.url, found.cited_text) == (
        "Sternpost",
        "https://example.org/w",
        "a forklift lifts.",
    )
    assert text[found.start : found.end] == "a forklift lifts."  # Google counts bytes
    assert recited == Citation(url="https://example.org/a", start=0, end=4)


def test_a_summary_is_what_the_whole_reply_says() -> None:
    summary = GEMINI.summarise(fixture("reply.json"), STANDARD)
    assert summary.usage == EVERY_BUCKET
    assert (summary.id, summary.model, summary.finish_reasons) == (
        "oQitaKrS", "gemini-3.1-flash-image", ("STOP",)
    )  # fmt: skip
    assert GEMINI.summarise(b"<html>", STANDARD).usage is None


def test_calls_without_ids_get_the_same_ids_whole_and_streamed() -> None:
    calls = [{"functionCall": {"name": "weather", "args": {"city": city}}} for city in ("Paris", "Rome")]
    body = reply_of(candidates=[candidate(*calls)])
    parts = [p for p in GEMINI.read_reply(body).choices[0].parts if isinstance(p, ToolCallPart)]
    split = [reply_of(candidates=[{"content": {"parts": [call]}}]) for call in calls]
    streamed = tools_of(events_of([b"data: " + chunk + b"\n\n" for chunk in split]))
    assert [part.id for part in parts] == [streamed[0][0], streamed[1][0]]
    assert len({part.id for part in parts}) == 2
    other = reply_of(candidates=[candidate(*calls)]).replace(b'"r1"', b'"r2"')
    assert GEMINI.read_reply(other).choices[0].parts[0] != parts[0]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "end"), ("MAX_TOKENS", "length"), ("SAFETY", "filtered"), ("RECITATION", "filtered"),
        ("SPII", "filtered"), ("IMAGE_SAFETY", "filtered"), ("MALFORMED_FUNCTION_CALL", "malformed_tool"),
        ("UNEXPECTED_TOOL_CALL", "malformed_tool"), ("OTHER", "unknown"), ("SOMETHING_NEW", "unknown"),
    ],
)  # fmt: skip
def test_every_reason_to_stop_is_known_or_unknown(raw: str, reason: str) -> None:
    body = reply_of(candidates=[candidate({"text": "a"}, finish=raw)])
    assert GEMINI.read_reply(body).choices[0].finish_reason == reason
    events = events_of([b"data: " + body + b"\n\n"])
    assert [event.reason for event in events if isinstance(event, Finish)] == [reason]


def test_a_call_ends_with_the_reason_of_a_call() -> None:
    body = reply_of(candidates=[candidate({"functionCall": {"name": "now", "args": {}}})])
    assert GEMINI.read_reply(body).choices[0].finish_reason == "tool"


@pytest.mark.parametrize("call", [{"name": "now"}, {"name": "now", "args": None}])
def test_a_call_without_arguments_has_an_object_of_none(call: dict[str, Any]) -> None:
    body = reply_of(candidates=[candidate({"functionCall": call})])
    (part,) = GEMINI.read_reply(body).choices[0].parts
    assert isinstance(part, ToolCallPart)
    assert part.arguments == "{}"


def test_several_candidates_are_several_choices() -> None:
    both = [{**candidate({"text": text}), "index": index} for index, text in ((1, "b"), (0, "a"))]
    reply = GEMINI.read_reply(reply_of(candidates=both))
    assert [choice.parts for choice in reply.choices] == [(TextPart("a"),), (TextPart("b"),)]


def test_a_blocked_prompt_is_filtered_whole_and_streamed() -> None:
    stream = fixture("blocked.sse")
    reply = GEMINI.read_reply(stream.removeprefix(b"data: ").strip())
    assert (reply.choices[0].parts, reply.choices[0].finish_reason) == ((), "filtered")
    assert [result.category for result in reply.safety if result.is_prompt and result.is_blocked] == [
        "HARM_CATEGORY_HARASSMENT", "PROHIBITED_CONTENT",
    ]  # fmt: skip
    events = events_of([stream])
    assert [event for event in events if isinstance(event, Finish)] == [Finish("filtered")]
    assert isinstance(events[-1], StreamEnd)
    assert any(isinstance(event, SafetySeen) for event in events)


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b"[]", b'{"candidates": "x"}', b'{"error": {"code": 500}}']
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        GEMINI.read_reply(body)


def test_a_stream_of_thoughts_and_calls_reads_in_order() -> None:
    events = events_of([fixture("thinking_tools.sse")])
    assert tools_of(events) == {
        0: ("8f2b1a3c", "weather", '{"city": "Paris"}'),
        1: ("9c0d4e5f", "weather", '{"city": "Rome", "days": [1, 2.5]}'),
    }
    assert ThinkingSignature(seal("8f2b1a3c", "EtsBCtgB")) in events
    assert [event.usage for event in events if isinstance(event, UsageSeen)] == [
        Usage(in_fresh=8, out_text=28, out_reasoning=20)  # the last one, never a sum
    ]
    assert [event.reason for event in events if isinstance(event, Finish)] == ["tool"]


def test_a_stream_shows_pictures_and_log_probs() -> None:
    events = events_of([b"data: " + json.dumps(json.loads(fixture("reply.json"))).encode() + b"\n\n"])
    assert MediaSeen(BlobPart("image", "iVBORw0KGgo=", "image/png")) in events
    assert any(isinstance(event, LogprobsSeen) and event.tokens[0].token == "Über" for event in events)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_split_at_every_byte_reads_as_the_same_events(name: str) -> None:
    body = fixture(name)
    whole = events_of([body])
    for position in range(len(body) + 1):
        assert events_of([body[:position], body[position:]]) == whole, position


@pytest.mark.parametrize("name", WHOLE_STREAMS)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_change_no_event(name: str, line_end: bytes) -> None:
    body = fixture(name)
    other = body.replace(b"\r\n", line_end)
    assert events_of([other[i : i + 1] for i in range(len(other))]) == events_of([body])


@pytest.mark.parametrize("name", ["text.sse", "thinking_tools.sse"])
def test_a_stream_that_ends_without_a_reason_is_not_complete(name: str) -> None:
    frames = fixture(name).split(b"\r\n\r\n")[:-1]
    for kept, _ in pairwise(range(len(frames) + 1)):
        events = events_of([b"\r\n\r\n".join(frames[:kept]) + b"\r\n\r\n"])
        assert not any(isinstance(event, StreamEnd | Finish | StreamFault) for event in events)


@pytest.mark.parametrize("name", ["text.sse", "thinking_tools.sse"])
def test_a_cut_inside_a_frame_is_truncated_and_never_malformed(name: str) -> None:
    body = fixture(name).rstrip(b"\r\n")
    for end in range(0, len(body), 3):
        events = events_of([body[:end]])
        assert not any(isinstance(event, StreamEnd | StreamFault) for event in events), end


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b'data: {"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}\n\n', 503),
        (b'data: [{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]\n\n', 429),
        (b'data: {"candidates": [{"con\n\n', 502),
        (b'data: {"candidates": 7}\n\n', 502),
    ],
)
def test_an_error_inside_a_stream_ends_it(frame: bytes, status: int) -> None:
    events = events_of([fixture("text.sse").split(b"\r\n\r\n")[0] + b"\r\n\r\n", frame])
    fault = events[-1]
    assert isinstance(fault, StreamFault)
    assert fault.status == status


@pytest.mark.parametrize("name", ["text.sse", "thinking_tools.sse"])
@pytest.mark.parametrize("other", [OPENAI, ANTHROPIC, RESPONSES], ids=lambda codec: codec.name)
def test_a_stream_keeps_text_tools_finish_and_usage_in_every_dialect(name: str, other: Any) -> None:
    body = fixture(name)
    relay = open_relay(GEMINI, other, head_for(other), STANDARD)
    shown = pump(relay, [body])
    reader = other.open_reader(STANDARD)
    last = [*reader.feed(shown), *reader.finish()]
    first = events_of([body])
    assert relay.is_complete
    assert text_of(last) == text_of(first)
    assert tools_of(last) == tools_of(first)
    assert [e.reason for e in last if isinstance(e, Finish)] == [
        e.reason for e in first if isinstance(e, Finish)
    ]
    sums = [
        (usage.in_fresh + usage.in_cache_read, usage.out_text + usage.out_reasoning)
        for events in (first, last)
        for usage in [[event.usage for event in events if isinstance(event, UsageSeen)][-1]]
    ]
    assert sums[0] == sums[1]
    assert relay.summary().signatures == (
        {} if name == "text.sse" else {"8f2b1a3c": seal("8f2b1a3c", "EtsBCtgB")}
    )
