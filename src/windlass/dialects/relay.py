"""Carries one stream from the upstream's dialect to the caller's; sends and awaits nothing."""

from collections.abc import Iterable, Mapping

from windlass.contracts.chat import (
    MediaSeen,
    RedactedThinking,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    StreamFault,
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


def open_relay(
    source: UpstreamCodec,
    sink: Codec,
    head: RequestHead,
    quirks: Quirks,
    *,
    renamed_tools: Mapping[str, str] = _NO_NAMES,
    created_s: int = 0,
) -> Relay:
    """Open the relay from an upstream that speaks `source` to a caller that speaks `sink`.

    renamed_tools: from the WrittenRequest. created_s: the time shown where upstream's dialect has none.
    """
    if source.name == sink.name:
        return sink.open_tap(head, quirks)
    writer = sink.open_writer(head, created_s=created_s)
    return _Translation(source.open_reader(quirks), writer, renamed_tools)


class _Translation:
    __slots__ = ("_fault", "_has_content", "_is_complete", "_reader", "_renamed", "_writer")

    def __init__(self, reader: StreamReader, writer: StreamWriter, renamed: Mapping[str, str]) -> None:
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
                frames.append(self._writer.write(restore_event(event, self._renamed)))
        return b"".join(frames)
