"""Passes an Anthropic stream to a caller of the same dialect, noting usage and its end; rebuilds no frame."""

from sternpost.dialects.anthropic.errors import write_error_event
from sternpost.dialects.anthropic.events import EventUnreadable, StreamNotes, decode_event
from sternpost.dialects.framing.framed import FramedTap
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.protocols import WireError

STOP_FRAME = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class AnthropicTap(FramedTap[StreamNotes]):
    """Forwards whole frames as they came; `message_stop` waits for `closing`, with its own bytes."""

    __slots__ = ("_stop_frame",)

    def __init__(self) -> None:
        super().__init__(StreamNotes())
        self._stop_frame = STOP_FRAME

    def _passes(self, frame: bytes) -> bool:
        if self._fault is not None or self._notes.is_complete:
            return False  # nothing belongs behind the terminal marker
        payload = payload_of(frame)
        if not payload:
            return True
        try:
            event = decode_event(payload, is_lenient=True)
            self._notes.take(event)
        except EventUnreadable as unreadable:
            self._fault = unreadable.fault
            return False
        if event.type == "message_stop":
            self._stop_frame = frame
            return False
        return True

    def closing(self, at_s: int = 0) -> bytes:
        return self._stop_frame

    def failing(self, error: WireError) -> bytes:
        return write_error_event(error)
