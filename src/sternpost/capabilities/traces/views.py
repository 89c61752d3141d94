"""Turns rows of the store into the records of the API; asks nothing itself."""

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

import msgspec

from sternpost.base.fact_values import FACT_PREFIX, read_facts
from sternpost.base.money import NanoUsd, usd_text
from sternpost.capabilities.traces.content import CONTENT_REFERENCE, preview_text
from sternpost.capabilities.traces.joins import Join
from sternpost.capabilities.traces.overview.model_names import filter_of
from sternpost.capabilities.traces.records import (
    Message,
    ModelShare,
    OverviewPoint,
    OverviewTotals,
    Score,
    ScoreChip,
    Span,
    StatusName,
    TraceHead,
    TraceItem,
)
from sternpost.capabilities.traces.rules import iso_time
from sternpost.contracts.span_facts import Facts
from sternpost.contracts.usage import CostStatus

Row = Mapping[str, object]
T = TypeVar("T")

_INPUT_BUCKETS = (
    "in_fresh",
    "in_cache_read",
    "in_cache_write_5m",
    "in_cache_write_1h",
    "in_audio",
    "in_image",
)
_BUCKETS = (
    *_INPUT_BUCKETS,
    *("out_text", "out_reasoning", "out_audio", "out_image"),
)
# Columns without a field of their own in the reply, shown among the attributes when they hold something.
_AS_ATTRIBUTES = (
    *("operation", "response_id", "parameters", "service_tier", "usage_source", "usage_is_mismatch"),
    *("price_version", "is_rollup"),
    *("key_id", "target", "attempt_number", "fallback_from", "http_status"),
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
    *("scope", "mapping_version"),
)
_STATUSES: Mapping[str, StatusName] = {
    "error": "error",
    "truncated": "truncated",
    "cancelled": "cancelled",
}
_COUNTED_TYPES = frozenset({"gateway", "llm", "embedding", "reranker"})
_DECODE_MESSAGE = msgspec.json.Decoder(Message)
_NOT_STORED: Message = {"role": "system", "parts": [{"type": "other", "payload": {"missing": "content"}}]}


def trace_item(row: Row, scores: Sequence[Row]) -> TraceItem:
    return TraceItem(**_trace_fields(row, scores))  # type: ignore[arg-type]  # one dict for two records


def trace_head(row: Row, scores: Sequence[Row], shown_spans: int) -> TraceHead:
    left_out = max(_int(row["span_count"]) - shown_spans, 0)
    return TraceHead(**_trace_fields(row, scores), truncated_spans=left_out)  # type: ignore[arg-type]  # as above


def _trace_fields(row: Row, scores: Sequence[Row]) -> dict[str, object]:
    cost_nanousd, cost_status = _trace_cost(row)
    first_ns = _int(row["first_ns"])
    return {
        "trace_id": _text(row["trace_id"]),
        "name": _text(row["given_name"]) or _text(row["root_name"]),
        "started_at": iso_time(first_ns),
        "duration_ms": _ms(_int(row["last_ns"]) - first_ns),
        "status": _status(row["trace_status"]),
        "span_count": _int(row["span_count"]),
        "models": sorted(_texts(row["models"])),
        "input_tokens": _int(row["input_tokens"]),
        "output_tokens": _int(row["output_tokens"]),
        "cost_usd": _usd(cost_nanousd),
        "cost_nanousd": cost_nanousd,
        "cost_status": cost_status,
        "cache_read_tokens": _int(row["cache_read_tokens"]),
        **_saved(row["cache_saved_nanousd"]),
        "session_id": _text(row["session_id"]) or None,
        "user_id": _text(row["user_id"]) or None,
        "environment": _text(row["environment"]),
        "tags": sorted(_texts(row["tags"])),
        "input_preview": _text(row["preview_input"]),
        "output_preview": _text(row["preview_output"]),
        "error_preview": preview_text(_text(row["preview_error"])),
        "scores": [score_chip(score) for score in scores],
    }


