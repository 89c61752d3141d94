"""Arranges messages as Anthropic and Converse demand: alternating turns, results right behind their calls.

Sources: https://docs.anthropic.com/en/docs/build-with-claude/tool-use and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html. Writes no block itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import CacheMark
from sternpost.contracts.message import Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResponsePart

Speaker: TypeAlias = Literal["user", "assistant"]
# Returns the parts that may stay, and names in the list what had to go.
Keep: TypeAlias = Callable[[Sequence[Part], Speaker, list[str]], list[Part]]
Marks: TypeAlias = dict[int, CacheMark]  # by id() of the part: turns are merged, and results moved
_OPENING: Final = "(The conversation begins with the assistant.)"


@dataclass(slots=True)
class Turn:
    role: Speaker
    parts: list[Part] = field(default_factory=list[Part])


def marks_by_part(messages: Sequence[Message], marks: Iterable[CacheMark]) -> Marks:
    """Return the marks on messages; those on tools have a message below 0."""
    return {
        id(messages[mark.message].parts[mark.part]): mark
        for mark in marks
        if 0 <= mark.message < len(messages) and 0 <= mark.part < len(messages[mark.message].parts)
    }


def arrange(messages: Iterable[Message], keep: Keep, marks: Marks, dropped: list[str]) -> list[Turn]:
    """Merge consecutive messages of one role, results first within a user turn.

    Names in `dropped` what had to go. Raises: BadRequest when calls and results don't pair.
    """
    turns: list[Turn] = []
    for message in messages:
        if message.role == "system":
            continue
        role: Speaker = "assistant" if message.role == "assistant" else "user"
        parts = keep(message.parts, role, dropped)
        if not parts:
            continue
        if not turns or turns[-1].role != role:
            turns.append(Turn(role, parts))
        else:
            turns[-1].parts += parts
    if not turns or turns[0].role != "user":
        turns.insert(0, Turn("user", [TextPart(_OPENING)]))
        dropped.append("messages.0 (an opening user message was added)")
    _pair(turns)
    _trim_end(turns[-1], marks)
    return turns


def _pair(turns: Iterable[Turn]) -> None:
    """Check that the turn behind calls answers each of them, and put the answers first."""
    waiting: list[str] = []
    for turn in turns:
        if turn.role == "assistant":
            waiting = [part.id or "" for part in turn.parts if isinstance(part, ToolCallPart)]
            continue
        answered = [part.id or "" for part in turn.parts if isinstance(part, ToolResponsePart)]
        if answered:
            turn.parts.sort(key=lambda part: not isinstance(part, ToolResponsePart))
        _check_pairs(waiting, answered)
        waiting = []
    _check_pairs(waiting, [])


def _check_pairs(calls: Sequence[str], answers: Sequence[str]) -> None:
    for call in calls:
        if call not in answers:
            raise BadRequest(
                f"messages: the tool call {call[:64]!r} has no result; answer every call of an assistant"
                " message right behind it.",
                param="messages",
            )
    for answer in answers:
        if answer not in calls:
            raise BadRequest(
                f"messages: the tool result {answer[:64]!r} answers no call of the assistant message"
                " before it.",
                param="messages",
            )


def _trim_end(last: Turn, marks: Marks) -> None:
    """A final assistant text may not end in white space."""
    text = last.parts[-1]
    if last.role != "assistant" or not isinstance(text, TextPart) or not text.content[-1:].isspace():
        return
    trimmed = last.parts[-1] = replace(text, content=text.content.rstrip())
    mark = marks.pop(id(text), None)
    if mark is not None:
        marks[id(trimmed)] = mark


def can_think(turns: Sequence[Turn]) -> bool:
    """Whether Claude takes these turns with thinking on.

    It takes no prefilled answer, and in a tool loop it wants the thinking that led to the calls; a caller who
    lost that is answered without thinking, since it can't be invented.
    """
    if turns[-1].role == "assistant":
        return False
    is_tool_loop = any(isinstance(part, ToolResponsePart) for part in turns[-1].parts)
    return not is_tool_loop or isinstance(turns[-2].parts[0], ReasoningPart)
