"""A packed body is unpacked whole or refused, and never beyond its limit."""

import gzip
import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.content_coding import decode
from sternpost.base.errors import BadRequest, BodyTooLarge, EncodingRefused, RequestError

MOST = 1_000_000
GZIP, ZSTD, ZLIB = gzip.compress(b"abc", mtime=0), zstandard.compress(b"abc"), zlib.compress(b"abc")
OPEN_ENDED = zstandard.ZstdCompressor(write_content_size=False)
SKIPPABLE = b"P*M\x18\x04\0\0\0skip"  # RFC 8878, section 3.1.2
PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": OPEN_ENDED.compress}


@pytest.mark.parametrize(
    ("body", "codings", "whole"),
    [
        (b"abc", "", b"abc"),
        (b"abc", "identity", b"abc"),
        (GZIP, "GZIP", b"abc"),
        (GZIP, "x-gzip", b"abc"),
        (GZIP + GZIP, "gzip", b"abcabc"),
        (GZIP + b"\0" * 512, "gzip", b"abc"),
        (ZLIB, "deflate", b"abc"),
        (ZLIB[2:-4], "deflate", b"abc"),  # bare deflate
        (ZSTD, "zstd", b"abc"),
        (ZSTD + ZSTD, "zstd", b"abcabc"),
        (SKIPPABLE + ZSTD, "zstd", b"abc"),
        (gzip.compress(ZSTD, mtime=0), "zstd, gzip", b"abc"),
    ],
)
def test_all_of_a_body_is_unpacked(body: bytes, codings: str, whole: bytes) -> None:
    assert decode(body, codings, MOST) == whole


@pytest.mark.parametrize(
    ("body", "codings", "error"),
    [
        (b"", "gzip", BadRequest),
        (b"abc", "gzip", BadRequest),
        (GZIP + b"x", "gzip", BadRequest),
        (GZIP * 10_001, "gzip", BadRequest),
        (ZLIB + b"x", "deflate", BadRequest),
        (b"abc", "zstd", BadRequest),
        (ZSTD + b"x", "zstd", BadRequest),
        (b"abc", "br", EncodingRefused),
        (b"abc", "gzip, gzip, gzip, gzip", EncodingRefused),
        (b"x" * (MOST + 1), "", BodyTooLarge),
    ],
)
def test_a_body_that_is_not_whole_is_refused(body: bytes, codings: str, error: type[RequestError]) -> None:
    with pytest.raises(error):
        decode(body, codings, MOST)


@pytest.mark.parametrize("coding", PACKERS)
def test_a_body_cut_anywhere_is_refused(coding: str) -> None:
    packed = PACKERS[coding](b"a forklift lifts what is heavy" * 3)
    for body in (packed, PACKERS[coding](b"") + packed) if coding != "deflate" else (packed,):
        whole_parts = {0, len(body) - len(packed)}
        for cut in range(len(body)):
            if cut in whole_parts:
                continue  # ends with a part: nothing says that there was more
            with pytest.raises(BadRequest):
                decode(body[:cut], coding, MOST)


@pytest.mark.parametrize("coding", PACKERS)
def test_a_bomb_takes_little_memory(coding: str) -> None:
    bomb = PACKERS[coding](b"\0" * 300_000_000)
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        decode(bomb, coding, MOST)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 60_000_000


@given(st.binary(max_size=300), st.lists(st.sampled_from(sorted(PACKERS)), max_size=3))
def test_what_was_packed_comes_back(body: bytes, codings: list[str]) -> None:
    packed = body
    for coding in codings:
        packed = PACKERS[coding](packed)
    assert decode(packed, ", ".join(codings), MOST) == body
