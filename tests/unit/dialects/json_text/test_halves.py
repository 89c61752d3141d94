"""Halves of surrogate pairs in JSON escapes: what is joined, what is replaced, what is left alone."""

import pytest

from sternpost.contracts.call import Dialect
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.support import odd_answers as odd
from tests.unit.dialects.wire import OPENAI, events_of, openai_head, text_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud83d\ude00", rb"\ud83d\ude00"),
        (rb"\ud83d", "\ufffd".encode()),
        (rb"\ude00", "\ufffd".encode()),
        (rb"\uD83D\uD83D\uDE00", "\ufffd".encode() + rb"\uD83D\uDE00"),
        (rb"\\ud83d", rb"\\ud83d"),  # an escaped backslash, then letters
        (rb"\\\ud83d", rb"\\" + "\ufffd".encode()),
        (rb"\u0041\n\"", rb"\u0041\n\""),
    ],
)
def test_a_half_that_stands_alone_is_replaced_and_all_else_stays(written: bytes, read: bytes) -> None:
    assert without_halves(b'"a' + written + b'"') == b'"a' + read + b'"'


@pytest.mark.parametrize("dialect", odd.DIALECTS)
def test_halves_are_joined_wherever_the_bytes_are_cut(dialect: Dialect) -> None:
    body = odd.stream(dialect, [b"a", rb"\ud83d", rb"\ude00", rb"b\ud83d", b"c", rb"\ude00"])
    for size in (1, 7, len(body)):
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        assert text_of(events_of(UPSTREAM_CODECS[dialect], chunks)) == "a😀b\ufffdc\ufffd"


def test_frames_with_halves_pass_as_they_came_in_the_same_dialect() -> None:
    body = odd.stream("openai_chat", [rb"x\ud83d", rb"\ude00y"])
    tap = OPENAI.open_tap(openai_head(stream_options={"include_usage": True}), STANDARD)
    assert tap.feed(body) + tap.finish() + tap.closing() == body
    assert tap.is_complete
