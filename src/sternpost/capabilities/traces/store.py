"""The queries of the trace store about traces, as SQL; what the results mean belongs to `service`."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence

from sternpost.base.ids import KeyId
from sternpost.capabilities.traces.filters.bounds_sql import BEGAN_NS, is_inside, root_ends, root_starts
from sternpost.capabilities.traces.filters.lone_agents import lone_agents
from sternpost.capabilities.traces.filters.same_calls import told_by_which
from sternpost.capabilities.traces.filters.span_sql import (
    DEPENDS_ON_OTHERS,
    ENVIRONMENT,
    INPUT_TOKENS,
    IS_CALL,
    IS_OURS,
    MODEL,
    NEWEST,
    OUTPUT_TOKENS,
    PROJECT_AND_TIME,
    TRACE_STATUS,
    counted,
    started_in,
)
from sternpost.capabilities.traces.joins import Join, read_joins
from sternpost.capabilities.traces.queries import ProjectQueries, started_within, whole_number
from sternpost.capabilities.traces.records import TimeRange
from sternpost.capabilities.traces.tree_order import Place
from sternpost.contracts.trace_store import Rows, TraceStore

_MAX_STRETCHES = 200
_IN_TRACES = "trace_id IN {traces:Array(String)}"
_IN_ONE_TRACE = f"{PROJECT_AND_TIME} AND {_IN_TRACES}"
# Backwards along the sort key: what it costs does not grow with the store.
_NEWEST_SPANS = (
    f"FROM spans WHERE {PROJECT_AND_TIME} ORDER BY project_id DESC, started_ns DESC LIMIT {{size:UInt64}}"
)
_ROOT_FIRST = "(parent_span_id != '', started_ns)"
MAX_TRACE_SPANS = 5000  # of one reply
_MAX_PLACES = 200_000
_MAX_BODIES = 10_000


class TraceReads:
    """Every query is bounded in rows and time; blocking, so call it through `base.threads`."""

    def __init__(self, store: TraceStore, project_id: str, timeout_s: float | None = None) -> None:
        self._ask = ProjectQueries(store, project_id, timeout_s).ask

    def summaries(
        self, trace_ids: Sequence[str], stretches: Sequence[TimeRange]
    ) -> list[Mapping[str, object]]:
        """Add up the spans of traces, each span once; all their spans start in the stretches."""
        where = started_in(stretches)
        within = f"{where.sql} AND {_IN_TRACES}"
        parameters = {**where.parameters, "traces": list(trace_ids)}
        is_dependent = bool(
            self._ask(f"SELECT 1 FROM spans WHERE {within} AND {DEPENDS_ON_OTHERS} LIMIT 1", parameters).rows
        )
        sql = _summary_sql(within, counted(within) if is_dependent else IS_CALL)
        return _named(self._ask(sql, parameters))

    def scores(self, trace_ids: Sequence[str]) -> list[Mapping[str, object]]:
        """Return the current scores of traces and their spans, oldest first."""
        rows = self._ask(
            "SELECT * FROM (SELECT * FROM scores WHERE project_id = {project:String} "
            "AND trace_id IN {traces:Array(String)} "
            "ORDER BY created_ns DESC, score_id DESC LIMIT 1 BY trace_id, span_id, name, source, author) "
            "ORDER BY created_ns LIMIT 10000",
            {"traces": list(trace_ids)},
        )
        return _named(rows)

    def spans_of(
        self, trace_id: str, bounds: TimeRange, only: Sequence[str] = ()
    ) -> list[Mapping[str, object]]:
        """Return the first spans of one trace in order of start, or those of `only`, at most 5,000."""
        chosen = " AND span_id IN {only:Array(String)}" if only else ""
        asked: dict[str, object] = {"only": list(only)} if only else {}
        rows = self._ask(
            f"SELECT * FROM (SELECT * FROM spans WHERE {_IN_ONE_TRACE}{chosen} "
            f"ORDER BY {NEWEST} LIMIT 1 BY span_id, written_by) "
            "ORDER BY started_ns, span_id LIMIT {limit:UInt32}",
            {**started_within(bounds), "traces": [trace_id], "limit": MAX_TRACE_SPANS} | asked,
        )
        return _named(rows)

    def places_of(self, trace_id: str, bounds: TimeRange) -> list[Place]:
        """Return where all spans of a trace hang, at most 200,000."""
        rows = self._ask(
            f"SELECT span_id, any(parent_span_id), min(started_ns) FROM spans WHERE {_IN_ONE_TRACE} "
            f"GROUP BY span_id ORDER BY min(started_ns) LIMIT {_MAX_PLACES}",
            {**started_within(bounds), "traces": [trace_id]},
            max_rows=_MAX_PLACES,
        )
        return [Place(str(span), str(parent), whole_number(started)) for span, parent, started in rows.rows]

    def joins_of(self, trace_id: str, bounds: TimeRange) -> dict[str, Join]:
        """Return the spans of a trace whose call another span represents, which one, and why."""
        rows = self._ask(told_by_which(_IN_ONE_TRACE), {**started_within(bounds), "traces": [trace_id]}).rows
        return read_joins([(str(span), str(other), str(why)) for span, other, why in rows])

    def lone_agents_of(self, trace_id: str, bounds: TimeRange) -> set[str]:
        """Return the agents and chains of a trace whose own usage counts."""
        theirs = lone_agents(_IN_ONE_TRACE)
        rows = self._ask(f"{theirs} LIMIT 10000", {**started_within(bounds), "traces": [trace_id]}).rows
        return {str(span_id) for _, span_id in rows}

    def maker_of(self, reply_id: str, since_ns: int) -> tuple[str, KeyId] | None:
        """Return the provider that answered with this id, and the key that asked, as the gateway saw it."""
        rows = self._ask(
            "SELECT provider, key_id FROM spans WHERE project_id = {project:String} "
            "AND started_ns >= {low:Int64} AND response_id = {reply:String} AND type = 'gateway' "
            f"AND {IS_OURS} AND provider != '' LIMIT 1",
            {"low": since_ns, "reply": reply_id},
        )
        return (str(rows.rows[0][0]), KeyId(str(rows.rows[0][1]))) if rows.rows else None

    def bodies_of(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return content by hash, as JSON text, at most 10,000; what isn't there is left out."""
        if not hashes:
            return {}
        rows = self._ask(
            "SELECT hash, body FROM content WHERE project_id = {project:String} "
            "AND hash IN {hashes:Array(String)} LIMIT 1 BY hash",
            {"hashes": list(hashes[:_MAX_BODIES])},
        )
        return {str(row[0]): str(row[1]) for row in rows.rows}


