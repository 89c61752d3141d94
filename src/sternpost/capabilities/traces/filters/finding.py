"""The queries by which the search finds traces, as SQL; their order is decided in `search`."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.capabilities.traces.filters.bounds_sql import BEGAN_NS, BEGAN_OF_TIMES
from sternpost.capabilities.traces.filters.candidates import Candidates
from sternpost.capabilities.traces.filters.grammar import Filter
from sternpost.capabilities.traces.filters.long_traces import FILTERED_TRACE_NS, LONG_TRACES
from sternpost.capabilities.traces.filters.span_sql import (
    DEPENDS_ON_OTHERS,
    PROJECT_AND_TIME,
    started_in,
    whole_days,
)
from sternpost.capabilities.traces.filters.sql import FilterSql, compile_filter, sums_calls
from sternpost.capabilities.traces.filters.stretches import join_stretches
from sternpost.capabilities.traces.queries import ProjectQueries, started_within, whole_number
from sternpost.capabilities.traces.records import PagePosition, TimeRange, TraceTimes
from sternpost.contracts.trace_store import TraceStore

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


class TraceFinder:
    """Every query is bounded in rows and time; blocking, so call it through `base.threads`."""

    def __init__(self, store: TraceStore, project_id: str, timeout_s: float | None = None) -> None:
        self._ask = ProjectQueries(store, project_id, timeout_s).ask

    def window_before(self, bounds: TimeRange, size: int) -> Window:
        """Find the stretch before `until_ns` that holds at most `size` spans, along the sort key."""
        rows = self._ask(
            f"SELECT min(started_ns), count() FROM (SELECT started_ns {_NEWEST_SPANS})",
            {**started_within(bounds), "size": size},
        )
        return _window(bounds, size, whole_number(rows.rows[0][0]), whole_number(rows.rows[0][1]))

    def newest_traces(
        self, bounds: TimeRange, before: PagePosition, size: int, limit: int
    ) -> tuple[Window, list[PagePosition]]:
        """Answer `window_before` and, for that window without a filter, `traces_in` at once."""
        rows = self._ask(
            f"SELECT trace_id, {BEGAN_NS} AS first_ns, min(min(started_ns)) OVER (), sum(count()) OVER (), "
            "(first_ns, trace_id) < ({before_ns:Int64}, {before_id:String}) AS is_behind "
            f"FROM (SELECT trace_id, started_ns, parent_span_id, is_time_skewed {_NEWEST_SPANS}) "
            "GROUP BY trace_id ORDER BY is_behind DESC, first_ns DESC, trace_id DESC LIMIT {limit:UInt32}",
            {**started_within(bounds), **_before(before), "size": size, "limit": limit},
        ).rows
        if not rows:
            return Window(bounds.since_ns, bounds.until_ns, 0), []
        window = _window(bounds, size, whole_number(rows[0][2]), whole_number(rows[0][3]))
        return window, [PagePosition(whole_number(row[1]), str(row[0])) for row in rows if row[4]]

    def traces_in(
        self, window: Window, before: PagePosition, tree: "Filter | None", limit: int
    ) -> list[PagePosition]:
        """List traces whose first span of those seen lies in the window, newest first, behind `before`."""
        if tree is None:
            return self._in_window(window, before, None, [], limit)
        long = self.long_traces(window)
        behind = {
            trace_id: time
            for trace_id, time in long.items()
            if (time.since_ns, trace_id) < (before.started_ns, before.trace_id)
        }
        bounds = TimeRange(window.low_ns, window.high_ns + FILTERED_TRACE_NS)
        is_dependent = self._is_dependent(tree, PROJECT_AND_TIME, started_within(bounds))
        compiled = compile_filter(tree, is_dependent=is_dependent)
        found = self._in_window(window, before, compiled, list(long), limit)
        found += [PagePosition(long[one].since_ns, one) for one in self.matching(tree, behind)]
        return sorted(found, key=lambda one: (one.started_ns, one.trace_id), reverse=True)[:limit]

    def long_traces(self, window: Window) -> dict[str, TimeRange]:
        """Return the traces that begin in the window and continue long after it, and how long."""
        rows = self._ask(LONG_TRACES, {"low": window.low_ns, "high": window.high_ns}).rows
        return {str(row[0]): TimeRange(whole_number(row[1]), whole_number(row[2]) + 1) for row in rows}

    def _in_window(
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
            f"SELECT trace_id, {BEGAN_NS} AS first_ns FROM spans {final} "
            f"WHERE {PROJECT_AND_TIME}{where} GROUP BY trace_id HAVING {' AND '.join(having)} "
            "ORDER BY first_ns DESC, trace_id DESC LIMIT {limit:UInt32}",
            parameters,
        )
        return [PagePosition(whole_number(first_ns), str(trace_id)) for trace_id, first_ns in rows.rows]

    def hits(self, candidates: Candidates, bounds: TimeRange, most: int) -> list[tuple[str, int]]:
        """List traces that can match and their first hits, the newest first, one more than `most`."""
        rows = self._ask(
            f"SELECT trace_id, min(at_ns) AS first_ns FROM ({candidates.sql}) GROUP BY trace_id "
            "ORDER BY first_ns DESC, trace_id DESC LIMIT {most:UInt32} + 1",
            {**_of_days(bounds), **candidates.parameters, "most": most},
        )
        return [(str(trace_id), whole_number(first_ns)) for trace_id, first_ns in rows.rows]

    def message_count(self, candidates: Candidates, bounds: TimeRange) -> int:
        """Count the messages of some days that hold the words, up to a few more than can be looked up."""
        rows = self._ask(candidates.words, {**_of_days(bounds), **candidates.parameters})
        return whole_number(rows.rows[0][0])

    def matching(self, tree: Filter, times: Mapping[str, TimeRange]) -> set[str]:
        """Return which of these traces match a filter; each is judged by all of its spans."""
        if not times:
            return set()
        where = started_in(join_stretches(times.values(), _MAX_STRETCHES))
        theirs = f"{where.sql} AND {_IN_TRACES}"
        chosen: dict[str, object] = {**where.parameters, "traces": list(times)}
        is_dependent = self._is_dependent(tree, theirs, chosen)
        filter_sql = compile_filter(tree, theirs, is_dependent=is_dependent)
        low_ns = min(one.since_ns for one in times.values())
        high_ns = max(one.until_ns for one in times.values())
        rows = self._ask(
            f"SELECT trace_id FROM spans FINAL WHERE {theirs} GROUP BY trace_id HAVING {filter_sql.having}",
            {
                **chosen,
                **filter_sql.parameters,
                **whole_days(low_ns, high_ns),
            },
        )
        return {str(row[0]) for row in rows.rows}

    def _is_dependent(self, tree: Filter, where: str, parameters: Mapping[str, object]) -> bool:
        """Say whether a filter adds calls up of which some may be told by others as well."""
        if not sums_calls(tree):
            return False
        sql = f"SELECT 1 FROM spans WHERE {where} AND {DEPENDS_ON_OTHERS} LIMIT 1"
        return bool(self._ask(sql, parameters).rows)

    def times_of(self, trace_ids: Sequence[str]) -> dict[str, TraceTimes]:
        """Return when traces began and their spans started; a trace that isn't there is left out."""
        rows = self._ask(
            "SELECT trace_id, min(first_started_ns) AS since_ns, max(last_started_ns) AS last_ns, "
            f"{BEGAN_OF_TIMES} AS began_ns FROM trace_times "
            "WHERE project_id = {project:String} AND trace_id IN {traces:Array(String)} GROUP BY trace_id",
            {"traces": list(trace_ids)},
        )
        return {
            str(trace_id): TraceTimes(
                whole_number(since_ns), whole_number(last_ns) + 1, whole_number(began_ns)
            )
            for trace_id, since_ns, last_ns, began_ns in rows.rows
        }


def _window(bounds: TimeRange, size: int, first_ns: int, count: int) -> Window:
    return Window(bounds.since_ns if count < size else first_ns, bounds.until_ns, count)


def _before(position: PagePosition) -> dict[str, object]:
    return {"before_ns": position.started_ns, "before_id": position.trace_id}


def _of_days(bounds: TimeRange) -> dict[str, object]:
    return {**started_within(bounds), **whole_days(bounds.since_ns, bounds.until_ns)}
