"""Streams of every dialect give the same bytes and events, however the network cuts them."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.contracts.chat import Finish, StreamEnd, StreamEvent, ThinkingDelta, UsageSeen
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.framing.assemble import read_stream_reply
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.framing.sse import FrameSplitter, payload_of, read_frame
from sternpost.dialects.protocols import Codec
from tests.unit.dialects.wire import (
    ANTHROPIC,
    OPENAI,
    RESPONSES,
    STREAMS,
    WHOLE_STREAMS,
    events_of,
    fixture,
    head_for,
    pump,
    text_of,
    tools_of,
)

every_stream = pytest.mark.parametrize(("name", "codec"), STREAMS)
every_whole_stream = pytest.mark.parametrize(("name", "codec"), WHOLE_STREAMS)
LINE_ENDS = (b"\n", b"\r\n", b"\r")


@every_stream
def test_a_stream_split_at_every_byte_reads_as_the_same_events(name: str, codec: Codec) -> None:
    body = fixture(name)
    whole = events_of(codec, [body])
    for position in range(len(body) + 1):
        assert events_of(codec, [body[:position], body[position:]]) == whole, position


@every_stream
def test_a_stream_split_at_every_byte_passes_as_the_same_bytes(name: str, codec: Codec) -> None:
    body = fixture(name)
    for wants_usage in (True, False):
        head = head_for(codec, wants_usage=wants_usage)
        whole = pump(codec.open_tap(head, STANDARD), [body])
        for position in range(len(body) + 1):
            split = pump(codec.open_tap(head, STANDARD), [body[:position], body[position:]])
            assert split == whole, position


@every_whole_stream
@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_line_ends_change_no_event_byte_by_byte(name: str, codec: Codec, line_end: bytes) -> None:
    body = fixture(name).replace(b"\r\n", b"\n")
    other = body.replace(b"\n", line_end)
    assert events_of(codec, [other[i : i + 1] for i in range(len(other))]) == events_of(codec, [body])


@every_whole_stream
def test_a_tap_passes_every_byte_when_the_caller_asked_for_usage(name: str, codec: Codec) -> None:
    body = fixture(name)
    relay = codec.open_tap(head_for(codec), STANDARD)
    passed = pump(relay, [body])
    assert relay.is_complete
    assert passed.replace(b"\r\n", b"\n") == body.replace(b"\r\n", b"\n")


@every_whole_stream
def test_a_stream_cut_anywhere_is_never_complete_and_never_malformed(name: str, codec: Codec) -> None:
    body = fixture(name).rstrip(b"\r\n")
    for end in range(len(body)):
        relay = codec.open_tap(head_for(codec), STANDARD)
        relay.feed(body[:end])
        relay.finish()
        assert not relay.is_complete, end
        assert relay.fault is None, end


@every_whole_stream
def test_a_record_cut_anywhere_still_reads_as_what_arrived(name: str, codec: Codec) -> None:
    body = fixture(name)
    whole = read_stream_reply(codec, body)
    assert whole is not None
    full_text = repr(whole.choices[0].parts)
    for end in range(0, len(body), 7):
        cut = read_stream_reply(codec, body[:end])
        for part in cut.choices[0].parts if cut else ():
            assert len(repr(part)) <= len(full_text)


def _calls(events: Sequence[StreamEvent]) -> dict[int, tuple[str, str, str]]:
    """Return the calls; one without arguments has `{}`, as OpenAI's callers are shown it."""
    return {at: (call_id, name, text or "{}") for at, (call_id, name, text) in tools_of(events).items()}


@every_whole_stream
@pytest.mark.parametrize("other", [ANTHROPIC, OPENAI, RESPONSES], ids=lambda codec: codec.name)
def test_crossing_there_and_back_keeps_text_tools_thinking_finish_and_usage(
    name: str, codec: Codec, other: Codec
) -> None:
    body = fixture(name)
    crossed = pump(open_relay(codec, other, head_for(other), STANDARD), [body])
    back = pump(open_relay(other, codec, head_for(codec), STANDARD), [crossed])
    first, last = events_of(codec, [body]), events_of(codec, [back])
    assert text_of(last) == text_of(first)
    assert _calls(last) == _calls(first)
    assert _thinking(last) == _thinking(first)
    assert [e.reason for e in last if isinstance(e, Finish)] == [
        e.reason for e in first if isinstance(e, Finish)
    ]
    assert isinstance(last[-1], StreamEnd)
    assert _token_sums(last) == _token_sums(first)


def _thinking(events: list[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def _token_sums(events: list[object]) -> tuple[int, int, int]:
    usage = [event.usage for event in events if isinstance(event, UsageSeen)][-1]
    writes = usage.in_cache_write_5m + usage.in_cache_write_1h
    return usage.in_fresh + writes, usage.in_cache_read, usage.out_text + usage.out_reasoning


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A stream of frames with any mix of comments, fields, line ends and unlike blank lines."""
    line_end = st.sampled_from(LINE_ENDS)
    line = st.sampled_from(
        [b"data: {}", b"data:x", b"data", b": ping", b"event: e", b"id: 1", b"data: \xc3\xa9"]
    )
    body = b""
    for _ in range(draw(st.integers(1, 5))):
        for _ in range(draw(st.integers(1, 3))):
            body += draw(line) + draw(line_end)
        body += draw(line_end)
    return body


@settings(max_examples=300, deadline=None)
@given(body=frames(), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_frames_never_depend_on_where_reads_end(body: bytes, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    splitter, whole = FrameSplitter(), FrameSplitter()
    pieces = [body[start:end] for start, end in pairwise(ends)]
    split_frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    assert split_frames == whole.feed(body)
    assert splitter.finish() == whole.finish()
    assert all(payload_of(frame) == read_frame(frame).payload for frame in split_frames)
