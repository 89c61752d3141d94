"""Which parts of a turn Converse takes, and how turns are written; `pairing.turns` orders them.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sternpost.contracts.chat import CacheMark
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    UriPart,
)
from sternpost.dialects.bedrock.parts import BlockWriter, is_base64
from sternpost.dialects.pairing.turns import Keep, Marks, Speaker, Turn
from sternpost.dialects.thinking.origin_mark import is_marked

_BESIDE_DOCUMENT: Final = "See the document."
_SENT: Final = (BlobPart, UriPart)


def keeper(*, takes_thinking: bool) -> Keep:
    """Return what leaves out the parts that Bedrock answers 400 to."""

    def keep(parts: Sequence[Part], role: Speaker, dropped: list[str]) -> list[Part]:
        return [part for part in parts if _is_kept(part, role, dropped, takes_thinking=takes_thinking)]

    return keep


def _is_kept(part: Part, role: Speaker, dropped: list[str], *, takes_thinking: bool) -> bool:
    """Leave out what Bedrock answers 400 to: blank texts, foreign thinking, media of the assistant."""
    match part:
        case TextPart(content):
            return bool(content) and not content.isspace()
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


def speak_beside_documents(turns: Iterable[Turn], dropped: list[str]) -> None:
    """A message with a document must have a text."""
    for turn in turns:
        has_document = any(isinstance(part, _SENT) and part.modality == "document" for part in turn.parts)
        if has_document and not any(isinstance(part, TextPart) for part in turn.parts):
            turn.parts.append(TextPart(_BESIDE_DOCUMENT))
            dropped.append("messages (a text was added beside a document)")


def write_turns(turns: Iterable[Turn], writer: BlockWriter, marks: Marks, *, takes_ttl: bool) -> list[Json]:
    written: list[Json] = []
    for turn in turns:
        blocks: list[Json] = []
        for part in turn.parts:
            blocks.append(writer.write(part))
            if marks and (mark := marks.get(id(part))):
                blocks.append(cache_point(mark, takes_ttl=takes_ttl))
        written.append({"role": turn.role, "content": blocks})
    return written


def cache_point(mark: CacheMark, *, takes_ttl: bool) -> Mapping[str, Json]:
    """Write a mark. Source: .../bedrock/latest/APIReference/API_runtime_CachePointBlock.html"""
    point: dict[str, Json] = {"type": "default"}
    if takes_ttl and mark.ttl == "1h":
        point["ttl"] = "1h"
    return {"cachePoint": point}
