"""The shapes of the traces API and of a page's position; not how they are computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from typing_extensions import TypedDict

from sternpost.base.fact_values import FactValue
from sternpost.contracts.score import ScoreKind

StatusName: TypeAlias = Literal["ok", "error", "truncated", "cancelled"]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `since_ns` up to, not including, `until_ns`."""

    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class TraceTimes(TimeRange):
    """Where the spans of a trace lie, and when it began by the clocks that can be right."""

    began_ns: int


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The last trace of the page before: the next page begins behind it, newest first."""

    started_ns: int
    trace_id: str


@dataclass(frozen=True, slots=True)
class ScoreChip:
    name: str
    value: float | None
    label: str | None


@dataclass(frozen=True, slots=True)
class TraceItem:
    """One row of the traces list. `cost_status` is "" when nothing in the trace has a price."""

    trace_id: str
    name: str
    started_at: str
    duration_ms: float
    status: StatusName
    span_count: int
    models: Sequence[str]
    input_tokens: int
    output_tokens: int
    cost_usd: str | None
    cost_nanousd: int | None
    cost_status: str
    cache_read_tokens: int
    cache_saved_usd: str | None
    cache_saved_nanousd: int | None
    session_id: str | None
    user_id: str | None
    environment: str  # of its root
    tags: Sequence[str]
    input_preview: str
    output_preview: str
    error_preview: str  # the error of the trace, else of its first span that failed
    scores: Sequence[ScoreChip]


@dataclass(frozen=True, slots=True)
class TracePage:
    items: Sequence[TraceItem]
    next_cursor: str | None
    searched_until: str | None = None  # set where the search stopped early: complete from here to the present


@dataclass(frozen=True, slots=True)
class TraceHead(TraceItem):
    """A trace with how many of its spans are left out of the reply."""

    truncated_spans: int


class Part(TypedDict, total=False):
    """A part of a message as it is stored; which fields there are depends on `type`."""

    type: str
    content: object
    id: str | None
    name: str | None
    arguments: object
    response: object
    is_error: bool | None
    score: float | None
    title: str | None
    uri: str | None
    modality: str | None
    mime_type: str | None
    filename: str | None
    file_id: str | None
    hash: str | None
    size_bytes: int | None
    signature: str | None
    encrypted_content: str | None
    media: object
    payload: object


class _MessageCore(TypedDict):
    role: str
    parts: list[Part]


class Message(_MessageCore, total=False):
    name: str | None
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """One span of a trace, with its messages.

    counted: false where another span represents the same call, so that its tokens and cost are left out of
    every sum; counted_with names that span and join_reason says why.
    """

    span_id: str
    parent_span_id: str | None
    type: str
    name: str
    started_at: str
    duration_ms: float
    time_to_first_token_ms: float | None
    status: StatusName
    error: str | None
    error_type: str | None
    provider: str | None
    request_model: str | None
    response_model: str | None
    route: str | None
    usage: Mapping[str, int] | None
    cost_usd: str | None
    cost_nanousd: int | None
    cost_status: str | None
    cost_reason: str | None
    cost_parts: Mapping[str, str]
    is_time_skewed: bool  # its times can't be right, or lie outside its parent's: it bounds no trace
    counted: bool
    counted_with: str | None
    join_reason: str | None
    cache_hit_rate: float | None
    cache_saved_usd: str | None
    cache_saved_nanousd: int | None
    input: Sequence[Message]
    output: Sequence[Message]
    attributes: Mapping[str, object]
    facts: Mapping[str, FactValue]  # what Sternpost itself recorded


@dataclass(frozen=True, slots=True)
class Score:
    score_id: str
    span_id: str | None
    name: str
    kind: str
    value: float | None
    label: str | None
    explanation: str | None
    source: str
    author: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class TraceDetail:
    """A trace; `spans_cursor` is for the spans after these, and is null when there are none."""

    trace: TraceHead
    spans: Sequence[Span]
    scores: Sequence[Score]
    spans_cursor: str | None


@dataclass(frozen=True, slots=True)
class NewScore:
    """A judgement someone sends in; a boolean is a value of 0 or 1, a category or text a label."""

    name: str
    kind: ScoreKind
    value: float | None = None
    label: str | None = None
    explanation: str | None = None
    span_id: str | None = None


@dataclass(frozen=True, slots=True)
class OverviewTotals:
    """Sums over calls; cost and latencies are null when no call has one.

    cache_hit_rate: the share of input tokens that the providers' prompt caches served, from 0 to 1; null when
    nothing is known. cache_saved: against fresh input, extra cost of writing taken off; may be negative.
    """

    calls: int
    errors: int
    cost_usd: str | None
    cost_nanousd: int | None
    input_tokens: int
    output_tokens: int
    cache_hit_rate: float | None
    cache_saved_usd: str
    cache_saved_nanousd: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    cost_status_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OverviewPoint:
    at: str
    calls: int
    errors: int
    cost_usd: str | None
    cost_nanousd: int | None
    input_tokens: int
    output_tokens: int
    cache_hit_rate: float | None
    cache_saved_usd: str
    cache_saved_nanousd: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class ModelShare:
    """One model's part of the sums: its failures, its answers and their dated versions in one row."""

    model: str  # without a date
    provider: str
    filter: str  # finds its traces; empty for calls that named no model
    calls: int
    errors: int
    cost_usd: str | None
    cost_nanousd: int | None
    input_tokens: int
    output_tokens: int
    cache_hit_rate: float | None
    cache_saved_usd: str
    cache_saved_nanousd: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Overview:
    since: str
    until: str
    step_s: int
    totals: OverviewTotals
    series: Sequence[OverviewPoint]
    by_model: Sequence[ModelShare]
