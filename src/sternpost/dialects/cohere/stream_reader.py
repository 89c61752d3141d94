"""Reads a stream of Cohere's chat into events; `message-end` is its terminal marker."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sternpost.contracts.chat import (
    CitationSeen,
    Finish,
    LogprobsSeen,
    OtherSeen,
    StreamEnd,
    StreamEvent,
    StreamFault,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.contracts.message import Json
from sternpost.dialects.cohere.citations import read_citation
from sternpost.dialects.cohere.names import FAILED, FINISH_READ
from sternpost.dialects.cohere.reply import TEXTS, read_logprob
from sternpost.dialects.cohere.usage import read_usage
from sternpost.dialects.errors.failures import scrub
from sternpost.dialects.framing.framed import FramedReader, PlainNotes
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    id: str | None = None
    function: _Function | None = None


class _Block(msgspec.Struct):
    type: Any = None
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    content: _Block | list[_Block] | None = None  # `message-start` shows an empty list
    tool_plan: str | None = None
    tool_calls: _Call | list[_Call] | None = None
    citations: Any = None


class _Delta(msgspec.Struct):
    message: _Message | None = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None


class WireEvent(msgspec.Struct):
    type: str = ""
    id: Any = None
    index: Any = None
    delta: _Delta | None = None
    logprobs: Any = None
    message: Any = None  # of an error that came as an event


_EVENT = msgspec.json.Decoder(WireEvent)
_NO_MESSAGE = _Message()
_SILENT = frozenset({"content-end", "tool-call-end", "citation-end", "debug"})


class CohereReader(FramedReader[PlainNotes]):
    """Tool calls are told apart by the `index` of their event."""

    __slots__ = ("_block_starts", "_characters", "_is_started", "_tools")

    def __init__(self) -> None:
        super().__init__(PlainNotes())
        self._is_started = False
        self._tools: dict[int, int] = {}  # the event's index -> order of the tool call
        self._block_starts: dict[int, int] = {}  # the block's index -> where its text begins
        self._characters = 0

    def _read(self, frame: bytes) -> Iterator[StreamEvent]:
        payload = payload_of(frame)
        if not payload or payload == b"[DONE]" or self._is_broken or self._notes.is_complete:
            return
        try:
            event = _EVENT.decode(payload)
        except msgspec.ValidationError:
            yield self._broken("unknown_frame", "The provider's stream holds a frame of an unknown shape.")
            return
        except UNREADABLE:
            yield self._broken(
                "malformed_frame", "The provider's stream holds a frame that is not valid JSON."
            )
            return
        if not event.type and isinstance(event.message, str):  # an error answer that came as an event
            self._is_broken = True
            yield StreamFault("server_error", scrub(event.message))
            return
        if not self._is_started and event.type not in _SILENT:
            self._is_started = True
            self._notes.id = text_or_empty(event.id)
            yield StreamStart(self._notes.id, "")
        yield from self._events(event)

    def _broken(self, kind: str, message: str) -> StreamFault:
        self._is_broken = True
        return StreamFault(kind, message)

    def _events(self, event: WireEvent) -> Iterator[StreamEvent]:
        message = event.delta.message if event.delta and event.delta.message else _NO_MESSAGE
        index = event.index if isinstance(event.index, int) else 0
        match event.type:
            case "content-start" | "content-delta":
                yield from self._content(event, message, index)
            case "tool-plan-delta":
                yield from self._text(message.tool_plan)
            case "tool-call-start" | "tool-call-delta":
                yield from self._tool(message, index)
            case "citation-start":
                yield from self._citation(message.citations)
            case "message-end":
                yield from self._end(event.delta or _Delta())
            case _:
                return

    def _content(self, event: WireEvent, message: _Message, index: int) -> Iterator[StreamEvent]:
        blocks = message.content if isinstance(message.content, list) else [message.content or _Block()]
        for block in blocks:
            if isinstance(block.type, str) and block.type not in TEXTS and event.type == "content-start":
                yield OtherSeen(f"content.{block.type[:64]}")
            if block.thinking:
                self._notes.has_content = True
                yield ThinkingDelta(block.thinking)
            if block.text is not None:
                self._block_starts.setdefault(index, self._characters)
            yield from self._text(block.text)
        if tokens := tuple(read_logprob(event.logprobs)):
            yield LogprobsSeen(tokens)

    def _text(self, text: str | None) -> Iterator[StreamEvent]:
        if text:
            self._notes.has_content = True
            self._characters += len(text)
            yield TextDelta(text)

    def _tool(self, message: _Message, index: int) -> Iterator[StreamEvent]:
        calls = message.tool_calls
        call = (calls[0] if calls else None) if isinstance(calls, list) else calls
        function = call.function if call and call.function else _Function()
        if index not in self._tools:
            self._notes.has_content = True
            order = self._tools[index] = len(self._tools)
            yield ToolStart(order, (call.id if call else None) or f"call_{order}", function.name or "")
        if function.arguments:
            yield ToolArguments(self._tools[index], function.arguments)

    def _citation(self, citations: Json) -> Iterator[StreamEvent]:
        for values in citations if isinstance(citations, list) else [citations]:
            block = values.get("content_index") if isinstance(values, Mapping) else None
            first = min(self._block_starts.values(), default=0)
            offset = self._block_starts.get(block, first) if isinstance(block, int) else first
            for citation in read_citation(values, offset=offset):
                yield CitationSeen(citation)

    def _end(self, delta: _Delta) -> Iterator[StreamEvent]:
        notes = self._notes
        notes.finish = text_or_empty(delta.finish_reason)
        notes.usage = read_usage(delta.usage) or notes.usage
        if notes.usage is not None:
            yield UsageSeen(notes.usage)
        error = text_or_empty(delta.error)
        if error or notes.finish in FAILED:
            self._is_broken = True
            said = scrub(error) or f"The provider ended its reply with {notes.finish}."
            yield StreamFault("server_error", said, status=FAILED.get(notes.finish, 502))
            return
        if delta.message is not None and not notes.has_content:  # said at the end alone
            yield from self._content(WireEvent(), delta.message, 0)
        reason = FINISH_READ.get(notes.finish, "unknown")
        yield Finish("tool" if reason == "end" and self._tools else reason)
        notes.is_complete = True
        yield StreamEnd()
