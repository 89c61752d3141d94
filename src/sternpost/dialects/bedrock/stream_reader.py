"""Reads a Bedrock stream into events; callers never get its frames but through the pass-through."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from sternpost.contracts.chat import (
    CitationSeen,
    Finish,
    FinishReason,
    MediaSeen,
    OtherSeen,
    RedactedThinking,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamFault,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.dialects.bedrock.errors import fault_of
from sternpost.dialects.bedrock.event_stream import EventFrame, EventStreamSplitter, FrameBroken
from sternpost.dialects.bedrock.events import (
    KNOWN_EVENTS,
    Delta,
    EventUnreadable,
    Reasoning,
    StreamNotes,
    WireEvent,
    decode_event,
)
from sternpost.dialects.bedrock.names import REPLY_TOOL, STOP_READ
from sternpost.dialects.bedrock.reply import (
    empty_fault,
    read_citation,
    read_image,
    safety_of,
    stop_sequence_of,
)
from sternpost.dialects.errors.failures import MALFORMED, fault_of_finish
from sternpost.dialects.json_text.halves import Halves, marked_halves
from sternpost.dialects.pairing.tool_names import NO_ARGUMENTS
from sternpost.dialects.protocols import ReplySummary

_CONTENT: Final = frozenset({"contentBlockStart", "contentBlockDelta"})


class BedrockReader:
    """Implements `dialects.protocols.StreamReader`. Text blocks have no start: a delta opens them."""

    __slots__ = (
        "_bare",
        "_formats",
        "_halves",
        "_has_content",
        "_is_broken",
        "_notes",
        "_reply_block",
        "_sealed",
        "_splitter",
        "_tools",
    )

    def __init__(self) -> None:
        self._splitter = EventStreamSplitter()
        self._notes = StreamNotes()
        self._is_broken = False
        self._has_content = False
        self._halves: Halves | None = None  # since the first half of a surrogate pair
        self._tools: dict[int, int] = {}  # index of the block -> order of the tool call
        self._bare: set[int] = set()  # blocks of calls that have shown no arguments yet
        self._reply_block: int | None = None  # the block of the tool whose call is the reply
        self._sealed: dict[int, list[str]] = {}  # redacted thinking, until its block ends
        self._formats: dict[int, str] = {}  # of images, by block

    def feed(self, chunk: bytes) -> Sequence[StreamEvent]:
        if self._is_broken:
            return ()
        events: list[StreamEvent] = []
        try:
            for frame in self._splitter.feed(chunk):
                events += self._read(frame)
                if self._is_broken and not self._is_mended(frame, events):
                    break
        except FrameBroken as error:
            self._is_broken = True
            events.append(StreamFault(MALFORMED, f"{str(error).capitalize()}."))
        return events if self._halves is None else self._halves.join(events)

    def _is_mended(self, frame: EventFrame, events: list[StreamEvent]) -> bool:
        """Read a frame again that can't be read because of half a surrogate pair."""
        fault = events[-1] if events else None
        payload = marked_halves(frame.payload)
        if not isinstance(fault, StreamFault) or fault.error_type != MALFORMED or payload == frame.payload:
            return False
        events.pop()
        self._is_broken = False
        self._halves = self._halves or Halves()
        events += self._read(replace(frame, payload=payload))
        return not self._is_broken

    def finish(self) -> Sequence[StreamEvent]:
        """Bytes cut inside a frame say nothing: the stream has no end then, and is truncated."""
        return () if self._halves is None else self._halves.flush()

    def summary(self) -> ReplySummary:
        return self._notes.summary()

    def _read(self, frame: EventFrame) -> Iterator[StreamEvent]:
        if self._notes.is_complete:
            return
        if frame.kind != "event":
            self._is_broken = True
            yield fault_of(frame)
            return
        if frame.name not in KNOWN_EVENTS:  # new events must be ignored
            return
        try:
            event = decode_event(frame)
        except EventUnreadable as unreadable:
            self._is_broken = True
            yield unreadable.fault
            return
        self._notes.take(frame.name, event)
        self._has_content = self._has_content or frame.name in _CONTENT
        yield from self._events(frame.name, event)

    def _events(self, name: str, event: WireEvent) -> Iterator[StreamEvent]:
        match name:
            case "messageStart":
                yield StreamStart("", "")
            case "contentBlockStart":
                yield from self._open(event)
            case "contentBlockDelta" if event.delta is not None:
                yield from self._delta(event.delta, event.content_block_index)
            case "contentBlockStop":
                yield from self._close(event.content_block_index)
            case "messageStop":
                fault = (fault_of_finish if self._has_content else empty_fault)(event.stop_reason)
                if fault is not None:
                    self._is_broken = True
                    yield fault
                    return
                safety = safety_of(event.stop_reason)
                if safety:
                    yield SafetySeen(safety)
                yield Finish(
                    self._reason(event.stop_reason), stop_sequence_of(event.additional_model_response_fields)
                )
            case "metadata":
                usage = self._notes.summary().usage
                if usage is not None:
                    yield UsageSeen(usage)
                if self._notes.is_complete:
                    yield StreamEnd()
            case _:
                return

    def _reason(self, stop_reason: str) -> FinishReason:
        reason = STOP_READ.get(stop_reason, "unknown")
        is_reply = reason == "tool" and self._reply_block is not None and not self._tools
        return "end" if is_reply else reason

    def _open(self, event: WireEvent) -> Iterator[StreamEvent]:
        start, index = event.start, event.content_block_index
        if start is None:
            return
        if start.image is not None:
            self._formats[index] = str(start.image.get("format", ""))
        tool = start.tool_use
        if tool is None:
            return
        if tool.type == "server_tool_use":
            yield OtherSeen("content.server_tool_use")
            return
        self._bare.add(index)
        if tool.name == REPLY_TOOL:
            self._reply_block = index
            return
        order = self._tools[index] = len(self._tools)
        yield ToolStart(order, tool.tool_use_id, tool.name)

    def _delta(self, delta: Delta, index: int) -> Iterator[StreamEvent]:
        if delta.text:
            yield TextDelta(delta.text)
        elif delta.tool_use is not None and delta.tool_use.input:
            yield from self._arguments(index, delta.tool_use.input)
        elif delta.reasoning_content is not None:
            yield from self._reasoning(delta.reasoning_content, index)
        elif delta.citation is not None:
            yield CitationSeen(read_citation(delta.citation))
        elif delta.image is not None:
            part = read_image({"format": self._formats.get(index, ""), **delta.image})
            if part is not None:
                yield MediaSeen(part)

    def _arguments(self, index: int, text: str) -> Iterator[StreamEvent]:
        self._bare.discard(index)
        if index == self._reply_block:
            yield TextDelta(text)
        elif index in self._tools:
            yield ToolArguments(self._tools[index], text)

    def _reasoning(self, reasoning: Reasoning, index: int) -> Iterator[StreamEvent]:
        if reasoning.text:
            yield ThinkingDelta(reasoning.text)
        if reasoning.signature:
            yield ThinkingSignature(reasoning.signature)
        if reasoning.redacted_content:
            self._sealed.setdefault(index, []).append(reasoning.redacted_content)

    def _close(self, index: int) -> Iterator[StreamEvent]:
        if index in self._bare:
            yield from self._arguments(index, NO_ARGUMENTS)
        pieces = self._sealed.pop(index, None)
        if pieces:
            yield RedactedThinking(_joined(pieces))


def _joined(pieces: Sequence[str]) -> str:
    """Join what was encoded piece by piece; one piece stays as it came."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return base64.b64encode(b"".join(map(base64.b64decode, pieces))).decode()
    except binascii.Error:
        return "".join(pieces)
