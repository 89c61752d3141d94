"""What every dialect of server-sent events does with frames, in a tap and a reader; not what they say."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from sternpost.contracts.chat import StreamEvent, StreamFault
from sternpost.contracts.usage import Usage
from sternpost.dialects.errors.failures import MALFORMED, UNREADABLE_FRAME
from sternpost.dialects.framing.sse import FrameSplitter, FrameTooLarge
from sternpost.dialects.json_text.halves import Halves, marked_halves, without_halves
from sternpost.dialects.protocols import ReplySummary


class Notes(Protocol):
    """What a dialect keeps of the events that passed."""

    @property
    def has_content(self) -> bool: ...

    @property
    def is_complete(self) -> bool: ...

    def summary(self) -> ReplySummary: ...


class PlainNotes:
    """Implements `Notes` for streams that are read only: names, usage, finish reason, content and the end."""

    __slots__ = ("finish", "has_content", "id", "is_complete", "model", "usage")

    def __init__(self) -> None:
        self.id = ""
        self.model = ""
        self.usage: Usage | None = None
        self.finish = ""
        self.has_content = False
        self.is_complete = False

    def summary(self) -> ReplySummary:
        finishes = (self.finish,) if self.finish else ()
        return ReplySummary(usage=self.usage, model=self.model, id=self.id, finish_reasons=finishes)


N = TypeVar("N", bound=Notes)


class FramedTap(ABC, Generic[N]):
    """Forwards whole frames as they came; `_passes` looks at each and sets `_fault` when it can't be read."""

    __slots__ = ("_as_it_came", "_fault", "_notes", "_splitter")

    def __init__(self, notes: N) -> None:
        self._splitter = FrameSplitter()
        self._notes = notes
        self._fault: StreamFault | None = None
        self._as_it_came = b""  # the frame behind the mended one that is looked at

    @property
    def has_content(self) -> bool:
        return self._notes.has_content

    @property
    def is_complete(self) -> bool:
        return self._fault is None and self._notes.is_complete

    @property
    def fault(self) -> StreamFault | None:
        return self._fault

    @abstractmethod
    def _passes(self, frame: bytes) -> bool: ...

    def feed(self, chunk: bytes) -> bytes:
        if self._fault is not None:
            return b""
        try:
            frames = self._splitter.feed(chunk)
        except FrameTooLarge as error:
            self._fault = too_large(error)
            return b""
        if len(frames) == 1:
            return frames[0] if self._passes(frames[0]) or self._passes_mended(frames[0]) else b""
        return b"".join([frame for frame in frames if self._passes(frame) or self._passes_mended(frame)])

    def _passes_mended(self, frame: bytes) -> bool:
        """Look again at a frame that can't be read: half of a surrogate pair passes, as it came."""
        if self._fault is None or self._fault.error_type != MALFORMED:
            return False
        mended = without_halves(frame)
        if mended == frame:
            return False
        self._fault = None
        self._as_it_came = frame
        try:
            return self._passes(mended)
        finally:
            self._as_it_came = b""

    def finish(self) -> bytes:
        """Forward a last frame without its blank line, when its JSON is whole."""
        rest, is_terminated = self._splitter.finish()
        if not rest.strip() or self._fault is not None:
            return b""
        whole = rest if is_terminated else rest.rstrip(b"\r\n") + b"\n\n"
        if self._passes(whole) or self._passes_mended(whole):
            return whole
        if self._fault is not None and self._fault.error_type in UNREADABLE_FRAME and not is_terminated:
            self._fault = None  # the bytes were cut inside a frame: truncated, not malformed
        return b""

    def summary(self) -> ReplySummary:
        return self._notes.summary()

    def unshown(self) -> Sequence[str]:
        return ()  # the caller gets what the provider sent


class FramedReader(ABC, Generic[N]):
    """Turns frames into events; `_read` sets `_is_broken` with the fault that it yields."""

    __slots__ = ("_halves", "_is_broken", "_notes", "_splitter")

    def __init__(self, notes: N) -> None:
        self._splitter = FrameSplitter()
        self._notes = notes
        self._is_broken = False
        self._halves: Halves | None = None  # since the first half of a surrogate pair

    @abstractmethod
    def _read(self, frame: bytes) -> Iterator[StreamEvent]: ...

    def feed(self, chunk: bytes) -> Sequence[StreamEvent]:
        if self._is_broken:
            return ()
        try:
            frames = self._splitter.feed(chunk)
        except FrameTooLarge as error:
            self._is_broken = True
            return (too_large(error),)
        events: list[StreamEvent] = []
        for frame in frames:
            events += self._read(frame)
            if self._is_broken:
                self._mend(frame, events)
        return events if self._halves is None else self._halves.join(events)

    def _mend(self, frame: bytes, events: list[StreamEvent]) -> None:
        """Read a frame again that can't be read because of half a surrogate pair."""
        fault = events[-1] if events else None
        if not isinstance(fault, StreamFault) or fault.error_type != MALFORMED:
            return
        mended = marked_halves(frame)
        if mended == frame:
            return
        events.pop()
        self._is_broken = False
        self._halves = self._halves or Halves()
        events += self._read(mended)

    def finish(self) -> Sequence[StreamEvent]:
        """Read a last frame without its blank line; one that was cut says nothing."""
        rest, is_terminated = self._splitter.finish()
        if not rest.strip() or self._is_broken:
            return self._halves.flush() if self._halves is not None else ()
        events = list(self._read(rest))
        if self._is_broken:
            self._mend(rest, events)
        is_cut = not is_terminated and any(
            isinstance(event, StreamFault) and event.error_type in UNREADABLE_FRAME for event in events
        )
        events = [] if is_cut else events
        return events if self._halves is None else [*self._halves.join(events), *self._halves.flush()]

    def summary(self) -> ReplySummary:
        return self._notes.summary()


def too_large(error: FrameTooLarge) -> StreamFault:
    return StreamFault("frame_too_large", str(error).capitalize() + ".")
