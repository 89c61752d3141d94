"""Carries one stream from the upstream's dialect to the caller's; sends and awaits nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import (
    Finish,
    MediaSeen,
    RedactedThinking,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    StreamFault,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.provider import Quirks
from sternpost.dialects.framing.whole_stream import DoubtfulRelay, WholeReader, finish_with_calls
from sternpost.dialects.losses.unshown import missing, unshown_event
from sternpost.dialects.pairing.tool_names import Renamed, Restorer
from sternpost.dialects.protocols import (
    Codec,
    Relay,
    ReplySummary,
    RequestHead,
    StreamReader,
    StreamWriter,
    UpstreamCodec,
    WireError,
)

_CONTENT: Final = frozenset({MediaSeen, ToolStart, RefusalDelta, RedactedThinking})
_PLAIN: Final = frozenset({TextDelta, ToolArguments, ThinkingDelta})  # content that every dialect shows
_NO_NAMES: Renamed = {}
_NOTHING = StreamStart("", "")


def open_relay(
    source: UpstreamCodec,
    sink: Codec,
    head: RequestHead,
    quirks: Quirks,
    *,
    renamed_tools: Renamed = _NO_NAMES,
    created_s: int = 0,
    unsaid: StreamStart = _NOTHING,
) -> Relay:
    """Open the relay from an upstream that speaks `source` to a caller that speaks `sink`.

    renamed_tools: from the WrittenRequest. created_s: the time shown where upstream's dialect has none;
    unsaid: the id and the model shown where it has none.
    """
    if source.name == sink.name:
        return sink.open_tap(head, quirks)
    writer = sink.open_writer(head, created_s=created_s)
    restorer = Restorer(renamed_tools) if renamed_tools else None
    return _Translation(source.open_reader(quirks), writer, sink.name, restorer, unsaid)


def open_doubtful_relay(
    source: UpstreamCodec,
    sink: Codec,
    head: RequestHead,
    quirks: Quirks,
    *,
    renamed_tools: Renamed,
    unsaid: StreamStart,
) -> Relay:
    """Open the relay for an answer whose content type says that it is no stream; it may be one anyway."""

    def open_whole() -> Relay:
        writer = sink.open_writer(head, created_s=unsaid.created_s)
        restorer = Restorer(renamed_tools) if renamed_tools else None
        return _Translation(WholeReader(source, quirks), writer, sink.name, restorer, unsaid)

    stream = open_relay(
        source,
        sink,
        head,
        quirks,
        renamed_tools=renamed_tools,
        created_s=unsaid.created_s,
        unsaid=unsaid,
    )
    return DoubtfulRelay(stream, open_whole)


class _Translation:
    __slots__ = (
        "_caller",
        "_callers",
        "_fault",
        "_has_content",
        "_held",
        "_is_complete",
        "_reader",
        "_restorer",
        "_unsaid",
        "_writer",
    )

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        caller: Dialect,
        restorer: Restorer | None,
        unsaid: StreamStart,
    ) -> None:
        self._unsaid = unsaid
        self._reader = reader
        self._writer = writer
        self._caller: Dialect = caller
        self._restorer = restorer
        self._callers: set[int] = set()  # choices that called a tool
        self._held: dict[str, None] = {}  # what beside text and calls was in it
        self._has_content = False
        self._is_complete = False
        self._fault: StreamFault | None = None

    @property
    def has_content(self) -> bool:
        return self._has_content

    @property
    def is_complete(self) -> bool:
        return self._is_complete and self._fault is None

    @property
    def fault(self) -> StreamFault | None:
        return self._fault

    def feed(self, chunk: bytes) -> bytes:
        return self._write(self._reader.feed(chunk))

    def finish(self) -> bytes:
        return self._write(self._reader.finish())

    def closing(self, at_s: int = 0) -> bytes:
        return self._writer.write(StreamEnd(at_s))

    def failing(self, error: WireError) -> bytes:
        return self._writer.fail(error)

    def summary(self) -> ReplySummary:
        return self._reader.summary()

    def unshown(self) -> Sequence[str]:
        return missing(self._held, self._caller)

    def _write(self, events: Iterable[StreamEvent]) -> bytes:
        frames: list[bytes] = []
        for event in events:
            if self._fault is not None:
                break
            if type(event) in _PLAIN:  # nearly all of a stream
                self._has_content = True
                frames.append(self._writer.write(self._restored(event)))
            else:
                frames.append(self._write_rare(event))
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def _write_rare(self, event: StreamEvent) -> bytes:
        if isinstance(event, StreamFault):
            self._fault = event
            return b""
        if isinstance(event, StreamEnd):
            self._is_complete = True
            return b""
        if isinstance(event, StreamStart):
            event = self._named(event)
        before = self._rest(event) if isinstance(event, Finish) and self._restorer is not None else b""
        event = self._restored(event)
        if type(event) in _CONTENT:
            self._has_content = True
            if isinstance(event, ToolStart):
                self._callers.add(event.choice)
        elif isinstance(event, Finish):
            event = self._settled(event)
        self._held.update(dict.fromkeys(unshown_event(event)))
        return before + self._writer.write(event)

    def _rest(self, finish: Finish) -> bytes:
        """Write what was held back of the calls of a choice that ends."""
        rest = self._restorer.rest(finish.choice) if self._restorer is not None else ()
        return b"".join([self._writer.write(event) for event in rest])

    def _settled(self, finish: Finish) -> Finish:
        reason = finish_with_calls(finish.reason, has_calls=finish.choice in self._callers)
        return finish if reason == finish.reason else replace(finish, reason=reason)

    def _restored(self, event: StreamEvent) -> StreamEvent:
        return event if self._restorer is None else self._restorer.event(event)

    def _named(self, start: StreamStart) -> StreamStart:
        unsaid = self._unsaid
        return replace(start, id=start.id or unsaid.id, model=start.model or unsaid.model)
