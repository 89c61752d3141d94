"""The shapes of the traces API and of a page's position; not how they are computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from windlass.contracts.message import Json
from windlass.contracts.score import ScoreKind


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `since_ns` up to, not including, `until_ns`."""

    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The last trace of the page before: the next page begins behind it, newest first."""

    started_ns: int
    trace_id: str


@dataclass(frozen=True, slots=True)
class ScoreChip:
    name: str
    value: float | None
    label: str


@dataclass(frozen=True, slots=True)
class TraceItem:
    """One row of the traces list. `cost_status` is "" when nothing in the trace has a price."""

    trace_id: str
    name: str
    started_at: str
    duration_ms: float
    status: str
    span_count: int
    models: Sequence[str]
    input_tokens: int
    output_tokens: int
    cost_usd: str | None
    cost_nanousd: int | None
    cost_status: str
    session_id: str
    user_id: str
    tags: Sequence[str]
    input_preview: str
    output_preview: str
    scores: Sequence[ScoreChip] = ()


@dataclass(frozen=True, slots=True)
class TracePage:
    items: Sequence[TraceItem]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TraceSummary(TraceItem):
    """A trace with how many of its spans are left out of the reply."""

    truncated_spans: int = 0


@dataclass(frozen=True, slots=True)
class SpanView:
    """One span of a trace, with its messages."""

    span_id: str
    parent_span_id: str | None
    type: str
    name: str
    started_at: str
    duration_ms: float
    time_to_first_token_ms: float | None
    status: str
    error: str | None
    error_type: str | None
    provider: str
    request_model: str
    response_model: str
    route: str
    usage: Mapping[str, int] | None
    cost_usd: str | None
    cost_nanousd: int | None
    cost_status: str
    cost_reason: str
    cost_parts: Mapping[str, str]
    input: Sequence[Json]
    output: Sequence[Json]
    attributes: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ScoreView:
    score_id: str
    span_id: str | None
    name: str
    kind: str
    value: float | None
    label: str
    explanation: str
    source: str
    author: str
    created_at: str


@dataclass(frozen=True, slots=True)
class TraceDetail:
    trace: TraceSummary
    spans: Sequence[SpanView]
    scores: Sequence[ScoreView]


@dataclass(frozen=True, slots=True)
class NewScore:
    """A judgement someone sends in; `kind` follows from what is given when left out."""

    name: str
    value: float | bool | None = None
    label: str = ""
    explanation: str = ""
    kind: ScoreKind | None = None
    span_id: str | None = None
    source: Literal["api", "human", "user_feedback"] = "human"
    author: str = ""


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Sums over calls. Latencies are None without calls."""

    calls: int = 0
    errors: int = 0
    cost_usd: str = "0"
    cost_nanousd: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Totals(CallFigures):
    cost_status_counts: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint(CallFigures):
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures(CallFigures):
    model: str
    provider: str


@dataclass(frozen=True, slots=True)
class Overview:
    since: str
    until: str
    step_s: int
    totals: Totals
    series: Sequence[SeriesPoint]
    by_model: Sequence[ModelFigures]
