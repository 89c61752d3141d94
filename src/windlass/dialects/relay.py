"""Carries one stream from the upstream's dialect to the caller's; sends and awaits nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from windlass.contracts.chat import (
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
from windlass.contracts.dialect import (
    Codec,
    Relay,
    ReplySummary,
    RequestHead,
    StreamReader,
    StreamWriter,
    UpstreamCodec,
    WireError,
)
from windlass.contracts.provider import Quirks
from windlass.dialects.tool_names import restore_event

_CONTENT = (MediaSeen, TextDelta, ToolStart, ToolArguments, ThinkingDelta, RefusalDelta, RedactedThinking)
_NO_NAMES: Mapping[str, str] = {}
_NOTHING = StreamStart("", "")


def open_relay(
    source: UpstreamCodec,
    sink: Codec,
    head: RequestHead,
    quirks: Quirks,
    *,
    renamed_tools: Mapping[str, str] = _NO_NAMES,
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
    return _Translation(source.open_reader(quirks), writer, renamed_tools, unsaid)


class _Translation:
    __slots__ = ("_fault", "_has_content", "_is_complete", "_reader", "_renamed", "_unsaid", "_writer")

    def __init__(
        self, reader: StreamReader, writer: StreamWriter, renamed: Mapping[str, str], unsaid: StreamStart
    ) -> None:
        self._unsaid = unsaid
        self._reader = reader
        self._writer = writer
        self._renamed = renamed
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

    def closing(self) -> bytes:
        return self._writer.write(StreamEnd())

    def failing(self, error: WireError) -> bytes:
        return self._writer.fail(error)

    def summary(self) -> ReplySummary:
        return self._reader.summary()

    def _write(self, events: Iterable[StreamEvent]) -> bytes:
        frames: list[bytes] = []
        for event in events:
            if self._fault is not None:
                break
            if isinstance(event, StreamFault):
                self._fault = event
            elif isinstance(event, StreamEnd):
                self._is_complete = True
            else:
                self._has_content = self._has_content or isinstance(event, _CONTENT)
                frames.append(self._writer.write(self._shown(event)))
        return b"".join(frames)

    def _shown(self, event: StreamEvent) -> StreamEvent:
        if isinstance(event, StreamStart) and not (event.id and event.model):
            unsaid = self._unsaid
            return replace(event, id=event.id or unsaid.id, model=event.model or unsaid.model)
        return restore_event(event, self._renamed)
