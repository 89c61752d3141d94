"""Arranges messages as Anthropic demands: alternating turns, results right after their calls.

Source: https://docs.anthropic.com/en/docs/build-with-claude/tool-use. Writes no other field of a request.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from windlass.contracts.message import (
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
)
from windlass.dialects.anthropic.parts import write_part
from windlass.dialects.cache_control import Ttl, write_mark
from windlass.dialects.origin_mark import is_marked
from windlass.dialects.thinking_origin import is_foreign
from windlass.dialects.tool_pairs import check_pairs

_OPENING = "(The conversation begins with the assistant.)"


@dataclass(slots=True)
class Turn:
    role: Literal["user", "assistant"]
    parts: list[Part] = field(default_factory=list[Part])


def arrange(messages: Iterable[Message], dropped: list[str]) -> list[Turn]:
    """Merge consecutive messages of one role, results first within a user turn.

    Names in `dropped` what had to go. Raises: BadRequest when calls and results don't pair.
    """
    turns: list[Turn] = []
    for message in messages:
        if message.role == "system":
            continue
        role: Literal["user", "assistant"] = "assistant" if message.role == "assistant" else "user"
        parts = _kept(message.parts, role, dropped)
        if not parts:
            continue
        if not turns or turns[-1].role != role:
            turns.append(Turn(role))
        turns[-1].parts += parts
    if not turns or turns[0].role != "user":
        turns.insert(0, Turn("user", [TextPart(_OPENING)]))
        dropped.append("messages.0 (an opening user message was added)")
    _pair(turns)
    _trim_end(turns)
    return turns


def _kept(parts: Sequence[Part], role: str, dropped: list[str]) -> list[Part]:
    """Leave out what the API answers 400 to: empty texts, and thinking without a signature."""
    kept: list[Part] = []
    for part in parts:
        match part:
            case TextPart(content) if not content.strip():
                continue
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


def _pair(turns: list[Turn]) -> None:
    """Check that the turn behind calls answers each of them, and put the answers first."""
    waiting: list[str] = []
    for turn in turns:
        if turn.role == "assistant":
            waiting = [part.id or "" for part in turn.parts if isinstance(part, ToolCallPart)]
            continue
        results = [part for part in turn.parts if isinstance(part, ToolResponsePart)]
        answered = [part.id or "" for part in results]
        check_pairs(waiting, answered)
        turn.parts = [*results, *(part for part in turn.parts if not isinstance(part, ToolResponsePart))]
        waiting = []
    check_pairs(waiting, [])


def _trim_end(turns: list[Turn]) -> None:
    """A final assistant text may not end in white space."""
    last = turns[-1]
    text = last.parts[-1] if last.role == "assistant" and last.parts else None
    if isinstance(text, TextPart) and text.content[-1:].isspace():
        last.parts[-1] = replace(text, content=text.content.rstrip())


def can_think(turns: Sequence[Turn]) -> bool:
    """Whether the API takes these turns with thinking on.

    It takes no prefilled answer, and in a tool loop it wants the thinking that led to the calls; a caller who
    lost that is answered without thinking, since it can't be invented.
    """
    if turns[-1].role == "assistant":
        return False
    is_tool_loop = any(isinstance(part, ToolResponsePart) for part in turns[-1].parts)
    return not is_tool_loop or isinstance(turns[-2].parts[0], ReasoningPart)


def write_turns(turns: Iterable[Turn], marks: Mapping[int, Ttl]) -> list[Json]:
    """Write each turn; a single text goes as a string. marks: by id() of the part."""
    return [{"role": turn.role, "content": _write_parts(turn.parts, marks)} for turn in turns]


def _write_parts(parts: Sequence[Part], marks: Mapping[int, Ttl]) -> Json:
    if len(parts) == 1 and isinstance(parts[0], TextPart) and id(parts[0]) not in marks:
        return parts[0].content
    return [_write_part(part, marks) for part in parts]


def _write_part(part: Part, marks: Mapping[int, Ttl]) -> Mapping[str, Json]:
    ttl = marks.get(id(part))
    if ttl is None or isinstance(part, ReasoningPart):  # thinking is cached with what follows it
        return write_part(part)
    return {**write_part(part), **write_mark(ttl)}