_ROOTS = "OVER (PARTITION BY trace_id)"
_OF_TRACE = (
    f"{root_starts()} {_ROOTS} AS root_ns, {root_ends()} {_ROOTS} AS root_end_ns, "
    f"{is_inside('root_ns', 'root_end_ns')} AS is_inside"
)
_SUMMARY_COLUMNS = (
    f"{ENVIRONMENT} AS environment_name, "
    "trace_id, span_id, parent_span_id, type, name, started_ns, ended_ns, is_time_skewed, status, "
    "trace_name, user_id, "
    "session_id, tags, request_model, response_model, cost_nanousd, cost_status, in_cache_read, "
    "cache_saved_nanousd, "
    "preview_input, preview_output, error, error_type, "
    f"{INPUT_TOKENS} AS input_sum, {OUTPUT_TOKENS} AS output_sum"
)


def _summary_sql(where: str, is_counted: str) -> str:
    return f"""
SELECT
    trace_id,
    argMin(if(trace_name != '', trace_name, name), {_ROOT_FIRST}) AS root_name,
    anyIf(trace_name, trace_name != '') AS given_name,
    {BEGAN_NS} AS first_ns,
    if(countIf(is_inside) > 0, maxIf(ended_ns, is_inside), max(ended_ns)) AS last_ns,
    {TRACE_STATUS} AS trace_status,
    count() AS span_count,
    groupUniqArrayIf(20)({MODEL}, is_counted AND {MODEL} != '') AS models,
    sumIf(input_sum, is_counted) AS input_tokens,
    sumIf(output_sum, is_counted) AS output_tokens,
    sumIf(cost_nanousd, is_counted) AS cost_nanousd,
    sumIf(in_cache_read, is_counted) AS cache_read_tokens,
    sumIf(cache_saved_nanousd, is_counted) AS cache_saved_nanousd,
    groupUniqArrayIf(cost_status, is_counted AND cost_status != '') AS cost_statuses,
    max(session_id) AS session_id,
    max(user_id) AS user_id,
    argMin(environment_name, {_ROOT_FIRST}) AS environment,
    groupUniqArrayArray(tags) AS tags,
    argMinIf(preview_input, {_ROOT_FIRST}, preview_input != '') AS preview_input,
    argMinIf(preview_output, (parent_span_id != '', -ended_ns), preview_output != '') AS preview_output,
    argMinIf(if(error != '', error, error_type), (parent_span_id != '', ended_ns), status = 'error')
        AS preview_error
FROM (
    SELECT *, {_OF_TRACE} FROM (
        SELECT {_SUMMARY_COLUMNS}, {is_counted} AS is_counted
        FROM spans WHERE {where}
        ORDER BY {NEWEST} LIMIT 1 BY trace_id, span_id, written_by
    )
)
GROUP BY trace_id
"""


def _named(rows: Rows) -> list[Mapping[str, object]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
