"""Bedrock's streams as events: blocks without a start, exceptions in the middle, and what is an end."""

import pytest

from sternpost.contracts.chat import (
    Citation,
    CitationSeen,
    Finish,
    MediaSeen,
    RedactedThinking,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamFault,
    StreamStart,
    ThinkingDelta,
    ThinkingSignature,
    UsageSeen,
)
from sternpost.contracts.message import BlobPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.bedrock.names import REPLY_TOOL
from sternpost.dialects.framing.assemble import read_stream_reply
from tests.support import event_stream as wire
from tests.unit.dialects.wire import BEDROCK, bedrock_stream, events_of, text_of, tools_of

STREAMS = ("bedrock_text.json", "bedrock_thinking_tools.json")
USAGE = {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}


def read(*events: tuple[str, dict[str, object]]) -> list[StreamEvent]:
    return events_of(BEDROCK, [wire.stream(*events)])


def test_text_thinking_and_parallel_tools_are_read() -> None:
    events = events_of(BEDROCK, [bedrock_stream("bedrock_thinking_tools.json")])
    assert events[0] == StreamStart("", "")
    assert text_of(events) == "Zürich and Paris, then. 🌍"
    assert tools_of(events) == {
        0: ("tooluse_a1", "weather", '{"city": "Zürich"}'),
        1: ("tooluse_a2", "weather", '{"city": "Paris"}'),
    }
    assert (
        "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "The caller asks for two cities."
    )
    assert [e.signature for e in events if isinstance(e, ThinkingSignature)] == ["EqQBCgIYAhIM=="]
    assert [e.reason for e in events if isinstance(e, Finish)] == ["tool"]
    assert isinstance(events[-1], StreamEnd)


def test_usage_comes_behind_the_stop_in_buckets_that_never_overlap() -> None:
    events = events_of(BEDROCK, [bedrock_stream("bedrock_thinking_tools.json")])
    # 20 fresh + 1000 read + 600 written + 61 out = 1681, the stream's own total
    assert [e.usage for e in events if isinstance(e, UsageSeen)] == [
        Usage(
            in_fresh=20, in_cache_read=1000, in_cache_write_5m=200, in_cache_write_1h=400, out_text=61,
            service_tier="default",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_split_at_every_byte_reads_as_the_same_events(name: str) -> None:
    body = bedrock_stream(name)
    whole = events_of(BEDROCK, [body])
    for position in range(len(body) + 1):
        assert events_of(BEDROCK, [body[:position], body[position:]]) == whole, position
    assert events_of(BEDROCK, [body[i : i + 1] for i in range(len(body))]) == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_anywhere_has_neither_an_end_nor_a_fault(name: str) -> None:
    body = bedrock_stream(name)
    for end in range(len(body)):
        events = events_of(BEDROCK, [body[:end]])
        assert not any(isinstance(event, StreamEnd | StreamFault) for event in events), end


def test_a_stop_without_metadata_is_no_end() -> None:
    events = read(("messageStart", {"role": "assistant"}), ("messageStop", {"stopReason": "end_turn"}))
    assert not any(isinstance(event, StreamEnd) for event in events)


def test_metadata_before_the_stop_is_no_end() -> None:
    events = read(("metadata", USAGE), ("messageStop", {"stopReason": "end_turn"}))
    assert not any(isinstance(event, StreamEnd) for event in events)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("throttlingException", 429),
        ("serviceUnavailableException", 503),
        ("internalServerException", 502),
        ("modelStreamErrorException", 502),
        ("modelTimeoutException", 504),
        ("validationException", 400),
        ("someNewException", 502),
    ],
)
def test_an_exception_frame_is_a_fault_of_its_class(name: str, status: int) -> None:
    events = events_of(
        BEDROCK, [wire.event("messageStart", {"role": "assistant"}) + wire.exception(name, "no")]
    )
    assert events[-1] == StreamFault(name, "no", status)


