"""Passes an OpenAI stream to a caller of the same dialect, noting usage and its end; rebuilds no frame."""

from sternpost.contracts.provider import Quirks
from sternpost.dialects.framing.framed import FramedTap
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.openai_chat.chunks import Chunk, ChunkUnreadable, StreamNotes, decode_chunk
from sternpost.dialects.openai_chat.errors import write_error_event
from sternpost.dialects.protocols import WireError

DONE_FRAME = b"data: [DONE]\n\n"
_DONE = b"[DONE]"


class OpenAiTap(FramedTap[StreamNotes]):
    """Forwards whole frames as they came, but for the usage chunk nobody asked for and `[DONE]`."""

    __slots__ = ("_wants_usage",)

    def __init__(self, *, wants_usage: bool, quirks: Quirks) -> None:
        super().__init__(StreamNotes(quirks))
        self._wants_usage = wants_usage

    def _passes(self, frame: bytes) -> bool:
        if self._fault is not None:
            return False
        payload = payload_of(frame)
        if not payload:
            return True
        if payload == _DONE:
            self._notes.take_done()
            return False
        try:
            read = decode_chunk(payload, is_lenient=True)
            self._notes.take(read)
        except ChunkUnreadable as unreadable:
            self._fault = unreadable.fault
            return False
        return self._wants_usage or not _is_usage_only(read)

    def finish(self) -> bytes:
        frame = super().finish()
        self._notes.take_end_of_bytes()
        return frame

    def closing(self, at_s: int = 0) -> bytes:
        return DONE_FRAME

    def failing(self, error: WireError) -> bytes:
        return write_error_event(error)


def _is_usage_only(chunk: Chunk) -> bool:
    return bool(chunk.usage) and not chunk.choices
