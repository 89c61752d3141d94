"""Cuts a byte stream of server-sent events into whole frames; knows nothing of what they carry."""

import re
from dataclasses import dataclass

MAX_FRAME_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
# Two line ends in a row, each \n, \r\n or \r. A \r that is the last byte so far is not yet decided:
# its \n may come with the next read.
_BORDER = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n|\Z))")
_BORDER_BYTES = 4
_LINE_END = re.compile(rb"\r\n|\n|\r")


class FrameTooLarge(ValueError):
    """One frame grew past the limit; the stream can't be read further."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`event` is empty when the host sent none; `payload` is empty for a comment."""

    event: str
    payload: bytes


class FrameSplitter:
    """Collects reads, cut anywhere, into whole frames that keep every byte, blank line included.

    Cost is linear in the bytes, also for a frame that arrives in many small reads.
    """

    __slots__ = ("_limit", "_pending", "_scanned")

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._pending = bytearray()
        self._scanned = 0
        self._limit = max_frame_bytes

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the frames that are whole now. Raises: FrameTooLarge."""
        if not self._pending and (border := _plain_border(chunk)):
            return self._split_plain(chunk, border)
        pending = self._pending
        pending += chunk
        frames: list[bytes] = []
        start = 0
        position = max(0, self._scanned - _BORDER_BYTES)
        while border := _BORDER.search(pending, position):
            position = border.end()
            frames.append(bytes(pending[start:position]))
            start = position
        del pending[:start]
        self._scanned = len(pending)
        if len(pending) > self._limit:
            raise FrameTooLarge(f"a frame of the stream is larger than {self._limit} bytes")
        return frames

    def _split_plain(self, chunk: bytes, border: bytes) -> list[bytes]:
        size = len(border)
        if chunk.find(border) == len(chunk) - size:
            return [chunk]
        frames: list[bytes] = []
        start = 0
        while (end := chunk.find(border, start)) >= 0:
            frames.append(chunk[start : end + size])
            start = end + size
        self._pending += chunk[start:]  # the odd line end of a run of three
        return frames

    def finish(self) -> tuple[bytes, bool]:
        """Return what is left at the end of the bytes, and whether its blank line was there."""
        rest = bytes(self._pending)
        self._pending.clear()
        self._scanned = 0
        return rest, rest.endswith((b"\r\r", b"\n\r", b"\n\n"))


def _plain_border(chunk: bytes) -> bytes:
    """Return the border of a chunk of whole frames whose line ends are all alike; b"" for any other chunk."""
    if chunk.endswith(b"\n\n"):
        return b"" if b"\r" in chunk else b"\n\n"
    if not chunk.endswith(b"\r\n\r\n"):
        return b""
    pairs = chunk.count(b"\r\n")
    return b"\r\n\r\n" if pairs == chunk.count(b"\n") == chunk.count(b"\r") else b""


def payload_of(frame: bytes) -> bytes:
    """Return the `data` of a frame, its lines joined with a line feed; b"" without one."""
    start = 6
    if not frame.startswith(b"data: "):
        start = frame.find(b"\n") + 7
        if not frame.startswith(b"event: ") or not frame.startswith(b"data: ", start - 6):
            return read_frame(frame).payload
    # The common frames: one data line, and both line ends alike. Everything else is read line by line.
    size = len(frame)
    feed, carriage = frame.find(b"\n", start), frame.find(b"\r")
    if carriage < 0 and feed == size - 2 and frame.endswith(b"\n\n"):
        return frame[start:feed]
    if start == 6 and carriage == size - 4 and feed == size - 3 and frame.endswith(b"\r\n\r\n"):
        return frame[start:carriage]
    return read_frame(frame).payload


def read_frame(frame: bytes) -> Frame:
    """Read the fields of one frame as the HTML standard says (section 9.2.6)."""
    event = ""
    payload: list[bytes] = []
    for line in _LINE_END.split(frame.removeprefix(_BOM)):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            payload.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace")
    return Frame(event, b"\n".join(payload))
