"""Writes spans, content and scores as rows of the trace store; reading them back is `store`'s."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sternpost.base.ids import ContentHash
from sternpost.capabilities.traces.media_room import noted, put_what_fits
from sternpost.capabilities.traces.recent import ContentKey, RecentHashes
from sternpost.contracts.blobs import Blob, BlobStore
from sternpost.contracts.score import Score
from sternpost.contracts.span import Content, GatewayFacts, Span, SpanBatch
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, Usage

_DAY_NS = 86_400_000_000_000

SPAN_COLUMNS = (
    *("project_id", "trace_id", "span_id", "parent_span_id", "type", "name", "started_ns", "ended_ns"),
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

_NO_USAGE: tuple[object, ...] = (*(0 for _ in range(10)), {}, "", False, "", None)
_NO_COST: tuple[object, ...] = (None, "", {}, "", "", None, {}, {})
_NO_GATEWAY: tuple[object, ...] = ("", "", "", 0, "", 0, 0)


@dataclass(frozen=True, slots=True)
class WrittenCounts:
    spans: int = 0
    contents: int = 0
    contents_known: int = 0
    scores: int = 0
    blobs: int = 0


def write_batches(
    store: TraceStore, blobs: BlobStore, batches: Sequence[SpanBatch], recent: RecentHashes
) -> WrittenCounts:
    """Insert batches; all blobs and rows are durable when this returns.

    Blobs go first, then content, so that whoever sees a span finds its messages and their media.
    What was written a short while ago for the same day is left out.
    Raises: StoreError; repeating the call is then harmless.
    """
    put, without = _put_blobs(blobs, batches, recent)
    if without:
        batches = [noted(batch, without) for batch in batches]
    wanted = [(content, day_ns) for batch in batches for content, day_ns in _kept_contents(batch)]
    fresh = {
        (content.hash, day_ns): _content_row(content, day_ns)
        for content, day_ns in wanted
        if (content.hash, day_ns) not in recent
    }
    spans = [_span_row(span) for batch in batches for span in batch.spans]
    scores = [_score_row(score) for batch in batches for score in batch.scores]
    if fresh:
        store.insert("content", CONTENT_COLUMNS, list(fresh.values()))
    if spans:
        store.insert("spans", SPAN_COLUMNS, spans)
    if scores:
        store.insert("scores", SCORE_COLUMNS, scores)
    recent.add_all(fresh)
    recent.add_all(put)
    return WrittenCounts(len(spans), len(fresh), len(wanted) - len(fresh), len(scores), len(put))


def _put_blobs(
    blobs: BlobStore, batches: Sequence[SpanBatch], recent: RecentHashes
) -> tuple[dict[ContentKey, Blob], dict[ContentHash, str]]:
    """Put what the batches refer to, again for each day of their spans: retention goes by the last time.

    Returns what was put, and what there was no room for.
    """
    wanted = {
        (blob.hash, day_ns): blob for batch in batches for day_ns in _days(batch) for blob in batch.blobs
    }
    fresh = {key: blob for key, blob in wanted.items() if key not in recent}
    without = put_what_fits(blobs, {blob.hash: blob for blob in fresh.values()}.values())
    return {key: blob for key, blob in fresh.items() if blob.hash not in without}, without


def _kept_contents(batch: SpanBatch) -> Iterator[tuple[Content, int]]:
    """Pair content with each day of the batch's spans: it is kept with that day and dropped with it."""
    for day_ns in _days(batch):
        for content in batch.contents:
            yield content, day_ns


def _days(batch: SpanBatch) -> set[int]:
    return {span.started_ns - span.started_ns % _DAY_NS for span in batch.spans}


def _content_row(content: Content, day_ns: int) -> Sequence[object]:
    return (content.project_id, content.hash, content.body, day_ns)


def _score_row(score: Score) -> Sequence[object]:
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


def _span_row(span: Span) -> Sequence[object]:
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
        trace.environment,
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
