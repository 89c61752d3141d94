"""Passes a Responses stream to a caller of the same dialect, noting usage and its end; rebuilds no frame."""

from sternpost.contracts.provider import Quirks
from sternpost.dialects.framing.framed import FramedTap
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.openai_responses.errors import write_failure
from sternpost.dialects.openai_responses.events import (
    EventUnreadable,
    StreamNotes,
    decode_event,
    fault_of,
)
from sternpost.dialects.protocols import WireError

_DONE = b"[DONE]"  # some hosts end with it; the dialect does not


class ResponsesTap(FramedTap[StreamNotes]):
    """Forwards whole frames as they came; the terminal one waits for `closing`, with its own bytes."""

    __slots__ = ("_end_frame",)

    def __init__(self, quirks: Quirks) -> None:
        super().__init__(StreamNotes(quirks))
        self._end_frame = b""

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
            self._end_frame = self._as_it_came or frame
        return self._fault is None and not self._notes.is_complete

    def closing(self, at_s: int = 0) -> bytes:
        return self._end_frame

    def failing(self, error: WireError) -> bytes:
        return write_failure(error, self._notes.next_number, self._notes.response())
