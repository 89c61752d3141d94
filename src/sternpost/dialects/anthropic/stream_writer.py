"""Writes events as an Anthropic stream; the terminal frames come with StreamEnd."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from sternpost.contracts.chat import (
    Citation,
    CitationSeen,
    Finish,
    Ping,
    RedactedThinking,
    RefusalDelta,
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
from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.anthropic.citations import write_citation
from sternpost.dialects.anthropic.errors import write_error_event
from sternpost.dialects.anthropic.names import STOP_WRITTEN
from sternpost.dialects.anthropic.parts import call_id
from sternpost.dialects.anthropic.usage import write_usage
from sternpost.dialects.protocols import WireError

PING_FRAME = b'event: ping\ndata: {"type": "ping"}\n\n'
_TEXT_TAIL = b"}}\n\n"
_BlockKind: TypeAlias = Literal["", "text", "thinking", "tool"]


@dataclass(slots=True)
class _WaitingBlock:
    """A block that can't be opened yet: Anthropic's blocks never interleave."""

    start: Mapping[str, Json]
    kind: _BlockKind
    pieces: list[str] = field(default_factory=list[str])


class AnthropicWriter:
    """Closes a block before it opens the next; parallel tool calls behind the open one wait for its end.

    A tool call of another dialect has no end of its own, so it ends with the reply.
    """

    __slots__ = (
        "_finish",
        "_index",
        "_is_refused",
        "_is_started",
        "_open",
        "_start",
        "_text_head",
        "_tool",
        "_usage",
        "_waiting",
    )

    def __init__(self) -> None:
        self._start = StreamStart("", "")
        self._is_started = False
        self._open: _BlockKind = ""
        self._text_head = b""  # of a delta of the open block of text: the same for each
        self._index = -1
        self._tool = -1  # which tool call the open block is
        self._waiting: dict[int, _WaitingBlock] = {}  # by tool call; -1: text behind tools
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._is_refused = False

    def write(self, event: StreamEvent) -> bytes:
        match event:
            case TextDelta(text):
                return self._text(text)
            case ToolArguments(index, text):
                return self._arguments(index, text)
            case ThinkingDelta(text):
                return self._thinking({"type": "thinking_delta", "thinking": text})
            case ToolStart():
                return self._tool_start(event)
            case ThinkingSignature(signature):
                written = self._thinking({"type": "signature_delta", "signature": signature})
                return written + self._close()
            case _:
                return self._write_rare(event)

    def fail(self, error: WireError) -> bytes:
        return write_error_event(error)

    def _write_rare(self, event: StreamEvent) -> bytes:
        match event:
            case StreamStart():
                self._start = event
                self._usage = event.usage or self._usage
                return self._message_start()
            case UsageSeen(usage):
                self._usage = usage
                return b""
            case RefusalDelta(text):
                self._is_refused = True
                return self._text(text)
            case RedactedThinking(sealed):
                return self._ready() + self._redacted(sealed)
            case Finish():
                self._finish = event
                return self._ready() + self._close() + self._flush()
            case CitationSeen(citation):
                return self._cite(citation)
            case Ping():
                return PING_FRAME
            case StreamEnd():
                return self._ending()
            case _:
                return b""

    def _message_start(self) -> bytes:
        if self._is_started:
            return b""
        self._is_started = True
        usage = write_usage(self._usage or Usage())
        message: dict[str, Json] = {
            "id": self._start.id,
            "type": "message",
            "role": "assistant",
            "model": self._start.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage | {"output_tokens": 0},
        }
        return _frame("message_start", {"message": message})

    def _ready(self) -> bytes:
        return b"" if self._is_started else self._message_start()

    def _text(self, text: str) -> bytes:
        if self._open == "tool":
            waiting = self._waiting.setdefault(-1, _WaitingBlock({"type": "text", "text": ""}, "text"))
            waiting.pieces.append(text)
            return b""
        opened = b""
        if self._open != "text":
            opened = self._open_block("text", {"type": "text", "text": ""})
            head = _frame("content_block_delta", {"index": self._index, "delta": {"type": "text_delta"}})
            self._text_head = head.removesuffix(_TEXT_TAIL) + b',"text":'
        return opened + self._text_head + msgspec.json.encode(text) + _TEXT_TAIL

    def _cite(self, citation: Citation) -> bytes:
        """A citation belongs to the text that is open; behind it there is no block to put it in."""
        if self._open != "text":
            return b""
        return self._delta({"type": "citations_delta", "citation": write_citation(citation)})

    def _thinking(self, delta: Mapping[str, Json]) -> bytes:
        if self._open == "tool":
            return b""  # thinking behind a tool call has no place in a turn
        opened = b""
        if self._open != "thinking":
            opened = self._open_block("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        return opened + self._delta(delta)

    def _redacted(self, sealed: str) -> bytes:
        if self._open == "tool":
            return b""
        opened = self._open_block("thinking", {"type": "redacted_thinking", "data": sealed})
        return opened + self._close()

    def _tool_start(self, start: ToolStart) -> bytes:
        named: dict[str, Json] = {"id": call_id(start.id), "name": start.name}
        block: dict[str, Json] = {"type": "tool_use", **named, "input": {}}
        if self._open == "tool":
            self._waiting[start.index] = _WaitingBlock(block, "tool")
            return b""
        opened = self._open_block("tool", block)
        self._tool = start.index
        return opened

    def _arguments(self, index: int, text: str) -> bytes:
        if index != self._tool:
            if index in self._waiting:
                self._waiting[index].pieces.append(text)
            return b""
        return self._delta({"type": "input_json_delta", "partial_json": text})

    def _open_block(self, kind: _BlockKind, block: Mapping[str, Json]) -> bytes:
        closed = self._ready() + self._close()
        self._index += 1
        self._open = kind
        return closed + _frame("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: Mapping[str, Json]) -> bytes:
        return _frame("content_block_delta", {"index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        self._tool = -1
        return _frame("content_block_stop", {"index": self._index})

    def _flush(self) -> bytes:
        frames: list[bytes] = []
        for waiting in self._waiting.values():
            frames.append(self._open_block(waiting.kind, waiting.start))
            text = "".join(waiting.pieces)
            if waiting.kind == "text":
                frames.append(self._delta({"type": "text_delta", "text": text}))
            elif text:
                frames.append(self._delta({"type": "input_json_delta", "partial_json": text}))
            frames.append(self._close())
        self._waiting.clear()
        return b"".join(frames)

    def _ending(self) -> bytes:
        finish = self._finish or Finish("unknown")
        delta: dict[str, Json] = {
            "stop_reason": "refusal" if self._is_refused else STOP_WRITTEN[finish.reason],
            "stop_sequence": finish.stop_sequence,
        }
        usage = write_usage(self._usage or Usage())
        closed = self._ready() + self._close() + self._flush()
        return closed + _frame("message_delta", {"delta": delta, "usage": usage}) + _frame("message_stop", {})


def _frame(kind: str, fields: Mapping[str, Json]) -> bytes:
    body: dict[str, Json] = {"type": kind, **fields}
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"
