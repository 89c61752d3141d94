"""A score: one judgement of one target; not how it is computed."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sternpost.base.ids import ProjectId, ScoreId, SpanId, TraceId

ScoreKind: TypeAlias = Literal["numeric", "boolean", "category", "text"]
ScoreSource: TypeAlias = Literal["api", "human", "judge", "code", "guardrail", "user_feedback"]


@dataclass(frozen=True, slots=True)
class Score:
    """Append-only; the current one is the newest by (target, name, source, author).

    `value` is None when the score is a category, a text, or unscored; `unscored_reason` says why.
    """

    project_id: ProjectId
    score_id: ScoreId
    trace_id: TraceId
    span_id: SpanId | None  # None: the whole trace
    name: str
    kind: ScoreKind
    source: ScoreSource
    created_ns: int
    value: float | None = None  # numeric as given, boolean as 0 or 1
    label: str = ""
    explanation: str = ""
    author: str = ""
    unscored_reason: str = ""
    response_id: str = ""  # of the reply that is judged, where `trace_id` is "": its span is looked up
