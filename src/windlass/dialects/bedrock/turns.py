"""Arranges messages as Converse demands: alternating turns, results of tools together behind their calls.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html and
.../userguide/tool-use-inference-call.html. Writes no block itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from windlass.contracts.chat import CacheMark
from windlass.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from windlass.dialects.bedrock.parts import BlockWriter, is_base64
from windlass.dialects.origin_mark import is_marked
from windlass.dialects.tool_pairs import check_pairs

_OPENING = "(The conversation begins with the assistant.)"
_BESIDE_DOCUMENT = "See the document."
Marks: TypeAlias = Mapping[tuple[int, int], CacheMark]  # by message and part
_Role: TypeAlias = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part in its turn, and the cache mark behind it."""

    part: Part
    mark: CacheMark | None = None


@dataclass(slots=True)
class Turn:
    role: _Role
    pieces: list[Piece] = field(default_factory=list[Piece])

    @property
    def parts(self) -> list[Part]:
        return [piece.part for piece in self.pieces]


def arrange(
    messages: Sequence[Message], marks: Marks, dropped: list[str], *, takes_thinking: bool
) -> list[Turn]:
    """Merge consecutive messages of one role, results first within a user turn.

    Names in `dropped` what had to go. Raises: BadRequest when calls and results don't pair.
    """
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        if message.role == "system":
            continue
        role: _Role = "assistant" if message.role == "assistant" else "user"
        pieces = [
            Piece(part, marks.get((number, index)))
            for index, part in enumerate(message.parts)
            if _is_kept(part, role, dropped, takes_thinking=takes_thinking)
        ]
        if not pieces:
            continue
        if not turns or turns[-1].role != role:
            turns.append(Turn(role))
        turns[-1].pieces += pieces
    if not turns or turns[0].role != "user":
        turns.insert(0, Turn("user", [Piece(TextPart(_OPENING))]))
        dropped.append("messages.0 (an opening user message was added)")
    _pair(turns)
    _trim_end(turns)
    _speak_beside_documents(turns, dropped)
    return turns


def _is_kept(part: Part, role: _Role, dropped: list[str], *, takes_thinking: bool) -> bool:
    """Leave out what Bedrock answers 400 to: blank texts, foreign thinking, media of the assistant."""
    match part:
        case TextPart(content):
            return bool(content.strip())
        case ReasoningPart(encrypted_content=str(sealed)):
            is_kept, name = takes_thinking and is_base64(sealed), "thinking"
        case ReasoningPart(signature=signature):
            is_kept = takes_thinking and bool(signature) and not is_marked(signature)
            name = "reasoning_content"
        case BlobPart(modality) | UriPart(modality) | FilePart(modality):
            is_kept, name = role == "user", f"content.{modality}"
        case OtherPart(payload):
            is_kept, name = role == "user", f"content.{str(payload.get('type', 'other'))[:64]}"
        case _:
            return True
    if not is_kept:
        dropped.append(name)
    return is_kept


def _pair(turns: Sequence[Turn]) -> None:
    """Check that the turn behind calls answers each of them, and put the answers first."""
    waiting: list[str] = []
    for turn in turns:
        if turn.role == "assistant":
            waiting = [part.id or "" for part in turn.parts if isinstance(part, ToolCallPart)]
            continue
        turn.pieces.sort(key=lambda piece: not isinstance(piece.part, ToolResponsePart))
        check_pairs(waiting, [part.id or "" for part in turn.parts if isinstance(part, ToolResponsePart)])
        waiting = []
    check_pairs(waiting, [])


def _trim_end(turns: Sequence[Turn]) -> None:
    """A final assistant text may not end in white space."""
    last = turns[-1]
    if last.role == "assistant" and isinstance(text := last.pieces[-1].part, TextPart):
        last.pieces[-1] = replace(last.pieces[-1], part=replace(text, content=text.content.rstrip()))


def _speak_beside_documents(turns: Iterable[Turn], dropped: list[str]) -> None:
    """A message with a document must have a text."""
    for turn in turns:
        has_document = any(
            isinstance(part, BlobPart | UriPart) and part.modality == "document" for part in turn.parts
        )
        if has_document and not any(isinstance(part, TextPart) for part in turn.parts):
            turn.pieces.append(Piece(TextPart(_BESIDE_DOCUMENT)))
            dropped.append("messages (a text was added beside a document)")


def can_think(turns: Sequence[Turn]) -> bool:
    """Whether Claude takes these turns with thinking on: no prefill, and thinking kept in a tool loop."""
    if turns[-1].role == "assistant":
        return False
    is_tool_loop = any(isinstance(part, ToolResponsePart) for part in turns[-1].parts)
    return not is_tool_loop or isinstance(turns[-2].parts[0], ReasoningPart)


def write_turns(turns: Iterable[Turn], writer: BlockWriter, *, takes_ttl: bool) -> list[Json]:
    written: list[Json] = []
    for turn in turns:
        blocks: list[Json] = []
        for piece in turn.pieces:
            blocks.append(writer.write(piece.part))
            if piece.mark is not None:
                blocks.append(cache_point(piece.mark, takes_ttl=takes_ttl))
        written.append({"role": turn.role, "content": blocks})
    return written


def cache_point(mark: CacheMark, *, takes_ttl: bool) -> Mapping[str, Json]:
    """Write a mark. Source: .../bedrock/latest/APIReference/API_runtime_CachePointBlock.html"""
    point: dict[str, Json] = {"type": "default"}
    if takes_ttl and mark.ttl == "1h":
        point["ttl"] = "1h"
    return {"cachePoint": point}
