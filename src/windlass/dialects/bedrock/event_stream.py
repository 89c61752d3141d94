"""Cuts AWS's binary event stream into frames and checks their sums; knows nothing of what they carry.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html. A frame is: its length and the length of its
headers (4 bytes each), the CRC of those 8 bytes, the headers, the payload, and the CRC of all before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

MAX_FRAME_BYTES: Final = 24 * 1024 * 1024
_PRELUDE_BYTES = 12
_SUM_BYTES = 4
_MIN_FRAME_BYTES = _PRELUDE_BYTES + _SUM_BYTES
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
            size = self._next_size()
            if len(pending) < size:
                break
            frame = bytes(pending[:size])
            del pending[:size]
            yield read_frame(frame)

    def _next_size(self) -> int:
        """Return the length of the frame that begins, once its prelude has proved right."""
        prelude = bytes(self._pending[:_PRELUDE_BYTES])
        size, headers_size = _number(prelude, 0), _number(prelude, 4)
        if crc32(prelude[:8]) != _number(prelude, 8):
            raise FrameBroken("the checksum of a frame's head is wrong")
        if size > self._limit:
            raise FrameBroken(f"a frame of the stream is larger than {self._limit} bytes")
        if size < _MIN_FRAME_BYTES or headers_size > size - _MIN_FRAME_BYTES:
            raise FrameBroken("a frame of the stream is shorter than it says")
        return size

    @property
    def has_rest(self) -> bool:
        """Whether the bytes so far end inside a frame."""
        return bool(self._pending)


def read_frame(frame: bytes) -> EventFrame:
    """Read one whole frame, whose prelude was checked. Raises: FrameBroken."""
    if crc32(frame[:-_SUM_BYTES]) != _number(frame, len(frame) - _SUM_BYTES):
        raise FrameBroken("the checksum of a frame is wrong")
    end = _PRELUDE_BYTES + _number(frame, 4)
    headers = _read_headers(frame[_PRELUDE_BYTES:end])
    kind = headers.get(":message-type", "event")
    name = headers.get({"event": ":event-type", "exception": ":exception-type"}.get(kind, ":error-code"), "")
    return EventFrame(kind, name, frame[end:-_SUM_BYTES], headers.get(":error-message", ""))


def _read_headers(block: bytes) -> dict[str, str]:
    """Return the headers that are strings; the others are stepped over."""
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
    return found


def _value_end(block: bytes, kind: int, start: int) -> int:
    if kind in _VARIABLE:
        return start + 2 + (block[start] << 8 | block[start + 1])
    if kind not in _FIXED_BYTES:
        raise FrameBroken(f"a header of a frame has the unknown type {kind}")
    return start + _FIXED_BYTES[kind]


def _number(block: bytes, start: int) -> int:
    return int.from_bytes(block[start : start + 4], "big")
