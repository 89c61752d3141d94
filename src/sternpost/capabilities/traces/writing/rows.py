"""A span, a content object or a score as a row of its table; not when it is written."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sternpost.contracts.environment import DEFAULT_ENVIRONMENT
from sternpost.contracts.score import Score
from sternpost.contracts.span import Content, GatewayFacts, Span
from sternpost.contracts.usage import Cost, Usage

SPAN_COLUMNS = (
    *("project_id", "trace_id", "span_id", "parent_span_id", "type", "name", "started_ns", "ended_ns"),
    "is_time_skewed",
    *("status", "operation", "error_type", "error"),
    *(
        "user_id",
        "session_id",
        "tags",
        "trace_name",
        "run_id",
        "feature",
        "environment",
        "release",
        "service",
    ),
    *("provider", "request_model", "response_model", "response_id", "parameters", "finish_reasons"),
    *("time_to_first_token_ns",),
    *("in_fresh", "in_cache_read", "in_cache_write_5m", "in_cache_write_1h", "in_audio", "in_image"),
    *("out_text", "out_reasoning", "out_audio", "out_image"),
    *("units", "usage_source", "usage_is_mismatch", "service_tier", "reported_nanousd"),
    *("cost_nanousd", "cost_status", "cost_parts", "price_version", "cost_reason"),
    *("cache_saved_nanousd", "cost_rates", "cost_basis", "is_rollup"),
    *("key_id", "route", "target", "attempt_number", "fallback_from", "http_status", "overhead_ns"),
    *("input_hashes", "output_hashes", "preview_input", "preview_output", "attributes"),
    *("scope", "mapping_version", "received_ns", "written_by"),
)
CONTENT_COLUMNS = ("project_id", "hash", "body", "first_seen_ns")
SCORE_COLUMNS = (
    *("project_id", "score_id", "trace_id", "span_id", "name", "kind", "source", "created_ns"),
    *("value", "label", "explanation", "author", "unscored_reason"),
)
WAITING_SCORE_COLUMNS = (
    *("project_id", "response_id", "score_id", "day", "name", "kind", "source", "created_ns"),
    *("value", "label", "explanation", "author", "unscored_reason", "is_settled"),
)

_NO_USAGE: tuple[object, ...] = (*(0 for _ in range(10)), {}, "", False, "", None)
_NO_COST: tuple[object, ...] = (None, "", {}, "", "", None, {}, {})
_NO_GATEWAY: tuple[object, ...] = ("", "", "", 0, "", 0, 0)


def content_row(content: Content, day_ns: int) -> Sequence[object]:
    return (content.project_id, content.hash, content.body, day_ns)


def score_row(score: Score) -> Sequence[object]:
    return (
        score.project_id,
        score.score_id,
        score.trace_id,
        score.span_id or "",
        score.name,
        score.kind,
        score.source,
        score.created_ns,
        score.value,
        score.label,
        score.explanation,
        score.author,
        score.unscored_reason,
    )


def waiting_score_row(score: Score) -> Sequence[object]:
    """Return the row of a score that waits for the span of the reply it names."""
    day = datetime.fromtimestamp(score.created_ns // 1_000_000_000, UTC)
    return (
        *(score.project_id, score.response_id, score.score_id, int(day.strftime("%Y%m%d"))),
        *(score.name, score.kind, score.source, score.created_ns, score.value, score.label),
        *(score.explanation, score.author, score.unscored_reason, 0),
    )


def span_row(span: Span) -> Sequence[object]:
    trace, model, cost = span.trace, span.model, span.cost
    return (
        span.project_id,
        span.trace_id,
        span.span_id,
        span.parent_span_id or "",
        span.type.value,
        span.name,
        span.started_ns,
        span.ended_ns,
        span.is_time_skewed,
        span.status.value,
        span.operation,
        span.error_type,
        span.error,
        trace.user_id,
        trace.session_id,
        trace.tags,
        trace.trace_name,
        trace.run_id,
        trace.feature,
        trace.environment or DEFAULT_ENVIRONMENT,
        trace.release,
        trace.service,
        model.provider,
        model.request_model,
        model.response_model,
        model.response_id,
        model.parameters,
        model.finish_reasons,
        model.time_to_first_token_ns,
        *(_NO_USAGE if span.usage is None else _usage_row(span.usage)),
        *(_NO_COST if cost is None else _cost_row(cost)),
        span.is_rollup,
        *(_NO_GATEWAY if span.gateway is None else _gateway_row(span.gateway)),
        span.input_hashes,
        span.output_hashes,
        span.preview_input,
        span.preview_output,
        span.attributes,
        span.scope,
        span.mapping_version,
        span.received_ns,
        span.written_by or "",
    )


def _usage_row(usage: Usage) -> Sequence[object]:
    return (
        usage.in_fresh,
        usage.in_cache_read,
        usage.in_cache_write_5m,
        usage.in_cache_write_1h,
        usage.in_audio,
        usage.in_image,
        usage.out_text,
        usage.out_reasoning,
        usage.out_audio,
        usage.out_image,
        usage.units,
        usage.source.value,
        usage.is_mismatch,
        usage.service_tier,
        usage.reported_nanousd,
    )


def _cost_row(cost: Cost) -> Sequence[object]:
    return (
        cost.nanousd,
        cost.status.value,
        cost.parts,
        cost.price_version,
        cost.reason,
        cost.saved_nanousd,
        cost.rates,
        cost.basis,
    )


def _gateway_row(facts: GatewayFacts) -> Sequence[object]:
    return (
        facts.key_id or "",
        facts.route,
        facts.target,
        facts.attempt_number,
        facts.fallback_from,
        facts.http_status,
        facts.overhead_ns,
    )
