import pytest

from sternpost.dialects.framing.sse import FrameSplitter, FrameTooLarge, payload_of, read_frame


@pytest.mark.parametrize(
    ("frame", "payload"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\n\n", b"{}"),
        (b"data:  x\n\n", b" x"),  # exactly one space goes
        (b'data: {\ndata: "a": 1}\r\n\r\n', b'{\n"a": 1}'),
        (b"event: e\nid: 7\nretry: 5\ndata: x\n\n", b"x"),
        (b"event: e\r\ndata: x\r\n\r\n", b"x"),
        (b"data: a\rdata: b\r\r", b"a\nb"),
        (b": ping\n\n", b""),
        (b": ping\ndata: x\n\n", b"x"),
        (b"\xef\xbb\xbfdata: x\n\n", b"x"),
        (b"\n", b""),
    ],
)
def test_the_payload_is_read_as_the_standard_says(frame: bytes, payload: bytes) -> None:
    assert payload_of(frame) == payload


def test_the_event_name_is_kept_beside_the_payload() -> None:
    assert read_frame(b"event: message_stop\ndata: {}\n\n").event == "message_stop"


def test_a_carriage_return_at_the_end_of_a_read_waits_for_its_line_feed() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: a\r\n\r") == []
    assert splitter.feed(b"\ndata: b\r\n\r\n") == [b"data: a\r\n\r\n", b"data: b\r\n\r\n"]


def test_what_is_left_at_the_end_says_whether_its_blank_line_was_there() -> None:
    splitter = FrameSplitter()
    splitter.feed(b"data: a")
    assert splitter.finish() == (b"data: a", False)
    splitter.feed(b"data: a\r\r")
    assert splitter.finish() == (b"data: a\r\r", True)


def test_a_frame_over_the_limit_is_refused() -> None:
    splitter = FrameSplitter(max_frame_bytes=100)
    splitter.feed(b"data: " + b"x" * 90)
    with pytest.raises(FrameTooLarge, match="larger than 100 bytes"):
        splitter.feed(b"x" * 10)
