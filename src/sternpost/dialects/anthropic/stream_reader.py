"""Reads an Anthropic stream into events; a caller of the same dialect gets a tap instead."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.chat import (
    Citation,
    CitationSeen,
    Finish,
    OtherSeen,
    Ping,
    RedactedThinking,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.dialects.anthropic.citations import read_citation
from sternpost.dialects.anthropic.events import (
    Block,
    Delta,
    EventUnreadable,
    StreamNotes,
    WireEvent,
    decode_event,
    early_blocks,
)
from sternpost.dialects.anthropic.names import STOP_READ
from sternpost.dialects.framing.framed import FramedReader
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.pairing.tool_names import NO_ARGUMENTS

_SHOWN: Final = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})


class AnthropicReader(FramedReader[StreamNotes]):
    """Blocks of tools that ran at the provider show nothing: no other dialect has a place for them."""

    __slots__ = ("_bare", "_block_start", "_cited", "_position", "_tools")

    def __init__(self) -> None:
        super().__init__(StreamNotes())
        self._position = 0  # characters of text so far
        self._block_start = 0
        self._cited: list[Citation] = []  # of the open block, whose end is not known yet
        self._tools: dict[int, int] = {}  # index of the block -> order of the tool call
        self._bare: set[int] = set()  # blocks of calls that have shown no arguments yet

    def _read(self, frame: bytes) -> Iterator[StreamEvent]:
        payload = payload_of(frame)
        if not payload or self._is_broken or self._notes.is_complete:
            return
        try:
            event = decode_event(payload, is_lenient=False)
            self._notes.take(event)
        except EventUnreadable as unreadable:
            self._is_broken = True
            yield unreadable.fault
            return
        yield from self._events(event)

    def _events(self, event: WireEvent) -> Iterator[StreamEvent]:
        match event.type:
            case "content_block_delta" if event.delta is not None:
                yield from self._delta(event.delta, event.index)
            case "content_block_start" if event.content_block is not None:
                yield from self._block(event.content_block, event.index)
            case "content_block_stop" if self._cited:
                yield from self._citations()
            case "content_block_stop" if event.index in self._bare:
                yield self._arguments(event.index, NO_ARGUMENTS)
            case "message_start":
                usage = self._notes.summary().usage
                yield StreamStart(self._notes.id, self._notes.model, usage=usage)
                yield from self._usage()
                for index, block in enumerate(early_blocks(event)):
                    yield from self._block(block, index)
            case "message_delta":
                yield from self._usage()
                if event.delta is not None and event.delta.stop_reason:
                    reason = STOP_READ.get(event.delta.stop_reason, "unknown")
                    yield Finish(reason, event.delta.stop_sequence)
            case "message_stop":
                yield StreamEnd()
            case "ping":
                yield Ping()
            case _:  # new event types must be ignored
                return

    def _usage(self) -> Iterator[StreamEvent]:
        usage = self._notes.summary().usage
        if usage is not None:
            yield UsageSeen(usage)

    def _delta(self, delta: Delta, index: int) -> Iterator[StreamEvent]:
        if delta.text:
            self._position += len(delta.text)
            yield TextDelta(delta.text)
        elif delta.partial_json and index in self._tools:
            yield self._arguments(index, delta.partial_json)
        elif delta.thinking:
            yield ThinkingDelta(delta.thinking)
        elif delta.signature:
            yield ThinkingSignature(delta.signature)
        elif delta.citation and (citation := read_citation(delta.citation)):
            self._cited.append(citation)

    def _arguments(self, index: int, text: str) -> ToolArguments:
        self._bare.discard(index)
        return ToolArguments(self._tools[index], text)

    def _citations(self) -> Iterator[StreamEvent]:
        for citation in self._cited:
            yield CitationSeen(replace(citation, start=self._block_start, end=self._position))
        self._cited.clear()

    def _block(self, block: Block, index: int) -> Iterator[StreamEvent]:
        self._block_start = self._position
        match block.type:
            case "text" if block.text:
                self._position += len(block.text)
                yield TextDelta(block.text)
            case "thinking":
                if block.thinking:
                    yield ThinkingDelta(block.thinking)
                if block.signature:
                    yield ThinkingSignature(block.signature)
            case "redacted_thinking" if block.data:
                yield RedactedThinking(block.data)
            case "tool_use":
                order = self._tools[index] = len(self._tools)
                self._bare.add(index)
                yield ToolStart(order, block.id or "", block.name or "")
                if block.input:  # some hosts send the whole input in the start
                    yield self._arguments(index, msgspec.json.encode(block.input).decode())
            case kind if kind and kind not in _SHOWN:
                yield OtherSeen(f"content.{kind[:64]}")
            case _:
                return
