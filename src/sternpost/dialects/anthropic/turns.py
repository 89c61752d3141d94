"""Which parts of a turn Anthropic takes, and how turns are written; `pairing.turns` orders them."""

from collections.abc import Iterable, Mapping, Sequence

from sternpost.contracts.message import Json, OtherPart, Part, ReasoningPart, TextPart
from sternpost.dialects.anthropic.parts import write_part
from sternpost.dialects.claude.cache_control import write_mark
from sternpost.dialects.pairing.turns import Marks, Speaker, Turn
from sternpost.dialects.thinking.openai_mark import is_foreign
from sternpost.dialects.thinking.origin_mark import is_marked


def keep(parts: Sequence[Part], role: Speaker, dropped: list[str]) -> list[Part]:
    """Leave out what the API answers 400 to: empty texts, and thinking without a signature."""
    kept: list[Part] = []
    for part in parts:
        match part:
            case TextPart(content):
                if content and not content.isspace():
                    kept.append(part)
            case ReasoningPart(signature=None, encrypted_content=None):
                dropped.append("reasoning_content")
            case ReasoningPart(signature=signature) if is_marked(signature):
                dropped.append("thinking")  # another provider's
            case ReasoningPart() if is_foreign(part):
                dropped.append("thinking")
            case OtherPart(payload) if role == "assistant":
                dropped.append(f"content.{str(payload.get('type', 'other'))[:64]}")
            case _:
                kept.append(part)
    return kept


def write_turns(turns: Iterable[Turn], marks: Marks) -> list[Json]:
    """Write each turn; a single text goes as a string."""
    return [{"role": turn.role, "content": _write_parts(turn.parts, marks)} for turn in turns]


def _write_parts(parts: Sequence[Part], marks: Marks) -> Json:
    if len(parts) == 1 and isinstance(parts[0], TextPart) and id(parts[0]) not in marks:
        return parts[0].content
    return [_write_part(part, marks) for part in parts]


def _write_part(part: Part, marks: Marks) -> Mapping[str, Json]:
    mark = marks.get(id(part)) if marks else None
    if mark is None or isinstance(part, ReasoningPart):  # thinking is cached with what follows it
        return write_part(part)
    return {**write_part(part), **write_mark(mark.ttl)}
