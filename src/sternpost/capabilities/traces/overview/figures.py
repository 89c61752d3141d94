"""The sums of the overview: built ones for what is quiet, the spans for the rest; who builds is `rollup`."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.capabilities.traces.filters.span_sql import (
    DEPENDS_ON_OTHERS,
    ENVIRONMENT,
    INPUT_TOKENS,
    IS_CALL,
    MODEL,
    OUTPUT_TOKENS,
    counted,
    started_in,
)
from sternpost.capabilities.traces.filters.stretches import join_stretches
from sternpost.capabilities.traces.records import TimeRange
from sternpost.contracts.trace_store import Rows, TraceStore

BUCKET_NS = 300_000_000_000
HOUR_NS = 3_600_000_000_000
# Sums of half a minute are kept for a day, for overviews of an hour and less.
FINE_NS = 30_000_000_000
# A stretch counts as quiet this long after the last write to it; an insert takes at most half as long.
QUIET_NS = 120_000_000_000
_MAX_BUCKETS = 10_000
_MAX_STRETCHES = 20
_MAX_FIGURES = 5000
_MAX_MODELS = 50
_MAX_NAMES = 8  # of one model, in a filter


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over calls: one row, one per step that has calls, one per model with the most calls first."""

    totals: Mapping[str, object]
    by_step: Sequence[Mapping[str, object]]
    by_model: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Cover:
    """Where the sums of a range come from; every moment of it is covered once."""

    spans_of: Sequence[TimeRange]
    buckets_ns: Sequence[int]
    left_out_hours_ns: Sequence[int]  # all other hours that lie wholly in the range are taken as built
    has_hours: bool
    is_fine: bool = False  # the buckets are read by their half minutes


def cover(
    bounds: TimeRange, changed: Sequence[tuple[int, bool]], *, has_hours: bool, is_fine: bool = False
) -> Cover:
    """Choose sources. changed: the buckets that hold spans and are in no built hour, and which are built.

    Many separate stretches of spans are joined, over what is built between them. is_fine: `bounds` begin at
    a half minute, and so the first bucket may be taken in part.
    """
    whole = TimeRange(bounds.since_ns - BUCKET_NS, bounds.until_ns) if is_fine else bounds
    loose = [at for at, is_built in changed if not is_built or not _is_inside(at, whole)]
    clipped = [TimeRange(max(at, bounds.since_ns), min(at + BUCKET_NS, bounds.until_ns)) for at in loose]
    spans_of = join_stretches(clipped, _MAX_STRETCHES)
    built = sorted({at for at, _ in changed} - set(loose))
    return Cover(
        spans_of,
        [
            at
            for at in built
            if not any(one.since_ns < at + BUCKET_NS and at < one.until_ns for one in spans_of)
        ],
        sorted({at - at % HOUR_NS for at, _ in changed}) if has_hours else [],
        has_hours,
        is_fine,
    )


def _is_inside(bucket_ns: int, bounds: TimeRange) -> bool:
    return bounds.since_ns <= bucket_ns and bucket_ns + BUCKET_NS <= bounds.until_ns


