"""AWS's binary frames: cut anywhere, checked, and read as botocore reads them."""

import struct
from itertools import pairwise
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.dialects.bedrock.event_stream import EventFrame, EventStreamSplitter, FrameBroken
from tests.support import event_stream as wire

EVERY_TYPE = (
    wire.typed_header("yes", 0, b"")
    + wire.typed_header("no", 1, b"")
    + wire.typed_header("byte", 2, b"\x01")
    + wire.typed_header("short", 3, b"\x00\x02")
    + wire.typed_header("int", 4, b"\x00\x00\x00\x03")
    + wire.typed_header("long", 5, bytes(8))
    + wire.typed_header("bytes", 6, struct.pack(">H", 3) + b"abc")
    + wire.typed_header("time", 8, bytes(8))
    + wire.typed_header("uuid", 9, bytes(16))
    + wire.string_header(":event-type", "metadata")
    + wire.string_header(":message-type", "event")
)


def split(*chunks: bytes, limit: int = 24 * 1024 * 1024) -> list[EventFrame]:
    splitter = EventStreamSplitter(limit)
    return [frame for chunk in chunks for frame in splitter.feed(chunk)]


def test_headers_of_every_type_are_stepped_over() -> None:
    assert split(wire.frame(EVERY_TYPE, b"{}")) == [EventFrame("event", "metadata", b"{}")]


def test_our_encoder_and_parser_agree_with_botocore() -> None:
    whole = wire.frame(EVERY_TYPE, b'{"a":1}') + wire.event("messageStop", {"stopReason": "end_turn"})
    buffer = EventStreamBuffer()
    buffer.add_data(whole)
    theirs = [(event.headers[":event-type"], event.payload) for event in buffer]
    assert [(frame.name, frame.payload) for frame in split(whole)] == theirs


@settings(max_examples=200, deadline=None)
@given(
    payloads=st.lists(st.binary(max_size=40), max_size=4),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_frames_never_depend_on_where_reads_end(payloads: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(wire.frame(wire.string_header(":event-type", "e"), payload) for payload in payloads)
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    pieces = [whole[start:end] for start, end in pairwise(ends)]
    assert [frame.payload for frame in split(*pieces)] == payloads


def test_exceptions_and_errors_say_which_they_are() -> None:
    thrown, failed = split(wire.exception("throttlingException", "slow"), wire.error("500", "broke"))
    assert (thrown.kind, thrown.name, thrown.payload) == (
        "exception",
        "throttlingException",
        b'{"message":"slow"}',
    )
    assert (failed.kind, failed.name, failed.message) == ("error", "500", "broke")


def test_any_turned_bit_breaks_a_frame_and_never_reads_as_another() -> None:
    whole = wire.event("contentBlockDelta", {"delta": {"text": "hello"}})
    for position in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[position // 8] ^= 1 << position % 8
        with pytest.raises(FrameBroken):
            split(bytes(broken), bytes(100))


def test_frames_before_a_broken_one_are_kept() -> None:
    good = wire.event("messageStart", {"role": "assistant"})
    splitter, seen = EventStreamSplitter(), []
    with pytest.raises(FrameBroken):
        seen.extend(frame.name for frame in splitter.feed(good + wire.bad_sum(good)))
    assert seen == ["messageStart"]


def test_a_frame_over_the_limit_is_refused_by_its_head() -> None:
    with pytest.raises(FrameBroken, match="larger than 64 bytes"):
        split(wire.frame(b"", bytes(100))[:12], limit=64)


@pytest.mark.parametrize(
    "headers",
    [
        wire.typed_header("odd", 10, b""),
        wire.typed_header("short", 7, b"\x00"),
        wire.typed_header("long", 7, struct.pack(">H", 900)),
        wire.typed_header("text", 7, struct.pack(">H", 1) + b"\xff"),
        b"\xff",
    ],
)
def test_headers_that_cannot_be_read_break_the_frame(headers: bytes) -> None:
    with pytest.raises(FrameBroken):
        split(wire.frame(headers, b""))


def test_lengths_that_contradict_each_other_break_the_frame() -> None:
    prelude = struct.pack(">II", 15, 0)
    with pytest.raises(FrameBroken, match="shorter than it says"):
        split(prelude + struct.pack(">I", crc32(prelude)))
