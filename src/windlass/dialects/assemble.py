"""Puts a recorded stream back together as one reply; serves the record, never a caller."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from windlass.contracts.chat import (
    ChatReply,
    Finish,
    RedactedThinking,
    RefusalDelta,
    StreamEvent,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
)
from windlass.contracts.dialect import UpstreamCodec
from windlass.contracts.message import (
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from windlass.contracts.provider import STANDARD, Quirks


@dataclass(slots=True)
class _Piece:
    """One part of a choice while its deltas arrive."""

    kind: str  # text, refusal, thinking, redacted, tool
    texts: list[str] = field(default_factory=list[str])
    signature: str | None = None
    id: str = ""
    name: str = ""

    def part(self) -> Part:
        text = "".join(self.texts)
        match self.kind:
            case "tool":
                return ToolCallPart(self.name, text, self.id or None)
            case "thinking":
                return ReasoningPart(text, signature=self.signature)
            case "redacted":
                return ReasoningPart(encrypted_content=text)
            case "refusal":
                return RefusalPart(text)
            case _:
                return TextPart(text)


@dataclass(slots=True)
class _Choice:
    pieces: list[_Piece] = field(default_factory=list[_Piece])
    tools: dict[int, _Piece] = field(default_factory=dict[int, _Piece])
    finish_reason: str = ""

    def piece(self, kind: str) -> _Piece:
        """Return the open piece of this kind, or a new one; a signed thought is closed."""
        last = self.pieces[-1] if self.pieces else None
        if last is not None and last.kind == kind and last.signature is None:
            return last
        self.pieces.append(_Piece(kind))
        return self.pieces[-1]

    def take(self, event: StreamEvent) -> None:
        match event:
            case TextDelta(text):
                self.piece("text").texts.append(text)
            case RefusalDelta(text):
                self.piece("refusal").texts.append(text)
            case ThinkingDelta(text):
                self.piece("thinking").texts.append(text)
            case ThinkingSignature(signature):
                self.piece("thinking").signature = signature
            case RedactedThinking(sealed):
                self.pieces.append(_Piece("redacted", [sealed]))
            case ToolStart(index, id, name):
                self.tools[index] = _Piece("tool", id=id, name=name)
                self.pieces.append(self.tools[index])
            case ToolArguments(index, text) if index in self.tools:
                self.tools[index].texts.append(text)
            case Finish(reason):
                self.finish_reason = reason
            case _:
                return


def read_stream_reply(codec: UpstreamCodec, body: bytes, quirks: Quirks = STANDARD) -> ChatReply | None:
    """Return what arrived; None when no reply began.

    A stream cut at any byte gives its whole frames: `finish_reason` "" and usage None where they are missing.
    """
    reader = codec.open_reader(quirks)
    events = [*reader.feed(body), *reader.finish()]
    if not any(isinstance(event, StreamStart) for event in events):
        return None
    summary = reader.summary()
    return ChatReply(
        id=summary.id,
        model=summary.model,
        choices=_assemble(events),
        usage=summary.usage,
        created_s=max(event.created_s for event in events if isinstance(event, StreamStart)),
        stop_sequence=next((e.stop_sequence for e in events if isinstance(e, Finish)), None),
        service_tier=summary.usage.service_tier if summary.usage else "",
    )


def _assemble(events: Iterable[StreamEvent]) -> tuple[Message, ...]:
    choices: dict[int, _Choice] = {0: _Choice()}
    for event in events:
        index: int = getattr(event, "choice", 0)
        choices.setdefault(index, _Choice()).take(event)
    return tuple(
        Message(
            "assistant",
            tuple(piece.part() for piece in choice.pieces),
            finish_reason=choice.finish_reason,
        )
        for _, choice in sorted(choices.items())
    )
