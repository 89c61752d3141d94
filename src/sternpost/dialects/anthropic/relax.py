"""Rewrites in a caller's own bytes what the chosen model answers 400 to, since generations of Claude differ.

A route may fall back from one generation to another, and a caller can't know which will answer. Sources:
`dialects.claude.efforts`. Fields that a model rejects whole are dropped by `head`.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from sternpost.contracts.chat import ReasoningRequest
from sternpost.contracts.message import Json
from sternpost.contracts.provider import ModelFacts
from sternpost.dialects.anthropic.names import EFFORT_BUDGETS
from sternpost.dialects.claude.efforts import (
    FORCED_CHOICE,
    MIN_BUDGET,
    NO_BUDGET,
    NO_EFFORT,
    adaptive_effort,
    unforced,
)
from sternpost.dialects.json_text.raw_object import UNREADABLE

RawFields = dict[str, msgspec.Raw | bytes]
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NOTHING: Final = ModelFacts("", "")
THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})


class _Block(msgspec.Struct):
    type: str = ""


class _Turn(msgspec.Struct):
    role: str = ""
    content: list[_Block] | str = ""


_TURN: Final = msgspec.json.Decoder(_Turn)


def relax(fields: RawFields, facts: ModelFacts | None, *, is_thinking_lost: bool) -> list[str]:
    """Edit the fields and return the names of what changed.

    is_thinking_lost: whether thoughts that only their own host reads were taken out of the messages.
    """
    known = facts if facts is not None and facts.abilities else _NOTHING
    changed = [*_lower_limit(fields, known), *_relax_choice(fields, known)]
    before = fields.get("thinking")
    if known is not _NOTHING:
        changed += _relax_thinking(fields, known)
    if NO_EFFORT in known.rejects:
        changed += _drop_effort(fields)
    is_new_budget = fields.get("thinking") is not before or is_thinking_lost
    if is_new_budget and _read(fields, "thinking").get("type") == "enabled" and _is_loop_bare(fields):
        del fields["thinking"]
        changed.append("thinking")
    return changed


def _lower_limit(fields: RawFields, facts: ModelFacts) -> list[str]:
    asked, most = _number(fields.get("max_tokens")), facts.max_output_tokens
    if asked is None or most is None or asked <= most:
        return []
    fields["max_tokens"] = msgspec.json.encode(most)
    return ["max_tokens (lowered to the model's limit)"]


def _relax_choice(fields: RawFields, facts: ModelFacts) -> list[str]:
    choice = _read(fields, "tool_choice")
    if FORCED_CHOICE not in facts.rejects or choice.get("type") not in ("any", "tool"):
        return []
    fields["tool_choice"] = msgspec.json.encode(unforced(choice))
    return ["tool_choice"]


def _relax_thinking(fields: RawFields, facts: ModelFacts) -> list[str]:
    thinking = _read(fields, "thinking")
    is_adaptive = "adaptive_thinking" in facts.abilities
    match thinking.get("type"):
        case "enabled" if NO_BUDGET in facts.rejects:
            return _write_adaptive(fields, thinking, facts)
        case "adaptive" if not is_adaptive:
            return _write_budget(fields, thinking, facts)
        case "disabled" if is_adaptive and "thinking_off" not in facts.abilities:
            del fields["thinking"]
            return ["thinking"]
        case _:
            return []


def _write_adaptive(fields: RawFields, thinking: Mapping[str, Json], facts: ModelFacts) -> list[str]:
    kept = {name: value for name, value in thinking.items() if name not in ("type", "budget_tokens")}
    fields["thinking"] = msgspec.json.encode({"type": "adaptive", **kept})
    config, budget = _read(fields, "output_config"), thinking.get("budget_tokens")
    if "effort" not in config and isinstance(budget, int):
        knows_xhigh = "xhigh_thinking" in facts.abilities
        effort = adaptive_effort(ReasoningRequest(budget_tokens=budget), knows_xhigh=knows_xhigh)
        fields["output_config"] = msgspec.json.encode({**config, "effort": effort})
    return ["thinking (asked for as an effort)"]


def _write_budget(fields: RawFields, thinking: Mapping[str, Json], facts: ModelFacts) -> list[str]:
    effort = _read(fields, "output_config").get("effort")
    budget = EFFORT_BUDGETS.get(effort if isinstance(effort, str) else "high", EFFORT_BUDGETS["high"])
    limit = _number(fields.get("max_tokens")) or facts.max_output_tokens or 0
    budget = min(budget, limit - MIN_BUDGET)
    if "reasoning" not in facts.abilities or budget < MIN_BUDGET:
        del fields["thinking"]
        return ["thinking"]
    fields["thinking"] = msgspec.json.encode({**thinking, "type": "enabled", "budget_tokens": budget})
    return ["thinking (asked for as a budget)"]


def _drop_effort(fields: RawFields) -> list[str]:
    config = dict(_read(fields, "output_config"))
    if config.pop("effort", None) is None:
        return []
    if config:
        fields["output_config"] = msgspec.json.encode(config)
    else:
        del fields["output_config"]
    return ["output_config.effort"]


def _is_loop_bare(fields: RawFields) -> bool:
    """Whether the turn whose calls are being answered lacks the thinking in front that a budget demands."""
    try:
        turns = [_TURN.decode(raw) for raw in _ITEMS.decode(fields["messages"])[-2:]]
    except UNREADABLE:
        return False  # of a shape that only the provider can judge
    if [turn.role for turn in turns] != ["assistant", "user"] or "tool_result" not in _kinds(turns[1]):
        return False
    kinds = _kinds(turns[0])
    return not kinds or kinds[0] not in THOUGHTS


def _kinds(turn: _Turn) -> list[str]:
    return [] if isinstance(turn.content, str) else [block.type for block in turn.content]


def _read(fields: RawFields, name: str) -> Mapping[str, Json]:
    value = _value(fields.get(name))
    return value if isinstance(value, dict) else {}


def _number(raw: msgspec.Raw | bytes | None) -> int | None:
    value = _value(raw)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _value(raw: msgspec.Raw | bytes | None) -> Json:
    try:
        return msgspec.json.decode(raw) if raw is not None else None
    except UNREADABLE:
        return None  # of a shape that only the provider can judge