class FigureReads:
    """Blocking, so call it through `base.threads`."""

    def __init__(self, store: TraceStore, project_id: str, timeout_s: float | None = None) -> None:
        self._store = store
        self._project = project_id
        self._timeout_s = timeout_s

    def figures(self, bounds: TimeRange, step_ns: int, environment: str = "") -> Figures:
        """Add up calls in all, by step of time and by model, each call once. `bounds` begin at a step.

        environment: its calls alone; what is built does not tell them apart, so all spans are read.
        """
        chosen = Cover([bounds], [], [], has_hours=False) if environment else self._cover(bounds, step_ns)
        sql, parameters = _figures_sql(
            chosen, bounds, is_dependent=self._is_dependent(chosen), environment=environment
        )
        named = _named(self._ask(sql, {**parameters, "low": bounds.since_ns, "step": step_ns}))
        nothing: Mapping[str, object] = {}
        return Figures(
            totals=next((row for row in named if row["grain"] == "all"), nothing),
            by_step=[row for row in named if row["grain"] == "step"],
            by_model=[row for row in named if row["grain"] == "model"][:_MAX_MODELS],
        )

    def _cover(self, bounds: TimeRange, step_ns: int) -> Cover:
        everything = Cover([bounds], [], [], has_hours=False)
        is_fine = step_ns % BUCKET_NS != 0
        if is_fine and step_ns % FINE_NS:
            return everything
        has_hours = step_ns % HOUR_NS == 0
        asked = {"low": bounds.since_ns, "high": bounds.until_ns, "quiet": QUIET_NS}
        asked["length"] = (FINE_NS if is_fine else BUCKET_NS) // 1_000_000_000
        rows = self._ask(_CHANGED, {**asked, "has_hours": int(has_hours)}).rows
        if len(rows) == _MAX_BUCKETS:
            return everything
        changed = [(at, bool(is_built)) for at, is_built in rows if isinstance(at, int)]
        return cover(bounds, changed, has_hours=has_hours, is_fine=is_fine)

    def _is_dependent(self, chosen: Cover) -> bool:
        """Say if an application tells of calls or agents near the spans that are read."""
        near = started_in(nearby(chosen.spans_of))
        sql = f"SELECT 1 FROM spans WHERE {near.sql} AND {DEPENDS_ON_OTHERS} LIMIT 1"
        return bool(chosen.spans_of) and bool(self._ask(sql, near.parameters).rows)

    def _ask(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        return self._store.query(sql, {"project": self._project, **parameters}, timeout_s=self._timeout_s)


# What a bucket's calls are may still change by what is written to the buckets beside it.
LAST_TOUCHED = f"""
SELECT project_id, place.1 AS bucket_ns, max(touched_ns) AS last_ns
FROM (
    SELECT project_id, touched_ns, arrayJoin(
        [(bucket_ns, 1), (bucket_ns - {BUCKET_NS}, 0), (bucket_ns + {BUCKET_NS}, 0)]
    ) AS place
    FROM spans_touched
    WHERE {{where}}
)
GROUP BY project_id, bucket_ns
HAVING max(place.2) = 1
"""

_CHANGED = f"""
SELECT bucket_ns, is_built FROM (
    SELECT
        bucket_ns,
        bucket_ns - bucket_ns % {HOUR_NS} AS hour_ns,
        five.built_ns > last_ns + {{quiet:Int64}} AS is_built,
        hour.built_ns > max(last_ns) OVER (PARTITION BY hour_ns) + {{quiet:Int64}} AS is_hour_built
    FROM ({
    LAST_TOUCHED.format(
        where=f"project_id = {{project:String}} AND bucket_ns > {{low:Int64}} - 2 * {BUCKET_NS} "
        f"AND bucket_ns < {{high:Int64}} + {BUCKET_NS}"
    )
}) AS touched
    LEFT JOIN (
        SELECT bucket_ns - bucket_ns % {BUCKET_NS} AS five_ns, max(built_ns) AS built_ns FROM call_figures
        WHERE project_id = {{project:String}} AND length_s = {{length:UInt32}}
        AND bucket_ns > {{low:Int64}} - {BUCKET_NS} AND bucket_ns < {{high:Int64}}
        GROUP BY five_ns
    ) AS five ON five_ns = touched.bucket_ns
    LEFT JOIN (
        SELECT bucket_ns AS full_ns, max(built_ns) AS built_ns FROM call_figures
        WHERE project_id = {{project:String}} AND length_s = 3600
        AND bucket_ns >= {{low:Int64}} AND bucket_ns <= {{high:Int64}} - {HOUR_NS}
        GROUP BY bucket_ns
    ) AS hour ON full_ns = touched.bucket_ns - touched.bucket_ns % {HOUR_NS}
    WHERE touched.bucket_ns > {{low:Int64}} - {BUCKET_NS} AND touched.bucket_ns < {{high:Int64}}
)
WHERE NOT ({{has_hours:UInt8}} AND is_hour_built)
ORDER BY bucket_ns DESC
LIMIT {_MAX_BUCKETS}
"""

_FROM_SPANS = f"""
SELECT
    started_ns AS at_ns,
    {MODEL} AS model,
    provider,
    if(cost_status = '', 'unknown', cost_status) AS cost_state,
    if(is_time_skewed, -1, ended_ns - started_ns) AS latency_ns,  -- -1: nobody knows
    toUInt64(1) AS call_count,
    toUInt64(status != 'ok') AS error_count,
    cost_nanousd AS nanousd,
    {INPUT_TOKENS} AS input_sum,
    {OUTPUT_TOKENS} AS output_sum,
    in_cache_read AS cached_sum,
    {INPUT_TOKENS} AS cacheable_sum,
    coalesce(cache_saved_nanousd, 0) AS saved_nanousd
FROM spans FINAL
"""

# Sums built before the cache was counted know nothing of it: they stand in neither part of a hit rate.
_FROM_BUILT = """
SELECT
    bucket_ns AS at_ns, model, provider, cost_state, latency_ns, call_count, error_count, nanousd, input_sum,
    output_sum, cached_sum, if(empty(cache_read_tokens), 0, input_sum) AS cacheable_sum, saved_nanousd
FROM call_figures FINAL
ARRAY JOIN
    models AS model, providers AS provider, cost_statuses AS cost_state, latencies_ns AS latency_ns,
    calls AS call_count, errors AS error_count, costs_nanousd AS nanousd,
    input_tokens AS input_sum, output_tokens AS output_sum,
    arrayResize(cache_read_tokens, length(models), 0) AS cached_sum,
    arrayResize(cache_saved_nanousd, length(models), 0) AS saved_nanousd
"""


def _figures_sql(
    chosen: Cover, bounds: TimeRange, *, is_dependent: bool, environment: str = ""
) -> tuple[str, Mapping[str, object]]:
    """Add up everything of the cover in one pass."""
    parts: list[str] = []
    parameters: dict[str, object] = {}
    if chosen.spans_of:
        within = started_in(chosen.spans_of)
        near = started_in(nearby(chosen.spans_of), name="near")
        is_counted = counted(near.sql, is_across=True) if is_dependent else IS_CALL
        where = f"{within.sql} AND {is_counted}"
        if environment:
            where += f" AND {ENVIRONMENT} = {{environment:String}}"
            parameters["environment"] = environment
        parts.append(f"{_FROM_SPANS} WHERE {where}")
        parameters |= {**within.parameters, **(near.parameters if is_dependent else {})}
    if chosen.buckets_ns:
        length_s = (FINE_NS if chosen.is_fine else BUCKET_NS) // 1_000_000_000
        parts.append(
            f"{_FROM_BUILT} WHERE project_id = {{project:String}} AND length_s = {length_s} "
            "AND bucket_ns >= {low:Int64} AND bucket_ns < {high:Int64} "
            f"AND bucket_ns - bucket_ns % {BUCKET_NS} IN {{buckets:Array(Int64)}}"
        )
        parameters |= {"buckets": list(chosen.buckets_ns), "high": bounds.until_ns}
    if chosen.has_hours:
        over = started_in(chosen.spans_of, column="bucket_ns", name="over")
        parts.append(
            f"{_FROM_BUILT} WHERE project_id = {{project:String}} AND length_s = 3600 "
            f"AND bucket_ns >= {{low:Int64}} AND bucket_ns <= {{high:Int64}} - {HOUR_NS} "
            f"AND bucket_ns NOT IN {{hours:Array(Int64)}} AND NOT ({over.sql})"
        )
        parameters |= {**over.parameters, "hours": list(chosen.left_out_hours_ns)}
        parameters["high"] = bounds.until_ns
    calls = " UNION ALL ".join(parts) or f"{_FROM_SPANS} WHERE project_id = {{project:String}} AND 0"
    return _SUMS.format(calls=calls), parameters


def nearby(stretches: Sequence[TimeRange]) -> list[TimeRange]:
    """Return where spans may be that describe the same calls: they start at about the same time."""
    return [TimeRange(one.since_ns - BUCKET_NS, one.until_ns + BUCKET_NS) for one in stretches]


# A failure names the model that was asked for, an answer often a dated version of it; a call that was refused
# before a provider was chosen has the provider in front of the model's name. All are one row.
_MAKER = "if(provider = '' AND position(model, '/') > 1, splitByChar('/', model)[1], provider)"
_WITHOUT_MAKER = (
    f"if(startsWith(model, concat({_MAKER}, '/')), substring(model, length({_MAKER}) + 2), toString(model))"
)
_DATE = "[-@]20[0-9][0-9]-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])$"
_OWN_MODEL = f"replaceRegexpOne({_WITHOUT_MAKER}, '{_DATE}', '')"

# In two levels: one sum per step and model, which are few, and then those in three groupings.
_SUMS = f"""
SELECT
    multiIf(grouping(step) = 0, 'step', grouping(own_model) = 0, 'model', 'all') AS grain,
    step,
    own_model AS model,
    maker AS provider,
    groupUniqArray({_MAX_NAMES})((said_provider, said_model)) AS names,
    sum(calls_part) AS calls,
    sum(errors_part) AS errors,
    sum(cost_part) AS cost_nanousd,
    sum(input_part) AS input_tokens,
    sum(output_part) AS output_tokens,
    sum(cached_part) AS cache_read_tokens,
    sum(cacheable_part) AS cacheable_tokens,
    sum(saved_part) AS cache_saved_nanousd,
    quantilesTDigestWeightedMerge(0.5, 0.95)(latencies_part) AS latencies_ns,
    sumMap(map(cost_state, calls_part)) AS cost_status_counts
FROM (
    SELECT
        intDiv(at_ns - {{{{low:Int64}}}}, {{{{step:Int64}}}}) AS step,
        model AS said_model,
        provider AS said_provider,
        {_OWN_MODEL} AS own_model,
        {_MAKER} AS maker,
        cost_state,
        sum(call_count) AS calls_part,
        sum(error_count) AS errors_part,
        sum(nanousd) AS cost_part,
        sum(input_sum) AS input_part,
        sum(output_sum) AS output_part,
        sum(cached_sum) AS cached_part,
        sum(cacheable_sum) AS cacheable_part,
        sum(saved_nanousd) AS saved_part,
        quantilesTDigestWeightedState(0.5, 0.95)(
            latency_ns, if(latency_ns < 0, 0, call_count)
        ) AS latencies_part
    FROM ({{calls}})
    GROUP BY step, model, provider, cost_state
)
GROUP BY GROUPING SETS ((step), (own_model, maker), ())
ORDER BY grain, calls DESC
LIMIT {_MAX_FIGURES}
"""


def _named(rows: Rows) -> list[Mapping[str, object]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
