"""Writes spans, content and scores as rows of the trace store; reading them back is `store`'s."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sternpost.base.errors import StoreError
from sternpost.base.ids import ContentHash
from sternpost.capabilities.traces.inserts import RefusedRow, Row, TableInserts, days_of
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
class Written:
    """What became of batches. `refused` rows, and `broken` batches by number with why, are not stored."""

    spans: int = 0
    contents: int = 0
    contents_known: int = 0
    scores: int = 0
    blobs: int = 0
    refused: Sequence[RefusedRow] = ()
    broken: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass(slots=True)
class _Rows:
    contents: dict[ContentKey, Row] = field(default_factory=dict[ContentKey, Row])
    spans: list[Row] = field(default_factory=list[Row])
    scores: list[Row] = field(default_factory=list[Row])
    blobs: dict[ContentKey, Blob] = field(default_factory=dict[ContentKey, Blob])
    known: int = 0
    broken: dict[int, str] = field(default_factory=dict[int, str])


def write_batches(
    store: TraceStore, blobs: BlobStore, batches: Sequence[SpanBatch], recent: RecentHashes
) -> Written:
    """Insert batches; all blobs and rows but those returned as refused are durable when this returns.

    Blobs go first, then content, so that whoever sees a span finds its messages and their media. The newest
    days are written first. What was written a short while ago for the same day is left out.
    Raises: StoreError; repeating the call is then harmless.
    """
    rows = _rows_of(blobs, batches, recent)
    contents = TableInserts(store, "content", CONTENT_COLUMNS)
    spans = TableInserts(store, "spans", SPAN_COLUMNS)
    scores = TableInserts(store, "scores", SCORE_COLUMNS)
    for days in days_of([*rows.contents.values(), *rows.spans]):
        contents.insert([row for row in rows.contents.values() if row.day_ns in days])
        spans.insert([row for row in rows.spans if row.day_ns in days])
    for days in days_of(rows.scores):
        scores.insert([row for row in rows.scores if row.day_ns in days])
    for table in (contents, spans, scores):
        table.finish()
    lost = {id(one.row) for one in contents.refused}
    recent.add_all(key for key, row in rows.contents.items() if id(row) not in lost)
    recent.add_all(rows.blobs)
    return Written(
        spans.accepted,
        contents.accepted,
        rows.known,
        scores.accepted,
        len(rows.blobs),
        [*contents.refused, *spans.refused, *scores.refused],
        rows.broken,
    )


def _rows_of(blobs: BlobStore, batches: Sequence[SpanBatch], recent: RecentHashes) -> _Rows:
    """Make rows and put the media they refer to. Raises: StoreError."""
    rows = _Rows()
    for source, batch in enumerate(batches):
        try:
            _add_rows(rows, blobs, batch, source, recent)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # the edge of one batch; its record is set aside, and logged
            rows.broken[source] = f"it can't be written as rows ({type(error).__name__})"
    return rows


def _add_rows(rows: _Rows, blobs: BlobStore, batch: SpanBatch, source: int, recent: RecentHashes) -> None:
    """Add the rows of one batch, all or none."""
    spans = [Row(_span_row(span), _day(span.started_ns), source, span) for span in batch.spans]
    scores = [Row(_score_row(score), _day(score.created_ns), source, score) for score in batch.scores]
    days = {row.day_ns for row in spans}
    # Content and media are kept with each day of the batch's spans and are dropped with it: retention of
    # blobs goes by the last time they were put.
    contents = {
        (content.hash, day_ns): Row(_content_row(content, day_ns), day_ns, source, content, len(content.body))
        for day_ns in days
        for content in batch.contents
        if (content.hash, day_ns) not in recent and (content.hash, day_ns) not in rows.contents
    }
    media = {
        (blob.hash, day_ns): blob
        for day_ns in days
        for blob in batch.blobs
        if (blob.hash, day_ns) not in recent
    }
    put = {blob.hash for blob in rows.blobs.values()} if media else set[ContentHash]()
    for blob in {blob.hash: blob for blob in media.values()}.values():
        if blob.hash not in put:
            blobs.put(blob)
    rows.spans += spans
    rows.scores += scores
    rows.contents |= contents
    rows.known += len(batch.contents) * len(days) - len(contents)
    rows.blobs |= media


def _day(at_ns: int) -> int:
    return at_ns - at_ns % _DAY_NS


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
