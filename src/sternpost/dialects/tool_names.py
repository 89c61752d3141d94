"""Maps tool names to what a dialect allows and back, the same way every time; writes no tool."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sternpost.contracts.chat import (
    ChatReply,
    Finish,
    Ping,
    StreamEvent,
    TextDelta,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.message import Message, Part, TextPart, ToolCallPart

_REFUSED: Final = re.compile(r"[^a-zA-Z0-9_-]")
_DIGEST: Final = 8
REPLY_TOOL: Final = "sternpost_reply"  # forced on models that know no other way to keep to a schema
NO_ARGUMENTS: Final = "{}"  # of a call that streamed none: callers of OpenAI's dialects parse the whole text
_IS_REPLY: Final = ""  # what the reply tool is renamed to


class ToolNames:
    """The names of one request: `renamed` holds what was written in place of the caller's name."""

    def __init__(self, max_length: int, *, refused: re.Pattern[str] = _REFUSED) -> None:
        self._max_length = max_length
        self._refused = refused
        self._written: dict[str, str] = {}
        self.renamed: dict[str, str] = {}

    def write(self, name: str) -> str:
        """Return the name, or a shortened one with a digest so that two names never meet."""
        written = self._written.get(name)
        if written is None:
            written = self._written[name] = self._fitting(name)
        return written

    def _fitting(self, name: str) -> str:
        clean = self._refused.sub("_", name)
        if clean == name and len(name) <= self._max_length:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
        written = f"{clean[: self._max_length - _DIGEST - 1]}_{digest}"
        self.renamed[written] = name
        return written

    def rename(self, message: Message) -> Message:
        """Write the names of a message's tool calls."""
        if message.role != "assistant":
            return message
        names = [part.name for part in message.parts if isinstance(part, ToolCallPart)]
        if all(self.write(name) == name for name in names):
            return message
        parts = tuple(
            replace(part, name=self.write(part.name)) if isinstance(part, ToolCallPart) else part
            for part in message.parts
        )
        return replace(message, parts=parts)


class Restorer:
    """Gives the tool calls of one stream the caller's names back; a call of the reply tool is its text."""

    __slots__ = ("_has_calls", "_renamed", "_reply")

    def __init__(self, renamed: Mapping[str, str]) -> None:
        self._renamed = renamed
        self._reply: set[int] = set()  # indices of calls whose arguments are the reply
        self._has_calls = False

    def event(self, event: StreamEvent) -> StreamEvent:
        match event:
            case ToolStart(index, _, name):
                return self._start(event, index, name)
            case ToolArguments(index, text, choice) if index in self._reply:
                return TextDelta(text, choice)
            case Finish("tool") if self._reply and not self._has_calls:
                return replace(event, reason="end")
            case _:
                return event

    def _start(self, event: ToolStart, index: int, name: str) -> StreamEvent:
        own = self._renamed.get(name)
        if own == _IS_REPLY:
            self._reply.add(index)
            return Ping()  # shows nothing
        self._has_calls = True
        return event if own is None else replace(event, name=own)


def restore_reply(reply: ChatReply, renamed: Mapping[str, str]) -> ChatReply:
    """Give the tool calls of a reply the caller's own names back."""
    if not renamed:
        return reply
    return replace(reply, choices=tuple(_restore(message, renamed) for message in reply.choices))


def _restore(message: Message, renamed: Mapping[str, str]) -> Message:
    parts = tuple(_restored(part, renamed) for part in message.parts)
    finish = message.finish_reason
    if finish == "tool" and not any(isinstance(part, ToolCallPart) for part in parts):
        finish = "end"
    return replace(message, parts=parts, finish_reason=finish)


def _restored(part: Part, renamed: Mapping[str, str]) -> Part:
    if not isinstance(part, ToolCallPart) or part.name not in renamed:
        return part
    own = renamed[part.name]
    return TextPart(part.arguments) if own == _IS_REPLY else replace(part, name=own)