def _trace_cost(row: Row) -> tuple[int | None, str]:
    """Sum what is known; the status is the least certain one, and a sum that misses a part is an estimate."""
    statuses = set(_texts(row["cost_statuses"]))
    if not statuses:
        return None, ""
    if statuses == {CostStatus.UNKNOWN.value}:
        return None, CostStatus.UNKNOWN.value
    known = _int(row["cost_nanousd"])
    order = (CostStatus.ESTIMATED, CostStatus.COMPUTED, CostStatus.PROVIDER_REPORTED, CostStatus.FREE)
    if CostStatus.UNKNOWN.value in statuses:
        return known, CostStatus.ESTIMATED.value
    return known, next(status.value for status in order if status.value in statuses)


def score_chip(row: Row) -> ScoreChip:
    return ScoreChip(_text(row["name"]), _float(row["value"]), _text(row["label"]) or None)


def score_view(row: Row) -> Score:
    return Score(
        score_id=_text(row["score_id"]),
        span_id=_text(row["span_id"]) or None,
        name=_text(row["name"]),
        kind=_text(row["kind"]),
        value=_float(row["value"]),
        label=_text(row["label"]) or None,
        explanation=_text(row["explanation"]) or None,
        source=_text(row["source"]),
        author=_text(row["author"]) or None,
        created_at=iso_time(_int(row["created_ns"])),
    )


def span_view(
    row: Row,
    bodies: Mapping[str, str],
    facts: Facts,
    join: Join | None = None,
    *,
    is_lone: bool = False,
    is_time_skewed: bool = False,
) -> Span:
    """is_lone: an agent or chain whose usage nothing below it reports."""
    started_ns = _int(row["started_ns"])
    cost = row["cost_nanousd"]
    cost_nanousd = cost if isinstance(cost, int) else None
    first_token = row["time_to_first_token_ns"]
    return Span(
        span_id=_text(row["span_id"]),
        parent_span_id=_text(row["parent_span_id"]) or None,
        type=_text(row["type"]),
        name=_text(row["name"]),
        started_at=iso_time(started_ns),
        duration_ms=_ms(_int(row["ended_ns"]) - started_ns),
        time_to_first_token_ms=_ms(first_token) if isinstance(first_token, int) else None,
        status=_status(row["status"]),
        error=_text(row["error"]) or None,
        error_type=_text(row["error_type"]) or None,
        provider=_text(row["provider"]) or None,
        request_model=_text(row["request_model"]) or None,
        response_model=_text(row["response_model"]) or None,
        route=_text(row["route"]) or None,
        usage=_usage(row),
        cost_usd=_usd(cost_nanousd),
        cost_nanousd=cost_nanousd,
        cost_status=_text(row["cost_status"]) or None,
        cost_reason=_text(row["cost_reason"]) or None,
        cost_parts={
            name: usd_text(NanoUsd(_int(part))) for name, part in _mapping(row["cost_parts"]).items()
        },
        is_time_skewed=is_time_skewed,
        counted=is_lone or (join is None and not row["is_rollup"] and row["type"] in _COUNTED_TYPES),
        counted_with=join.counted_with if join else None,
        join_reason=join.reason if join else None,
        cache_hit_rate=_span_hit_rate(row),
        **_saved(row["cache_saved_nanousd"]),  # type: ignore[arg-type]  # two fields at once
        input=[_message(hash_, bodies) for hash_ in _texts(row["input_hashes"])],
        output=_outputs(row, bodies),
        attributes=_attributes(row, bodies),
        facts=read_facts(facts, cast("Mapping[str, str]", row["attributes"])),
    )


def content_hashes(row: Row) -> list[str]:
    """Return the hashes of all content that a span points to."""
    attributes = _mapping(row["attributes"])
    references = [_text(value) for value in attributes.values()]
    found = [*_texts(row["input_hashes"]), *_texts(row["output_hashes"]), _text(attributes.get("tools_hash"))]
    found += [one.removeprefix(CONTENT_REFERENCE) for one in references if one.startswith(CONTENT_REFERENCE)]
    return [one for one in found if one]


def _usage(row: Row) -> dict[str, int] | None:
    if not row["usage_source"]:
        return None
    buckets = {bucket: _int(row[bucket]) for bucket in _BUCKETS if row[bucket]}
    return buckets | {name: _int(count) for name, count in _mapping(row["units"]).items()}


