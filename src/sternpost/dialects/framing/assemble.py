"""Puts a recorded stream back together as one reply; serves the record, never a caller."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    ChatReply,
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
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
    TokenLogprob,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.message import (
    BlobPart,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.dialects.errors.failures import UNREADABLE_FRAME
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.protocols import ReplySummary, StreamReader, UpstreamCodec


@dataclass(slots=True)
class _Piece:
    """One part of a choice while its deltas arrive."""

    kind: str  # text, refusal, thinking, redacted, tool, audio, media
    texts: list[str] = field(default_factory=list[str])
    signature: str | None = None
    id: str = ""
    name: str = ""
    media: BlobPart | None = None

    def part(self) -> Part:
        if self.media is not None:
            return replace(self.media, content=_joined_base64(self.texts))
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
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    finish_reason: str = ""

    def piece(self, kind: str) -> _Piece:
        """Return the open piece of this kind, or a new one; a signed thought is closed."""
        last = self.pieces[-1] if self.pieces else None
        if last is not None and last.kind == kind and last.signature is None:
            return last
        self.pieces.append(_Piece(kind))
        return self.pieces[-1]

    def message(self) -> Message:
        parts = tuple(piece.part() for piece in self.pieces)
        return Message("assistant", parts, finish_reason=self.finish_reason)

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
            case MediaSeen(part):
                self._take_media(part)
            case LogprobsSeen(tokens):
                self.logprobs += tokens
            case _:
                return

    def _take_media(self, part: BlobPart) -> None:
        """Pieces of sound follow each other, each encoded by itself."""
        last = self.pieces[-1] if self.pieces else None
        is_more = last is not None and last.kind == "audio" and part.modality == "audio"
        if last is not None and is_more:
            last.texts.append(part.content)
        else:
            piece = _Piece("audio" if part.modality == "audio" else "media", [part.content], media=part)
            self.pieces.append(piece)


def read_stream_reply(codec: UpstreamCodec, body: bytes, quirks: Quirks = STANDARD) -> ChatReply | None:
    """Return what arrived; None when no reply began.

    A stream cut at any byte gives its whole frames: `finish_reason` "" and usage None where they are missing.
    """
    reader = codec.open_reader(quirks)
    return _reply_of([*reader.feed(body), *reader.finish()], reader)


def read_whole_stream(
    codec: UpstreamCodec, body: bytes, quirks: Quirks
) -> tuple[ChatReply, ReplySummary] | StreamFault | None:
    """Read a stream that came to its end where a whole reply was asked for; its fault, if it says one.

    None for bytes that are no such stream.
    """
    reader = codec.open_reader(quirks)
    events = [*reader.feed(body), *reader.finish()]
    for event in events:
        if isinstance(event, StreamFault) and event.error_type not in UNREADABLE_FRAME:
            return event
    reply = _reply_of(events, reader) if any(isinstance(event, StreamEnd) for event in events) else None
    return None if reply is None else (reply, reader.summary())


def read_recorded(codec: UpstreamCodec, body: bytes, *, is_stream: bool, quirks: Quirks) -> ChatReply | None:
    """Read the reply on a record, whichever framing was asked for and came; None when none began.

    Raises: BadRequest for bytes that are no reply.
    """
    if is_stream and (reply := read_stream_reply(codec, body, quirks)) is not None:
        return reply
    if is_stream and not body.startswith(b"{"):
        return None
    try:
        return codec.read_reply(without_halves(body).decode("utf-8", "replace").encode(), quirks)
    except BadRequest:
        reply = None if is_stream else read_stream_reply(codec, body, quirks)
        if reply is None:
            raise
        return reply


def _reply_of(events: Sequence[StreamEvent], reader: StreamReader) -> ChatReply | None:
    if not any(isinstance(event, StreamStart) for event in events):
        return None
    summary = reader.summary()
    choices = _assemble(events)
    logprobs = tuple(tuple(choice.logprobs) for choice in choices)
    return ChatReply(
        id=summary.id,
        model=summary.model,
        choices=tuple(choice.message() for choice in choices),
        usage=summary.usage,
        created_s=max(event.created_s for event in events if isinstance(event, StreamStart)),
        stop_sequence=next((e.stop_sequence for e in events if isinstance(e, Finish)), None),
        service_tier=summary.usage.service_tier if summary.usage else "",
        logprobs=logprobs if any(logprobs) else (),
        citations=tuple(event.citation for event in events if isinstance(event, CitationSeen)),
        safety=tuple(result for e in events if isinstance(e, SafetySeen) for result in e.results),
    )


def _assemble(events: Iterable[StreamEvent]) -> list[_Choice]:
    choices: dict[int, _Choice] = {0: _Choice()}
    for event in events:
        index: int = getattr(event, "choice", 0)
        choices.setdefault(index, _Choice()).take(event)
    return [choice for _, choice in sorted(choices.items())]


def _joined_base64(pieces: list[str]) -> str:
    if len(pieces) == 1:
        return pieces[0]
    try:
        return base64.b64encode(b"".join(map(base64.b64decode, pieces))).decode()
    except ValueError:  # not base64 after all: kept as it came
        return "".join(pieces)
