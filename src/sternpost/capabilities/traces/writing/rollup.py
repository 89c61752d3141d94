"""Builds the sums over calls that the overview reads, hour by hour; reading them is `figures`'."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

import logging
from threading import Event

from sternpost.base.errors import SternpostError, StoreError
from sternpost.capabilities.traces.filters.span_sql import (
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    counted,
    started_in,
)
from sternpost.capabilities.traces.overview.figures import (
    BUCKET_NS,
    FINE_NS,
    HOUR_NS,
    LAST_TOUCHED,
    QUIET_NS,
    nearby,
)
from sternpost.capabilities.traces.records import TimeRange
from sternpost.contracts.trace_store import TraceStore

_MAX_HOURS = 60  # of one run; the newest first, the rest with the next
_PAUSE_S = 60.0

logger = logging.getLogger(__name__)


def keep_call_figures(store: TraceStore, stop: Event) -> None:
    """Build what is due each minute, until stopped."""
    while not stop.wait(_PAUSE_S):
        try:
            build_call_figures(store, stop)
        except StoreError as error:
            logger.info("the aggregates of calls are waiting for the trace store: %s", error.message)


def build_call_figures(store: TraceStore, stop: Event | None = None) -> int:
    """Build each hour with a stretch that has become quiet since it was built; return how many.

    Harmless to repeat, and to run beside writers: what is written meanwhile makes the sums unused.
    Raises: StoreError.
    """
    built = 0
    for project_id, hour_ns in store.query(_DUE, {"quiet": QUIET_NS}).rows:
        if stop is not None and stop.is_set():
            break
        built += _build(store, str(project_id), int(str(hour_ns)))
    return built


def _build(store: TraceStore, project_id: str, hour_ns: int) -> bool:
    hour = [TimeRange(hour_ns, hour_ns + HOUR_NS)]
    within, near = started_in(hour), started_in(nearby(hour), name="near")
    touched = started_in(hour, column="bucket_ns")
    sql = _BUILD.format(within=within.sql, counted=counted(near.sql, is_across=True), touched=touched.sql)
    try:
        store.command(sql, {"project": project_id, **within.parameters, **near.parameters})
    except SternpostError as error:
        if not store.ping():
            raise
        # An hour too large for the engine must not hold up the others.
        logger.warning("the aggregates of an hour can't be built, reading its spans: %s", error.message)
        return False
    return True


_DUE = f"""
SELECT project_id, touched.bucket_ns - touched.bucket_ns % {HOUR_NS} AS hour_ns
FROM ({LAST_TOUCHED.format(where="1")}) AS touched
LEFT JOIN (
    SELECT project_id, bucket_ns, max(built_ns) AS built_ns FROM call_figures WHERE length_s = 300
    AND (empty(models) OR notEmpty(cache_read_tokens))
    GROUP BY project_id, bucket_ns
) AS five ON five.project_id = touched.project_id AND five.bucket_ns = touched.bucket_ns
WHERE last_ns + {{quiet:Int64}} < toUnixTimestamp64Nano(now64(9)) AND built_ns <= last_ns + {{quiet:Int64}}
GROUP BY project_id, hour_ns
ORDER BY hour_ns DESC
LIMIT {_MAX_HOURS}
"""

# Classes of latency, sixteen to each doubling, keep a row small; what it costs is 2.2% at most.
_LATENCY_CLASS = "toInt64(exp2(round(log2(greatest(ended_ns - started_ns, 1)) * 16) / 16))"

_BUILD = f"""
INSERT INTO call_figures
SELECT
    {{{{project:String}}}}, length_s, bucket_ns, toUnixTimestamp64Nano(now64(9)),
    toYYYYMMDD(fromUnixTimestamp64Nano(bucket_ns, 'UTC')),
    groupArrayIf(model, calls > 0), groupArrayIf(provider, calls > 0), groupArrayIf(cost_state, calls > 0),
    groupArrayIf(latency_ns, calls > 0), groupArrayIf(calls, calls > 0), groupArrayIf(errors, calls > 0),
    arrayMap(one -> one.1, groupArrayIf(tuple(cost), calls > 0)),
    groupArrayIf(input_sum, calls > 0), groupArrayIf(output_sum, calls > 0),
    groupArrayIf(cached_sum, calls > 0), groupArrayIf(saved_sum, calls > 0)
FROM (
    SELECT
        length_s,
        started_ns - started_ns % (toInt64(length_s) * 1000000000) AS bucket_ns,
        if(is_counted, {MODEL}, '') AS model,
        if(is_counted, span_provider, '') AS provider,
        if(is_counted, if(cost_status = '', 'unknown', cost_status), '') AS cost_state,
        multiIf(NOT is_counted, 0, is_time_skewed, -1, {_LATENCY_CLASS}) AS latency_ns,
        countIf(is_counted) AS calls,
        countIf(is_counted AND status != 'ok') AS errors,
        sumIf(cost_nanousd, is_counted) AS cost,
        sumIf({INPUT_TOKENS}, is_counted) AS input_sum,
        sumIf({OUTPUT_TOKENS}, is_counted) AS output_sum,
        sumIf(in_cache_read, is_counted) AS cached_sum,
        sumIf(coalesce(cache_saved_nanousd, 0), is_counted) AS saved_sum
    FROM (SELECT *, provider AS span_provider, {{counted}} AS is_counted FROM spans FINAL WHERE {{within}})
    ARRAY JOIN {[length // 1_000_000_000 for length in (FINE_NS, BUCKET_NS, HOUR_NS)]} AS length_s
    GROUP BY length_s, bucket_ns, model, provider, cost_state, latency_ns
    UNION ALL
    -- A stretch whose spans were all deleted is built as well, and has no calls.
    SELECT
        length_s, bucket_ns - bucket_ns % (toInt64(length_s) * 1000000000) AS bucket_ns, '', '', '', 0,
        0, 0, NULL, 0, 0, 0, 0
    FROM (SELECT DISTINCT bucket_ns FROM spans_touched WHERE {{touched}})
    ARRAY JOIN {[length // 1_000_000_000 for length in (FINE_NS, BUCKET_NS, HOUR_NS)]} AS length_s
)
GROUP BY length_s, bucket_ns
"""
