"""Passes an OpenAI stream to a caller of the same dialect, noting usage and its end; rebuilds no frame."""

from windlass.contracts.chat import StreamFault
from windlass.contracts.dialect import ReplySummary, WireError
from windlass.contracts.provider import Quirks
from windlass.dialects.failures import UNREADABLE_FRAME
from windlass.dialects.openai_chat.chunks import Chunk, ChunkUnreadable, StreamNotes, decode_chunk
from windlass.dialects.openai_chat.errors import write_error_event
from windlass.dialects.sse import FrameSplitter, FrameTooLarge, payload_of

DONE_FRAME = b"data: [DONE]\n\n"
_DONE = b"[DONE]"


class OpenAiTap:
    """Forwards whole frames as they came, but for the usage chunk nobody asked for and `[DONE]`."""

    __slots__ = ("_fault", "_notes", "_splitter", "_wants_usage")

    def __init__(self, *, wants_usage: bool, quirks: Quirks) -> None:
        self._splitter = FrameSplitter()
        self._notes = StreamNotes(quirks)
        self._wants_usage = wants_usage
        self._fault: StreamFault | None = None

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
        if self._fault is not None:
            return False
        payload = payload_of(frame)
        if not payload:
            return True
        if payload == _DONE:
            self._notes.take_done()
            return False
        try:
            read = decode_chunk(payload, passes_odd=True)
        except ChunkUnreadable as unreadable:
            self._fault = unreadable.fault
            return False
        self._notes.take(read)
        return self._wants_usage or not _is_usage_only(read)

    def finish(self) -> bytes:
        rest, is_terminated = self._splitter.finish()
        frame = b""
        if rest.strip() and self._fault is None:
            frame = self._last(rest, is_terminated=is_terminated)
        self._notes.take_end_of_bytes()
        return frame

    def _last(self, rest: bytes, *, is_terminated: bool) -> bytes:
        """A last frame without its blank line counts only when its JSON is whole."""
        if not self._passes(rest):
            if self._fault is not None and self._fault.error_type in UNREADABLE_FRAME and not is_terminated:
                self._fault = None  # the bytes were cut inside a frame: truncated, not malformed
            return b""
        return rest if is_terminated else rest.rstrip(b"\r\n") + b"\n\n"

    def closing(self) -> bytes:
        return DONE_FRAME

    def failing(self, error: WireError) -> bytes:
        return write_error_event(error)

    def summary(self) -> ReplySummary:
        return self._notes.summary()


def _is_usage_only(chunk: Chunk) -> bool:
    return bool(chunk.usage) and not chunk.choices