def test_nothing_is_read_behind_a_fault() -> None:
    body = wire.exception("throttlingException", "no") + bedrock_stream("bedrock_text.json")
    events = events_of(BEDROCK, [body, body])
    assert [type(event) for event in events] == [StreamFault]


def test_an_error_frame_says_what_its_headers_say() -> None:
    assert events_of(BEDROCK, [wire.error("InternalError", "it broke")]) == [
        StreamFault("InternalError", "it broke", 502)
    ]


def test_a_wrong_checksum_is_a_fault_behind_what_was_right() -> None:
    start = wire.event("messageStart", {"role": "assistant"})
    events = events_of(BEDROCK, [start + wire.bad_sum(start)])
    assert isinstance(events[0], StreamStart)
    assert isinstance(events[1], StreamFault)
    assert "checksum" in events[1].message


@pytest.mark.parametrize("payload", [b"{no json", b'{"contentBlockIndex": "x"}'])
def test_a_frame_that_is_no_event_is_a_fault(payload: bytes) -> None:
    headers = wire.string_header(":event-type", "contentBlockDelta") + wire.string_header(
        ":message-type", "event"
    )
    events = events_of(BEDROCK, [wire.frame(headers, payload)])
    assert [type(event) for event in events] == [StreamFault]


def test_new_events_and_stop_reasons_are_no_fault() -> None:
    events = read(
        ("somethingNew", {"a": 1}), ("messageStop", {"stopReason": "brand_new"}), ("metadata", USAGE)
    )
    assert [e.reason for e in events if isinstance(e, Finish)] == ["unknown"]
    assert isinstance(events[-1], StreamEnd)


def test_redacted_thinking_in_pieces_is_one_sealed_block() -> None:
    pieces = [
        (
            "contentBlockDelta",
            {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": part}}},
        )
        for part in ("YWI=", "Yw==")
    ]
    assert read(*pieces, ("contentBlockStop", {"contentBlockIndex": 0})) == [RedactedThinking("YWJj")]


def test_the_tool_that_stands_for_the_reply_reads_as_its_text() -> None:
    events = read(
        (
            "contentBlockStart",
            {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": REPLY_TOOL}}},
        ),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"a":1}'}}}),
        ("messageStop", {"stopReason": "tool_use"}),
    )
    assert text_of(events) == '{"a":1}'
    assert [e.reason for e in events if isinstance(e, Finish)] == ["end"]


def test_citations_pictures_and_guardrails_are_seen() -> None:
    citation = {
        "title": "T",
        "sourceContent": [{"text": "s"}],
        "location": {"web": {"url": "https://a.example"}},
    }
    events = read(
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"citation": citation}}),
        ("contentBlockStart", {"contentBlockIndex": 1, "start": {"image": {"format": "jpeg"}}}),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"image": {"source": {"bytes": "aGk="}}}}),
        ("messageStop", {"stopReason": "guardrail_intervened"}),
    )
    assert events[0] == CitationSeen(Citation("T", "https://a.example", "s"))
    assert events[1] == MediaSeen(BlobPart("image", "aGk=", "image/jpeg"))
    assert isinstance(events[2], SafetySeen)
    assert events[2].results[0].is_blocked
    assert events[3] == Finish("filtered")


def test_the_stop_text_is_told_where_the_model_told_it() -> None:
    fields = {"stop_sequence": "END"}
    events = read(("messageStop", {"stopReason": "stop_sequence", "additionalModelResponseFields": fields}))
    assert events == [Finish("stop_sequence", "END")]


def test_a_record_of_a_stream_is_put_together_again() -> None:
    reply = read_stream_reply(BEDROCK, bedrock_stream("bedrock_text.json"), STANDARD)
    assert reply is not None
    assert reply.choices[0].parts[0].content == "A forklift lifts."  # type: ignore[union-attr]
    assert reply.usage == Usage(in_fresh=12, out_text=5)
