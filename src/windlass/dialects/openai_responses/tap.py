"""Passes a Responses stream to a caller of the same dialect, noting usage and its end; rebuilds no frame."""

from windlass.contracts.chat import StreamFault
from windlass.contracts.dialect import ReplySummary, WireError
from windlass.contracts.provider import Quirks
from windlass.dialects.failures import UNREADABLE_FRAME
from windlass.dialects.openai_responses.errors import write_failure
from windlass.dialects.openai_responses.events import (
    EventUnreadable,
    StreamNotes,
    decode_event,
    fault_of,
)
from windlass.dialects.sse import FrameSplitter, FrameTooLarge, payload_of

_DONE = b"[DONE]"  # some hosts end with it; the dialect does not


class ResponsesTap:
    """Forwards whole frames as they came; the terminal one waits for `closing`, with its own bytes."""

    __slots__ = ("_end_frame", "_fault", "_notes", "_splitter")

    def __init__(self, quirks: Quirks) -> None:
        self._splitter = FrameSplitter()
        self._notes = StreamNotes(quirks)
        self._fault: StreamFault | None = None
        self._end_frame = b""

    @property
    def has_content(self) -> bool:
        return self._notes.has_content

    @property
    def is_complete(self) -> bool:
        return self._fault is None and self._notes.is_complete

    @property
    def fault(self) -> StreamFault | None:
        return self._fault

    def feed(self, chunk: bytes) -> bytes:
        if self._fault is not None:
            return b""
        try:
            frames = self._splitter.feed(chunk)
        except FrameTooLarge as error:
            self._fault = StreamFault("frame_too_large", str(error).capitalize() + ".")
            return b""
        if len(frames) == 1:
            return frames[0] if self._passes(frames[0]) else b""
        return b"".join([frame for frame in frames if self._passes(frame)])

    def _passes(self, frame: bytes) -> bool:
        if self._fault is not None or self._notes.is_complete:
            return False  # nothing belongs behind the terminal marker
        payload = payload_of(frame)
        if not payload:
            return True
        if payload == _DONE:
            return False
        try:
            event = decode_event(payload)
        except EventUnreadable as unreadable:
            self._fault = unreadable.fault
            return False
        self._notes.take(event)
        self._fault = fault_of(event)
        if self._notes.is_complete:
            self._end_frame = frame
        return self._fault is None and not self._notes.is_complete

    def finish(self) -> bytes:
        rest, is_terminated = self._splitter.finish()
        if not rest.strip() or self._fault is not None:
            return b""
        whole = rest if is_terminated else rest.rstrip(b"\r\n") + b"\n\n"
        if self._passes(whole):
            return whole
        if self._fault is not None and self._fault.error_type in UNREADABLE_FRAME and not is_terminated:
            self._fault = None  # the bytes were cut inside a frame: truncated, not malformed
        return b""

    def closing(self) -> bytes:
        return self._end_frame

    def failing(self, error: WireError) -> bytes:
        return write_failure(error, self._notes.next_number, self._notes.response())

    def summary(self) -> ReplySummary:
        return self._notes.summary()
