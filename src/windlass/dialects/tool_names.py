"""Maps tool names to what a dialect allows and back, the same way every time."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from windlass.contracts.chat import ChatReply, StreamEvent, ToolStart
from windlass.contracts.message import Message, ToolCallPart

_REFUSED: Final = re.compile(r"[^a-zA-Z0-9_-]")
_DIGEST: Final = 8


class ToolNames:
    """The names of one request: `renamed` holds what was written in place of the caller's name."""

    def __init__(self, max_length: int, *, refused: re.Pattern[str] = _REFUSED) -> None:
        self._max_length = max_length
        self._refused = refused
        self.renamed: dict[str, str] = {}

    def write(self, name: str) -> str:
        """Return the name, or a shortened one with a digest so that two names never meet."""
        clean = self._refused.sub("_", name)
        if clean == name and len(name) <= self._max_length:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
        written = f"{clean[: self._max_length - _DIGEST - 1]}_{digest}"
        self.renamed[written] = name
        return written

    def rename(self, message: Message) -> Message:
        """Write the names of a message's tool calls."""
        parts = tuple(
            replace(part, name=self.write(part.name)) if isinstance(part, ToolCallPart) else part
            for part in message.parts
        )
        return message if parts == message.parts else replace(message, parts=parts)


def restore_event(event: StreamEvent, renamed: Mapping[str, str]) -> StreamEvent:
    """Give a tool call of a stream the caller's own name back."""
    if isinstance(event, ToolStart) and event.name in renamed:
        return replace(event, name=renamed[event.name])
    return event


def restore_reply(reply: ChatReply, renamed: Mapping[str, str]) -> ChatReply:
    """Give the tool calls of a reply the caller's own names back."""
    if not renamed:
        return reply
    return replace(reply, choices=tuple(_restore(message, renamed) for message in reply.choices))


def _restore(message: Message, renamed: Mapping[str, str]) -> Message:
    parts = tuple(
        replace(part, name=renamed.get(part.name, part.name)) if isinstance(part, ToolCallPart) else part
        for part in message.parts
    )
    return replace(message, parts=parts)
