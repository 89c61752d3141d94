"""Finds one span with what bears on its cost; the SQL of this capability."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping
from itertools import pairwise
from typing import TypeVar

import msgspec

from sternpost.base.money import NanoUsd
from sternpost.capabilities.cost.records import PricedSpan
from sternpost.capabilities.cost.rules import BUCKETS, DAY_NS
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus, Usage, UsageSource

_FACTS = (
    *("trace_id", "span_id", "parent_span_id", "type", "name", "started_ns", "provider", "request_model"),
    *("response_model", "target", "is_rollup", *BUCKETS, "units", "usage_source", "usage_is_mismatch"),
    *("service_tier", "reported_nanousd", "cost_nanousd", "cost_status", "cost_parts", "price_version"),
    *("cost_reason", "cache_saved_nanousd", "cost_rates", "cost_basis"),
)
_SELECT = (
    f"SELECT {', '.join(_FACTS)}, attributes['provider_usage'] AS provider_usage FROM spans "
    "WHERE project_id = {project:String} AND started_ns >= {low:Int64} AND started_ns < {high:Int64} "
    "AND span_id = {span:String} AND ({trace:String} = '' OR trace_id = {trace:String}) "
    # The gateway's own word first, in its newest version; of others the first to send a span of that id.
    "ORDER BY scope = 'sternpost.gateway' DESC, "
    "if(scope = 'sternpost.gateway', -received_ns, received_ns) LIMIT 1"
)
_TRACE_TIMES = (
    "SELECT min(first_started_ns), max(last_started_ns) + 1 FROM trace_times "
    "WHERE project_id = {project:String} AND trace_id = {trace:String} HAVING count() > 0"
)
_REACHES_DAYS = (2, 32, 10_000)
T = TypeVar("T")


class SpanReads:
    """Blocking, so call it through `base.threads`."""

    def __init__(self, store: TraceStore, project_id: str, timeout_s: float | None = None) -> None:
        self._store = store
        self._project = project_id
        self._timeout_s = timeout_s

    def find(self, span_id: str, trace_id: str, now_ns: int) -> PricedSpan | None:
        """Return the newest span of that id. Without its trace, the newest days are searched first."""
        for low_ns, high_ns in self._stretches(trace_id, now_ns):
            rows = self._store.query(
                _SELECT,
                {
                    "project": self._project,
                    "low": low_ns,
                    "high": high_ns,
                    "span": span_id,
                    "trace": trace_id,
                },
                timeout_s=self._timeout_s,
            )
            for row in rows.rows:
                return _span(dict(zip(rows.columns, row, strict=True)))
        return None

    def _stretches(self, trace_id: str, now_ns: int) -> list[tuple[int, int]]:
        if not trace_id:
            ends = [now_ns + DAY_NS, *(now_ns - days * DAY_NS for days in _REACHES_DAYS)]
            return [(max(low, 0), high) for high, low in pairwise(ends)]
        rows = self._store.query(
            _TRACE_TIMES, {"project": self._project, "trace": trace_id}, timeout_s=self._timeout_s
        )
        return [(_read(row[0], int), _read(row[1], int)) for row in rows.rows]


def _span(row: Mapping[str, object]) -> PricedSpan:
    texts = {
        name: _read(row[name], str)
        for name in ("trace_id", "span_id", "parent_span_id", "type", "name", "provider")
    }
    return PricedSpan(
        **texts,
        started_ns=_read(row["started_ns"], int),
        request_model=_read(row["request_model"], str),
        response_model=_read(row["response_model"], str),
        target=_read(row["target"], str),
        is_rollup=bool(row["is_rollup"]),
        usage=_usage(row) if row["usage_source"] else None,
        cost=_cost(row) if row["cost_status"] else None,
        provider_usage=_read(row["provider_usage"], str),
    )


def _usage(row: Mapping[str, object]) -> Usage:
    reported = row["reported_nanousd"]
    basis = _read(row["cost_basis"], dict[str, str])
    counts: dict[str, int] = {bucket: _read(row[bucket], int) for bucket in BUCKETS}
    return Usage(
        **counts,  # type: ignore[arg-type]  # buckets only
        units=_read(row["units"], dict[str, int]),
        source=UsageSource(_read(row["usage_source"], str)),
        is_mismatch=bool(row["usage_is_mismatch"]),
        service_tier=_read(row["service_tier"], str),
        region=basis.get("region", ""),
        reported_nanousd=None if reported is None else NanoUsd(_read(reported, int)),
    )


def _cost(row: Mapping[str, object]) -> Cost:
    amount, saved = row["cost_nanousd"], row["cache_saved_nanousd"]
    return Cost(
        status=CostStatus(_read(row["cost_status"], str)),
        nanousd=None if amount is None else NanoUsd(_read(amount, int)),
        parts=_read(row["cost_parts"], dict[str, int]),
        price_version=_read(row["price_version"], str),
        reason=_read(row["cost_reason"], str),
        rates=_read(row["cost_rates"], dict[str, int]),
        basis=_read(row["cost_basis"], dict[str, str]),
        saved_nanousd=None if saved is None else _read(saved, int),
    )


def _read(value: object, kind: type[T]) -> T:
    return msgspec.convert(value, kind)
