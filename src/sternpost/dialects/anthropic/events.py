"""The typed shape of one Anthropic stream event and what a stream has shown so far; writes nothing.

Every frame is decoded in full, so broken JSON syntax is found wherever it is. Not found: invalid UTF-8
inside strings nobody reads, and values of fields nobody reads.
"""

from typing import Any

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.dialects.anthropic.usage import merge_usage, read_usage
from sternpost.dialects.errors.failures import fault_from, fault_of_finish
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import ReplySummary


class MessageHead(msgspec.Struct):
    id: Any = None  # only a string is a name
    model: Any = None
    usage: Any = None
    content: Any = None  # empty, but at hosts that say all of it here


class Delta(msgspec.Struct):
    """The delta of a block or of the message: which fields are set depends on `type`."""

    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    citation: dict[str, Any] | None = None


class Block(msgspec.Struct):
    type: str = ""
    id: str | None = None
    name: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    input: dict[str, Any] | None = None


class WireEvent(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: MessageHead | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Any = None
    error: Any = None


class _OddEvent(msgspec.Struct):
    """What is still read from an event whose other fields have unexpected types."""

    type: str = ""


_KNOWN = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
_EVENT = msgspec.json.Decoder(WireEvent)
_ODD = msgspec.json.Decoder(_OddEvent)


class EventUnreadable(ValueError):
    """Carries the fault a frame stands for."""

    def __init__(self, fault: StreamFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def decode_event(payload: bytes, *, is_lenient: bool) -> WireEvent:
    """Decode one payload.

    is_lenient: whether valid JSON of an unknown shape is let through with what could be read of it; one who
    translates would lose tokens. Raises: EventUnreadable for broken JSON and for an error of the provider.
    """
    try:
        event = _EVENT.decode(payload)
    except msgspec.ValidationError:
        event = _decode_odd(payload, is_lenient=is_lenient)
    except UNREADABLE as error:
        raise EventUnreadable(
            StreamFault("malformed_frame", "The provider's stream holds a frame that is not valid JSON.")
        ) from error
    if event.error or event.type == "error":
        raise EventUnreadable(fault_from(event.error))
    return event


def _decode_odd(payload: bytes, *, is_lenient: bool) -> WireEvent:
    unknown = StreamFault("unknown_frame", "The provider's stream holds a frame of an unknown shape.")
    try:
        kind = _ODD.decode(payload).type
    except UNREADABLE as error:
        raise EventUnreadable(unknown) from error
    if not is_lenient and kind in _KNOWN:
        raise EventUnreadable(unknown)
    return WireEvent(type=kind)


def has_content(event: WireEvent) -> bool:
    """Whether an event carries text, tool, thinking or a citation."""
    if event.type == "content_block_delta":
        delta = event.delta
        if delta is None:
            return False
        return bool(delta.text or delta.thinking or delta.signature) or delta.type in (
            "input_json_delta",
            "citations_delta",
        )
    if event.type == "content_block_start" and event.content_block is not None:
        block = event.content_block
        return bool(block.text or block.thinking) or block.type not in ("text", "thinking")
    return event.message is not None and bool(event.message.content)


def early_blocks(event: WireEvent) -> list[Block]:
    """Return the blocks that a host put into the start of its message; nothing of an unknown shape."""
    try:
        return msgspec.convert(event.message.content if event.message else None, list[Block] | None) or []
    except msgspec.ValidationError:
        return []


class StreamNotes:
    """What a stream has shown: names, usage, stop reason, content and its terminal marker."""

    __slots__ = ("_usage", "has_content", "id", "is_complete", "model", "stop_reason")

    def __init__(self) -> None:
        self._usage: dict[str, Json] = {}
        self.has_content = False
        self.is_complete = False
        self.id = ""
        self.model = ""
        self.stop_reason = ""

    def take(self, event: WireEvent) -> None:
        """Raises: EventUnreadable for a message that ended in a failure of the provider."""
        kind = event.type
        if not self.has_content:
            self.has_content = has_content(event)
        if kind == "content_block_delta":
            return
        if kind == "message_start" and event.message is not None:
            self.id = text_or_empty(event.message.id)
            self.model = text_or_empty(event.message.model)
            merge_usage(self._usage, event.message.usage)
        elif kind == "message_delta":
            merge_usage(self._usage, event.usage)
            if event.delta is not None and event.delta.stop_reason:
                self.stop_reason = event.delta.stop_reason
                if (fault := fault_of_finish(self.stop_reason)) is not None:
                    raise EventUnreadable(fault)
        elif kind == "message_stop":
            self.is_complete = True

    def summary(self) -> ReplySummary:
        return ReplySummary(
            usage=read_usage(self._usage),
            model=self.model,
            id=self.id,
            finish_reasons=(self.stop_reason,) if self.stop_reason else (),
        )
