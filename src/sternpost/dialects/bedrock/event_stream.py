"""Cuts AWS's binary event stream into frames and checks their sums; knows nothing of what they carry.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html. A frame is: its length and the length of its
headers (4 bytes each), the CRC of those 8 bytes, the headers, the payload, and the CRC of all before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final
from zlib import crc32

MAX_FRAME_BYTES: Final = 24 * 1024 * 1024
_PRELUDE: Final = Struct(">III")
_SUM: Final = Struct(">I")
_PRELUDE_BYTES = 12
_SUM_BYTES = 4
_MIN_FRAME_BYTES = _PRELUDE_BYTES + _SUM_BYTES
_KEPT_BYTES = 256
_STRING = 7
# Header type -> bytes of its value; for the two types of variable length two bytes say how many follow.
_FIXED_BYTES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_VARIABLE: Final = frozenset({6, _STRING})


class FrameBroken(ValueError):
    """A frame that can't be trusted; nothing behind it can be read."""


@dataclass(frozen=True, slots=True)
class EventFrame:
    kind: str  # event, exception or error
    name: str  # of the event or the exception; of an error its code
    payload: bytes
    message: str = ""  # of an error, which has no payload


class EventStreamSplitter:
    """Collects reads, cut anywhere, into whole frames."""

    __slots__ = ("_limit", "_pending")

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._pending = bytearray()
        self._limit = max_frame_bytes

    def feed(self, chunk: bytes) -> Iterator[EventFrame]:
        """Yield the frames that are whole now. Raises: FrameBroken, behind the frames before it."""
        pending = self._pending
        pending += chunk
        while len(pending) >= _PRELUDE_BYTES:
            prelude = bytes(pending[:_PRELUDE_BYTES])
            size, headers_size, told = _PRELUDE.unpack(prelude)
            if crc32(prelude[:8]) != told:
                raise FrameBroken("the checksum of a frame's head is wrong")
            self._check_sizes(size, headers_size)
            if len(pending) < size:
                break
            frame = bytes(pending[:size])
            del pending[:size]
            yield _read_frame(frame, headers_size)

    def _check_sizes(self, size: int, headers_size: int) -> None:
        if size > self._limit:
            raise FrameBroken(f"a frame of the stream is larger than {self._limit} bytes")
        if size < _MIN_FRAME_BYTES or headers_size > size - _MIN_FRAME_BYTES:
            raise FrameBroken("a frame of the stream is shorter than it says")

    @property
    def has_rest(self) -> bool:
        """Whether the bytes so far end inside a frame."""
        return bool(self._pending)


def _read_frame(frame: bytes, headers_size: int) -> EventFrame:
    """Read one whole frame, whose prelude was checked. Raises: FrameBroken."""
    (told,) = _SUM.unpack_from(frame, len(frame) - _SUM_BYTES)
    if crc32(frame[:-_SUM_BYTES]) != told:
        raise FrameBroken("the checksum of a frame is wrong")
    end = _PRELUDE_BYTES + headers_size
    read = _read_headers if headers_size > _KEPT_BYTES else _read_again
    kind, name, message = read(frame[_PRELUDE_BYTES:end])
    return EventFrame(kind, name, frame[end:-_SUM_BYTES], message)


@lru_cache(maxsize=64)
def _read_again(block: bytes) -> tuple[str, str, str]:
    """Remember short headers: those of a stream's deltas are the same bytes each time."""
    return _read_headers(block)


def _read_headers(block: bytes) -> tuple[str, str, str]:
    """Return a frame's kind, name and message; headers that are no strings are stepped over."""
    found: dict[str, str] = {}
    position = 0
    try:
        while position < len(block):
            name_end = position + 1 + block[position]
            name, kind = block[position + 1 : name_end], block[name_end]
            value_start = name_end + 1
            position = _value_end(block, kind, value_start)
            if kind == _STRING:
                found[name.decode()] = block[value_start + 2 : position].decode()
    except (IndexError, UnicodeDecodeError) as error:
        raise FrameBroken("the headers of a frame can't be read") from error
    if position != len(block):
        raise FrameBroken("the headers of a frame can't be read")
    told = found.get(":message-type", "event")
    naming = {"event": ":event-type", "exception": ":exception-type"}.get(told, ":error-code")
    return told, found.get(naming, ""), found.get(":error-message", "")


def _value_end(block: bytes, kind: int, start: int) -> int:
    if kind in _VARIABLE:
        return start + 2 + (block[start] << 8 | block[start + 1])
    if kind not in _FIXED_BYTES:
        raise FrameBroken(f"a header of a frame has the unknown type {kind}")
    return start + _FIXED_BYTES[kind]
