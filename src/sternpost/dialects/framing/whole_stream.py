"""A whole reply where a stream was asked for, read as one; it writes nothing to a caller.

What came is paid for: it is shown as it is, and not asked for again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    ChatReply,
    CitationSeen,
    Finish,
    FinishReason,
    LogprobsSeen,
    MediaSeen,
    OtherSeen,
    RedactedThinking,
    RefusalDelta,
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
from sternpost.contracts.message import (
    BlobPart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from sternpost.contracts.provider import Quirks
from sternpost.dialects.errors.failures import fault_in
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import Relay, ReplySummary, UpstreamCodec, WireError

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_UNREAD: Final = StreamFault("unknown_frame", "The provider sent a whole answer that can't be read.")
_REASONS: Final[Mapping[str, FinishReason]] = {
    "": "end",
    "end": "end",
    "stop_sequence": "stop_sequence",
    "length": "length",
    "context_full": "context_full",
    "tool": "tool",
    "filtered": "filtered",
    "paused": "paused",
    "malformed_tool": "malformed_tool",
}


class WholeReader:
    """Implements `StreamReader`: collects a whole reply and shows it at the end of the bytes."""

    __slots__ = ("_body", "_codec", "_is_over", "_quirks", "_summary")

    def __init__(self, codec: UpstreamCodec, quirks: Quirks) -> None:
        self._codec = codec
        self._quirks = quirks
        self._body = bytearray()
        self._summary = ReplySummary()
        self._is_over = False

    def feed(self, chunk: bytes) -> Sequence[StreamEvent]:
        if self._is_over:
            return ()
        self._body += chunk
        if len(self._body) <= MAX_BODY_BYTES:
            return ()
        self._is_over = True
        self._body.clear()
        return (StreamFault("frame_too_large", f"The answer is larger than {MAX_BODY_BYTES} bytes."),)

    def finish(self) -> Sequence[StreamEvent]:
        if self._is_over:
            return ()
        self._is_over = True
        body = without_halves(bytes(self._body).strip())
        items = _items(body) if body[:1] == b"[" else []
        if len(items) > 1:  # what Gemini streams without `alt=sse`
            reader = self._codec.open_reader(self._quirks)
            events = [event for item in items for event in reader.feed(b"data: " + item + b"\n\n")]
            events += reader.finish()
            self._summary = reader.summary()
            return events
        return self._read(body)

    def _read(self, body: bytes) -> Sequence[StreamEvent]:
        self._summary = self._codec.summarise(body, self._quirks)
        if self._summary.fault is not None:
            return (self._summary.fault,)
        try:
            return list(events_of(self._codec.read_reply(body, self._quirks)))
        except BadRequest:
            return (fault_in(body) or _UNREAD,)

    def summary(self) -> ReplySummary:
        return self._summary


def _items(body: bytes) -> list[bytes]:
    try:
        return [msgspec.json.format(bytes(item), indent=0) for item in _ITEMS.decode(body)]
    except UNREADABLE:
        return []


def events_of(reply: ChatReply) -> Iterator[StreamEvent]:
    """Yield the events of a stream that shows this reply."""
    yield StreamStart(reply.id, reply.model, reply.created_s, reply.usage)
    order = 0
    for choice, message in enumerate(reply.choices):
        for part in message.parts:
            yield from _of_part(part, order, choice)
            order += isinstance(part, ToolCallPart)
        if choice < len(reply.logprobs) and reply.logprobs[choice]:
            yield LogprobsSeen(reply.logprobs[choice], choice)
        yield from (CitationSeen(one) for one in reply.citations if one.choice == choice)
    if reply.safety:
        yield SafetySeen(reply.safety)
    if reply.usage is not None:
        yield UsageSeen(reply.usage)
    for choice, message in enumerate(reply.choices):
        yield Finish(_reason_of(message), reply.stop_sequence, choice)
    yield StreamEnd()


def _of_part(part: Part, order: int, choice: int) -> Iterator[StreamEvent]:
    match part:
        case TextPart(text):
            yield TextDelta(text, choice)
        case RefusalPart(text):
            yield RefusalDelta(text, choice)
        case ReasoningPart():
            yield from _of_thought(part, choice)
        case ToolCallPart():
            yield ToolStart(order, part.id or "", part.name, choice)
            yield ToolArguments(order, part.arguments, choice)
        case BlobPart():
            yield MediaSeen(part, choice)
        case OtherPart(payload):
            yield OtherSeen(f"content.{str(payload.get('type', 'other'))[:64]}")
        case _:
            return


def _of_thought(part: ReasoningPart, choice: int) -> Iterator[StreamEvent]:
    if part.content:
        yield ThinkingDelta(part.content, choice)
    if part.signature:
        yield ThinkingSignature(part.signature)
    if part.encrypted_content:
        yield RedactedThinking(part.encrypted_content)


def _reason_of(message: Message) -> FinishReason:
    return _REASONS.get(message.finish_reason or "", "unknown")


def finish_with_calls(reason: FinishReason, *, has_calls: bool) -> FinishReason:
    """Say why a reply ended that names calls without having any, or has calls and says nothing of them."""
    if has_calls:
        return "tool" if reason in ("end", "unknown") else reason
    return "end" if reason == "tool" else reason


def settled(reply: ChatReply) -> ChatReply:
    """Let the finish reasons of a whole reply agree with what it holds."""
    choices = tuple(map(_settled, reply.choices))
    return reply if choices == reply.choices else replace(reply, choices=choices)


def _settled(message: Message) -> Message:
    has_calls = any(isinstance(part, ToolCallPart) for part in message.parts)
    if not message.finish_reason and not has_calls:
        return message
    reason = finish_with_calls(_reason_of(message), has_calls=has_calls)
    return message if reason == message.finish_reason else replace(message, finish_reason=reason)


class DoubtfulRelay:
    """Implements `Relay` for a stream whose content type names JSON: its first byte says what it is."""

    def __init__(self, stream: Relay, open_whole: Callable[[], Relay]) -> None:
        self._relay = stream
        self._open_whole = open_whole
        self._is_decided = False

    @property
    def has_content(self) -> bool:
        return self._relay.has_content

    @property
    def is_complete(self) -> bool:
        return self._relay.is_complete

    @property
    def fault(self) -> StreamFault | None:
        return self._relay.fault

    def feed(self, chunk: bytes) -> bytes:
        if not self._is_decided:
            chunk = chunk.lstrip()
            if not chunk:
                return b""
            self._is_decided = True
            if chunk[:1] in (b"{", b"["):
                self._relay = self._open_whole()
        return self._relay.feed(chunk)

    def finish(self) -> bytes:
        return self._relay.finish()

    def closing(self, at_s: int = 0) -> bytes:
        return self._relay.closing(at_s)

    def failing(self, error: WireError) -> bytes:
        return self._relay.failing(error)

    def summary(self) -> ReplySummary:
        return self._relay.summary()

    def unshown(self) -> Sequence[str]:
        return self._relay.unshown()
