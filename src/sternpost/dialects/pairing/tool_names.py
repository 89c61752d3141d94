"""Maps tool names to what a dialect allows and back, the same way every time; writes no tool."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from sternpost.contracts.chat import (
    ChatReply,
    ClientCall,
    ClientTool,
    Finish,
    Ping,
    StreamEvent,
    TextDelta,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.message import Message, Part, TextPart, ToolCallPart
from sternpost.dialects.pairing.client_tools import TextReader, text_of

_REFUSED: Final = re.compile(r"[^a-zA-Z0-9_-]")
_DIGEST: Final = 8
REPLY_TOOL: Final = "sternpost_reply"  # forced on models that know no other way to keep to a schema
NO_ARGUMENTS: Final = "{}"  # of a call that streamed none: callers of OpenAI's dialects parse the whole text
_IS_REPLY: Final = ""  # what the reply tool is renamed to
# A name as written -> the caller's, or what the caller's dialect calls the tool.
Renamed: TypeAlias = Mapping[str, str | ClientTool]
_NO_CLIENT_TOOLS: Final[Mapping[str, ClientTool]] = {}


class ToolNames:
    """The names of one request: `renamed` holds what was written in place of the caller's name."""

    def __init__(
        self,
        max_length: int,
        *,
        refused: re.Pattern[str] = _REFUSED,
        client_tools: Mapping[str, ClientTool] = _NO_CLIENT_TOOLS,
    ) -> None:
        self._max_length = max_length
        self._refused = refused
        self._written: dict[str, str] = {}
        self._client_tools = client_tools
        self.renamed: dict[str, str | ClientTool] = {}

    def write(self, name: str) -> str:
        """Return the name, or a shortened one with a digest so that two names never meet."""
        written = self._written.get(name)
        if written is None:
            written = self._written[name] = self._fitting(name)
            if name in self._client_tools:
                self.renamed[written] = self._client_tools[name]
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

    __slots__ = ("_has_calls", "_renamed", "_reply", "_texts")

    def __init__(self, renamed: Renamed) -> None:
        self._renamed = renamed
        self._reply: set[int] = set()  # indices of calls whose arguments are the reply
        self._texts: dict[tuple[int, int], TextReader] = {}  # of calls of custom tools, by choice and index
        self._has_calls = False

    def event(self, event: StreamEvent) -> StreamEvent:
        match event:
            case ToolStart():
                return self._start(event)
            case ToolArguments(index, text, choice) if index in self._reply:
                return TextDelta(text, choice)
            case ToolArguments(index, text, choice) if (choice, index) in self._texts:
                shown = self._texts[choice, index].feed(text)
                return ToolArguments(index, shown, choice) if shown else Ping()
            case Finish("tool") if self._reply and not self._has_calls:
                return replace(event, reason="end")
            case _:
                return event

    def rest(self, choice: int) -> Iterator[StreamEvent]:
        """Yield what was held back of a choice that ends now."""
        for (of_choice, index), text in self._texts.items():
            if of_choice == choice and (shown := text.rest()):
                yield ToolArguments(index, shown, choice)

    def _start(self, event: ToolStart) -> StreamEvent:
        own = self._renamed.get(event.name)
        if own == _IS_REPLY:
            self._reply.add(event.index)
            return Ping()  # shows nothing
        self._has_calls = True
        if not isinstance(own, ClientTool):
            return event if own is None else replace(event, name=own)
        if own.kind == "custom" and not own.is_native:
            self._texts[event.choice, event.index] = TextReader()
        return replace(event, name=own.name, tool=own)


def restore_reply(reply: ChatReply, renamed: Renamed) -> ChatReply:
    """Give the tool calls of a reply the caller's own names back."""
    if not renamed:
        return reply
    return replace(reply, choices=tuple(_restore(message, renamed) for message in reply.choices))


def _restore(message: Message, renamed: Renamed) -> Message:
    parts = tuple(_restored(part, renamed) for part in message.parts)
    finish = message.finish_reason
    if finish == "tool" and not any(isinstance(part, ToolCallPart) for part in parts):
        finish = "end"
    return replace(message, parts=parts, finish_reason=finish)


def _restored(part: Part, renamed: Renamed) -> Part:
    if not isinstance(part, ToolCallPart) or part.name not in renamed:
        return part
    own = renamed[part.name]
    if isinstance(own, ClientTool):
        is_wrapped = own.kind == "custom" and not own.is_native
        arguments = text_of(part.arguments) if is_wrapped else part.arguments
        return ClientCall(own.name, arguments, part.id, tool=own)
    return TextPart(part.arguments) if own == _IS_REPLY else replace(part, name=own)
