"""Undoes the content codings of a request's body (RFC 9110, section 8.4) within a limit; reads nothing in it.

A body is decoded completely or rejected: several members or frames, a truncated body, and bytes after its end
never lose a part silently.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import zstandard

from sternpost.base.errors import BadRequest, BodyTooLarge, EncodingRefused

_MOST_CODINGS: Final = 3
_MOST_PARTS: Final = 10_000  # members of gzip, frames of zstd; bgzip makes one of each 64 KB
_ZSTD_WINDOW: Final = 2**23  # no sender may ask for more (RFC 9659)


class _Unpacker(Protocol):
    """What the objects of `zlib` and `zstandard` have in common."""

    def decompress(self, data: memoryview, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Coding:
    """One coding. block_bytes: what is fed at once, so small that it can't unfold to more than some 17 MB."""

    name: str
    begin: Callable[[bytes], _Unpacker]
    block_bytes: int
    has_parts: bool


def decode(body: bytes, codings: str, max_bytes: int) -> bytes:
    """Undo the codings of a `Content-Encoding`, never making much more than `max_bytes`.

    Raises: EncodingRefused for a coding that is not known here; BodyTooLarge, also for a small body that
    grows too large; BadRequest for one that is broken, cut off or followed by something else.
    """
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    names = [name for item in codings.split(",") if (name := item.strip().lower()) not in ("", "identity")]
    unknown = next((name for name in names if name not in _CODINGS), None)
    if unknown is not None:
        raise EncodingRefused(
            f"the content-encoding {unknown[:20]!r} is not supported; send gzip, deflate, zstd or none"
        )
    if len(names) > _MOST_CODINGS:
        raise EncodingRefused(f"the body has more than {_MOST_CODINGS} content-encodings; send one")
    for name in reversed(names):
        body = _joined(_unpacked(body, _CODINGS[name]), max_bytes)
    return body


def _joined(pieces: Iterator[bytes], max_bytes: int) -> bytes:
    whole: list[bytes] = []
    size_bytes = 0
    for piece in pieces:
        size_bytes += len(piece)
        if size_bytes > max_bytes:
            raise _too_large(max_bytes)
        whole.append(piece)
    return b"".join(whole)


def _unpacked(body: bytes, coding: _Coding) -> Iterator[bytes]:
    view, at, part_count = memoryview(body), 0, 0
    while at < len(body) or not part_count:
        part_count += 1
        if part_count > _MOST_PARTS:
            raise BadRequest(f"the {coding.name} body has more than {_MOST_PARTS} parts")
        unpacker = coding.begin(body)
        while not unpacker.eof:
            if at >= len(body):
                raise BadRequest(f"the {coding.name} body ends too early")
            block = view[at : at + coding.block_bytes]
            at += len(block)
            yield _decompressed(unpacker, block, coding.name)
        at -= len(unpacker.unused_data)
        if at < len(body) and not coding.has_parts:
            raise BadRequest(f"the {coding.name} body is followed by something else")
        if body[at : at + 1] == b"\0" and not body[at:].strip(b"\0"):
            return  # padding, which gzip ignores, too


def _decompressed(unpacker: _Unpacker, block: memoryview, name: str) -> bytes:
    try:
        return unpacker.decompress(block)
    except (zlib.error, zstandard.ZstdError):
        raise BadRequest(f"the body is not valid {name}") from None


def _begin_deflate(body: bytes) -> _Unpacker:
    """Undo zlib's format (RFC 9110, section 8.4.1.2), or bare deflate, which some send for it."""
    is_zlib = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] * 256 + body[1]) % 31 == 0
    return zlib.decompressobj(wbits=15 if is_zlib else -15)


_GZIP: Final = _Coding("gzip", lambda _: zlib.decompressobj(wbits=31), 16_384, has_parts=True)
_CODINGS: Final[Mapping[str, _Coding]] = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": _Coding("deflate", _begin_deflate, 16_384, has_parts=False),
    # A block of 128 KB may take 4 bytes (RFC 8878, section 3.1.1.2).
    "zstd": _Coding(
        "zstd",
        lambda _: zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj(),
        512,
        has_parts=True,
    ),
}


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the decompressed body is longer than {max_bytes} bytes; send less at a time")
