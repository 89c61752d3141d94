"""Which spans of a trace represent another's call, as a person reads it; finding them is `same_calls`'."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_REASONS: Final[Mapping[str, str]] = {
    "parent": "the span below reports the same call",
    "response_id": "both have the same response id",
    "tokens_and_answer": "same model, tokens and answer",
    "tokens": "same model and tokens at the same time",
    "answer": "same model and answer at the same time",
    "question": "same model and input at the same time",
    "model_and_time": "same model at the same time, and nothing else to compare",
}


@dataclass(frozen=True, slots=True)
class Join:
    """Which span represents the call, and why, for a person."""

    counted_with: str
    reason: str


def read_joins(rows: Iterable[tuple[str, str, str]]) -> dict[str, Join]:
    """Read (span, other, why); where the other is joined itself, name the one at the end."""
    found = {span: (other, why) for span, other, why in rows}
    return {span: Join(_end_of(span, found), _REASONS.get(why, why)) for span, (_, why) in found.items()}


def _end_of(span: str, found: Mapping[str, tuple[str, str]]) -> str:
    seen = {span}
    end = found[span][0]
    while end in found and end not in seen:
        seen.add(end)
        end = found[end][0]
    return end
