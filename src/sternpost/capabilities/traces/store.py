"""The questions asked of the trace store about traces, as SQL; what the answers mean belongs to `service`."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.base.ids import KeyId
from sternpost.capabilities.traces.candidates import Candidates
from sternpost.capabilities.traces.filter_grammar import Filter
from sternpost.capabilities.traces.filter_sql import FilterSql, compile_filter
from sternpost.capabilities.traces.joins import Join, read_joins
from sternpost.capabilities.traces.long_traces import FILTERED_TRACE_NS, LONG_TRACES
from sternpost.capabilities.traces.records import PagePosition, TimeRange
from sternpost.capabilities.traces.same_calls import told_by_which
from sternpost.capabilities.traces.span_sql import (
    INPUT_TOKENS,
    IS_CALL,
    IS_OURS,
    IS_TOLD,
    MODEL,
    NEWEST,
    OUTPUT_TOKENS,
    PROJECT_AND_TIME,
    TRACE_STATUS,
    counted,
    started_in,
    whole_days,
)
from sternpost.capabilities.traces.stretches import join_stretches
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


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time to look for traces in, and how many spans it holds."""

    low_ns: int
    high_ns: int
    span_count: int


class TraceReads:
    """Every query is bounded in rows and time; blocking, so call it through `base.threads`."""

    def __init__(self, store: TraceStore, project_id: str, timeout_s: float | None = None) -> None:
        self._store = store
        self._project = project_id
        self._timeout_s = timeout_s

    def window_before(self, bounds: TimeRange, size: int) -> Window:
        """Find the stretch before `until_ns` that holds at most `size` spans, along the sort key."""
        rows = self._ask(
            f"SELECT min(started_ns), count() FROM (SELECT started_ns {_NEWEST_SPANS})",
            {**_bounds(bounds), "size": size},
        )
        return _window(bounds, size, _int(rows.rows[0][0]), _int(rows.rows[0][1]))

    def newest_traces(
        self, bounds: TimeRange, before: PagePosition, size: int, limit: int
    ) -> tuple[Window, list[PagePosition]]:
        """Answer `window_before` and, for that window without a filter, `traces_in` at once."""
        rows = self._ask(
            "SELECT trace_id, min(started_ns) AS first_ns, min(first_ns) OVER (), sum(count()) OVER (), "
            "(first_ns, trace_id) < ({before_ns:Int64}, {before_id:String}) AS is_behind "
            f"FROM (SELECT trace_id, started_ns {_NEWEST_SPANS}) GROUP BY trace_id "
            "ORDER BY is_behind DESC, first_ns DESC, trace_id DESC LIMIT {limit:UInt32}",
            {**_bounds(bounds), **_before(before), "size": size, "limit": limit},
        ).rows
        if not rows:
            return Window(bounds.since_ns, bounds.until_ns, 0), []
        window = _window(bounds, size, _int(rows[0][2]), _int(rows[0][3]))
        return window, [PagePosition(_int(row[1]), str(row[0])) for row in rows if row[4]]

    def traces_in(
        self, window: Window, before: PagePosition, filter_sql: FilterSql | None, limit: int
    ) -> list[PagePosition]:
        """List traces whose first span of those seen lies in the window, newest first, behind `before`."""
        if filter_sql is None:
            return self._matching(window, before, None, [], limit)
        long = self.long_traces(window)
        found = self._matching(window, before, filter_sql, list(long), limit)
        found += self._matching_long(window, before, filter_sql, long, limit)
        return sorted(found, key=lambda one: (one.started_ns, one.trace_id), reverse=True)[:limit]

    def long_traces(self, window: Window) -> dict[str, TimeRange]:
        """Return the traces that begin in the window and go on long after it, and how long."""
        rows = self._ask(LONG_TRACES, {"low": window.low_ns, "high": window.high_ns}).rows
        return {str(row[0]): TimeRange(_int(row[1]), _int(row[2]) + 1) for row in rows}

    def _matching(
        self,
        window: Window,
        before: PagePosition,
        filter_sql: FilterSql | None,
        left_out: Sequence[str],
        limit: int,
    ) -> list[PagePosition]:
        having = ["(first_ns, trace_id) < ({before_ns:Int64}, {before_id:String})"]
        parameters: dict[str, object] = {
            "low": window.low_ns,
            "high": window.high_ns,
            "limit": limit,
            **_before(before),
        }
        final = where = ""
        if filter_sql is not None:
            having += ["first_ns < {window_high:Int64}", f"({filter_sql.having})"]
            parameters |= {"window_high": window.high_ns, "high": window.high_ns + FILTERED_TRACE_NS}
            parameters |= {
                **filter_sql.parameters,
                **whole_days(window.low_ns, window.high_ns + FILTERED_TRACE_NS),
            }
            final = "FINAL"
        if left_out:
            where = " AND trace_id NOT IN {left_out:Array(String)}"
            parameters["left_out"] = list(left_out)
        rows = self._ask(
            f"SELECT trace_id, min(started_ns) AS first_ns FROM spans {final} "
            f"WHERE {PROJECT_AND_TIME}{where} GROUP BY trace_id HAVING {' AND '.join(having)} "
            "ORDER BY first_ns DESC, trace_id DESC LIMIT {limit:UInt32}",
            parameters,
        )
        return [PagePosition(_int(first_ns), str(trace_id)) for trace_id, first_ns in rows.rows]

    def hits(self, candidates: Candidates, bounds: TimeRange, most: int) -> list[tuple[str, int]]:
        """List traces that can match and their first hits, the newest first, one more than `most`."""
        rows = self._ask(
            f"SELECT trace_id, min(at_ns) AS first_ns FROM ({candidates.sql}) GROUP BY trace_id "
            "ORDER BY first_ns DESC, trace_id DESC LIMIT {most:UInt32} + 1",
            {**_of_days(bounds), **candidates.parameters, "most": most},
        )
        return [(str(trace_id), _int(first_ns)) for trace_id, first_ns in rows.rows]

    def message_count(self, candidates: Candidates, bounds: TimeRange) -> int:
        """Count the messages of some days that hold the words, up to a few more than can be looked up."""
        rows = self._ask(candidates.words, {**_of_days(bounds), **candidates.parameters})
        return _int(rows.rows[0][0])

    def matching(self, tree: Filter, times: Mapping[str, TimeRange]) -> set[str]:
        """Return which of these traces match a filter; each is judged by all of its spans."""
        where = started_in(join_stretches(times.values(), _MAX_STRETCHES))
        theirs = f"{where.sql} AND {_IN_TRACES}"
        filter_sql = compile_filter(tree, theirs)
        low_ns = min(one.since_ns for one in times.values())
        high_ns = max(one.until_ns for one in times.values())
        rows = self._ask(
            f"SELECT trace_id FROM spans FINAL WHERE {theirs} GROUP BY trace_id HAVING {filter_sql.having}",
            {
                **where.parameters,
                **filter_sql.parameters,
                **whole_days(low_ns, high_ns),
                "traces": list(times),
            },
        )
        return {str(row[0]) for row in rows.rows}

    def _matching_long(
        self,
        window: Window,
        before: PagePosition,
        filter_sql: FilterSql,
        long: Mapping[str, TimeRange],
        limit: int,
    ) -> list[PagePosition]:
        """Judge traces by all their spans, wherever they lie."""
        behind = {
            trace_id: time
            for trace_id, time in long.items()
            if (time.since_ns, trace_id) < (before.started_ns, before.trace_id)
        }
        if not behind:
            return []
        within = started_in(join_stretches(behind.values(), _MAX_STRETCHES), name="long")
        until_ns = max(one.until_ns for one in behind.values())
        rows = self._ask(
            "SELECT trace_id, min(started_ns) AS first_ns FROM spans FINAL "
            f"WHERE {within.sql} AND {_IN_TRACES} GROUP BY trace_id HAVING ({filter_sql.having}) "
            "ORDER BY first_ns DESC, trace_id DESC LIMIT {limit:UInt32}",
            {
                **within.parameters,
                **filter_sql.parameters,
                **whole_days(window.low_ns, until_ns),
                "low": window.low_ns,
                "high": until_ns,
                "traces": list(behind),
                "limit": limit,
            },
        )
        return [PagePosition(_int(first_ns), str(trace_id)) for trace_id, first_ns in rows.rows]

    def times_of(self, trace_ids: Sequence[str]) -> dict[str, TimeRange]:
        """Return when the first and last spans of traces started; a trace that isn't there is left out."""
        rows = self._ask(
            "SELECT trace_id, min(first_started_ns), max(last_started_ns) FROM trace_times "
            "WHERE project_id = {project:String} AND trace_id IN {traces:Array(String)} GROUP BY trace_id",
            {"traces": list(trace_ids)},
        )
        return {str(row[0]): TimeRange(_int(row[1]), _int(row[2]) + 1) for row in rows.rows}

    def summaries(
        self, trace_ids: Sequence[str], stretches: Sequence[TimeRange]
    ) -> list[Mapping[str, object]]:
        """Add up the spans of traces, each span once; all their spans start in the stretches."""
        where = started_in(stretches)
        within = f"{where.sql} AND {_IN_TRACES}"
        parameters = {**where.parameters, "traces": list(trace_ids)}
        is_told = bool(
            self._ask(f"SELECT 1 FROM spans WHERE {within} AND {IS_TOLD} LIMIT 1", parameters).rows
        )
        sql = _summary_sql(within, counted(within) if is_told else IS_CALL)
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
            {**_bounds(bounds), "traces": [trace_id], "limit": MAX_TRACE_SPANS} | asked,
        )
        return _named(rows)

    def places_of(self, trace_id: str, bounds: TimeRange) -> list[Place]:
        """Return where all spans of a trace hang, at most 200,000."""
        rows = self._store.query(
            f"SELECT span_id, any(parent_span_id), min(started_ns) FROM spans WHERE {_IN_ONE_TRACE} "
            f"GROUP BY span_id ORDER BY min(started_ns) LIMIT {_MAX_PLACES}",
            {"project": self._project, **_bounds(bounds), "traces": [trace_id]},
            timeout_s=self._timeout_s,
            max_rows=_MAX_PLACES,
        )
        return [Place(str(span), str(parent), _int(started)) for span, parent, started in rows.rows]

    def joins_of(self, trace_id: str, bounds: TimeRange) -> dict[str, Join]:
        """Return the spans of a trace whose call another span stands for, which one, and why."""
        rows = self._ask(told_by_which(_IN_ONE_TRACE), {**_bounds(bounds), "traces": [trace_id]}).rows
        return read_joins([(str(span), str(other), str(why)) for span, other, why in rows])

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

    def _ask(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        # The store takes no value that the query does not name; which times a filter names, it knows itself.
        asked = {"project": self._project, **parameters}
        named = {name: value for name, value in asked.items() if f"{{{name}:" in sql}
        return self._store.query(sql, named, timeout_s=self._timeout_s)


_SUMMARY_COLUMNS = (
    "trace_id, span_id, parent_span_id, type, name, started_ns, ended_ns, status, trace_name, user_id, "
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
    min(started_ns) AS first_ns,
    max(ended_ns) AS last_ns,
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
    groupUniqArrayArray(tags) AS tags,
    argMinIf(preview_input, {_ROOT_FIRST}, preview_input != '') AS preview_input,
    argMinIf(preview_output, (parent_span_id != '', -ended_ns), preview_output != '') AS preview_output,
    argMinIf(if(error != '', error, error_type), (parent_span_id != '', ended_ns), status = 'error')
        AS preview_error
FROM (
    SELECT {_SUMMARY_COLUMNS}, {is_counted} AS is_counted
    FROM spans WHERE {where}
    ORDER BY {NEWEST} LIMIT 1 BY trace_id, span_id, written_by
)
GROUP BY trace_id
"""


def _window(bounds: TimeRange, size: int, first_ns: int, count: int) -> Window:
    return Window(bounds.since_ns if count < size else first_ns, bounds.until_ns, count)


def _before(position: PagePosition) -> dict[str, object]:
    return {"before_ns": position.started_ns, "before_id": position.trace_id}


def _bounds(bounds: TimeRange) -> dict[str, object]:
    return {"low": bounds.since_ns, "high": bounds.until_ns}


def _of_days(bounds: TimeRange) -> dict[str, object]:
    return {**_bounds(bounds), **whole_days(bounds.since_ns, bounds.until_ns)}


def _named(rows: Rows) -> list[Mapping[str, object]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