def _span_hit_rate(row: Row) -> float | None:
    if not row["usage_source"]:
        return None
    return _share(_int(row["in_cache_read"]), sum(_int(row[bucket]) for bucket in _INPUT_BUCKETS))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _saved(value: object) -> dict[str, object]:
    nanousd = value if isinstance(value, int) else None
    return {"cache_saved_usd": _usd(nanousd), "cache_saved_nanousd": nanousd}


def _outputs(row: Row, bodies: Mapping[str, str]) -> list[Message]:
    """Give each output message the finish reason of its choice, which is kept on the span."""
    messages = [_message(hash_, bodies) for hash_ in _texts(row["output_hashes"])]
    for message, reason in zip(messages, _texts(row["finish_reasons"]), strict=False):
        if reason:
            message["finish_reason"] = reason
    return messages


def _message(hash_: str, bodies: Mapping[str, str]) -> Message:
    body = bodies.get(hash_)
    if body is None:
        return _NOT_STORED
    try:
        return _DECODE_MESSAGE.decode(body)
    except msgspec.MsgspecError:
        return {"role": "system", "parts": [{"type": "other", "payload": {"raw": body}}]}


def _attributes(row: Row, bodies: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {name: row[name] for name in _AS_ATTRIBUTES if row[name]}
    if isinstance(parameters := found.get("parameters"), str):
        found["parameters"] = _json(parameters)
    if overhead_ns := _int(row["overhead_ns"]):
        found["overhead_ms"] = _ms(overhead_ns)
    for name, value in _mapping(row["attributes"]).items():
        text = _text(value)
        if name.startswith(FACT_PREFIX):
            continue
        if name == "tools_hash":
            found["tools"] = _json(bodies.get(text, "null"))
        elif text.startswith(CONTENT_REFERENCE):
            found[name] = _json(bodies.get(text.removeprefix(CONTENT_REFERENCE), "null"))
        else:
            found[name] = text
    return found


def totals_view(row: Row) -> OverviewTotals:
    counts = {name: _int(count) for name, count in _mapping(row.get("cost_status_counts")).items()}
    return OverviewTotals(**_figures(row), cost_status_counts=counts)  # type: ignore[arg-type]  # one dict for three


def point_view(row: Row, at_ns: int) -> OverviewPoint:
    return OverviewPoint(at=iso_time(at_ns), **_figures(row))  # type: ignore[arg-type]  # as above


def model_view(row: Row) -> ModelShare:
    pairs = cast("Sequence[tuple[str, str]]", row["names"])
    names = {"model": _text(row["model"]) or "unknown", "provider": _text(row["provider"])}
    return ModelShare(**names, filter=filter_of(pairs), **_figures(row))  # type: ignore[arg-type]  # as above


def _figures(row: Row) -> dict[str, object]:
    has_calls = _int(row.get("calls")) > 0
    p50_ns, p95_ns = _numbers(row.get("latencies_ns")) or (0.0, 0.0)
    cost = row.get("cost_nanousd")
    cost_nanousd = cost if isinstance(cost, int) else None if has_calls else 0
    return {
        "calls": _int(row.get("calls")),
        "errors": _int(row.get("errors")),
        "cost_usd": _usd(cost_nanousd),
        "cost_nanousd": cost_nanousd,
        "input_tokens": _int(row.get("input_tokens")),
        "output_tokens": _int(row.get("output_tokens")),
        "cache_hit_rate": _share(_int(row.get("cache_read_tokens")), _int(row.get("cacheable_tokens"))),
        **_saved(_int(row.get("cache_saved_nanousd"))),
        "latency_p50_ms": _ms(p50_ns) if has_calls else None,
        "latency_p95_ms": _ms(p95_ns) if has_calls else None,
    }


def _usd(nanousd: int | None) -> str | None:
    return None if nanousd is None else usd_text(NanoUsd(nanousd))


def _ms(ns: float) -> float:
    return round(ns / 1e6, 3)


def _json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text


def _status(value: object) -> StatusName:
    return _STATUSES.get(_text(value), "ok")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _texts(value: object) -> list[str]:
    return msgspec.convert(value, list[str]) if value else []


def _numbers(value: object) -> list[float]:
    return msgspec.convert(value, list[float]) if value else []


def _mapping(value: object) -> dict[str, object]:
    return msgspec.convert(value, dict[str, object]) if value else {}
