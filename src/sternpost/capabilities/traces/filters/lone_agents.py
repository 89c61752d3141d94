"""SQL that finds agents and chains whose usage nobody below them reports; counting is `span_sql`'s.

Most agents repeat the usage of their calls, and are left out of every sum. Where the calls were not recorded,
as with an agent in a process of its own, the agent's usage is all there is, and counts.
"""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from typing import Final

from sternpost.capabilities.traces.clocks import CLOCKS_NS
from sternpost.capabilities.traces.filters.same_calls import IS_OURS, REPORTS_A_CALL

IS_ROLLUP: Final = "(is_rollup AND usage_source != '' AND type != 'event')"
_DEPTH = 24  # of a tree, between an agent and its calls
_REPORTS = f"({REPORTS_A_CALL} OR {IS_ROLLUP})"


def _id(column: str) -> str:
    """Return a number for an id: numbers are sorted and carried at a fraction of the cost."""
    return f"cityHash64({column})"


def _reached(steps: str, start: str) -> str:
    """Return what steps (from, to) lead to from some spans, those included."""
    # (key, 0, 0) of the spans that were reached, then (from, 1, to): a step follows its key.
    marks = (
        "arraySort(arrayConcat(arrayMap(key -> (key, toUInt8(0), toUInt64(0)), known), "
        f"arrayMap(step -> (step.1, toUInt8(1), step.2), {steps})))"
    )
    next_ones = (
        "arrayMap(both -> both.1.3, arrayFilter("
        "both -> both.1.2 = 1 AND both.2.2 = 0 AND both.2.1 = both.1.1, "
        f"arrayZip({marks}, arrayFill(mark -> mark.2 = 0, {marks}))))"
    )
    return (
        f"arrayFold((known, n) -> arrayDistinct(arrayConcat(known, {next_ones})), range({_DEPTH}), {start})"
    )


def lone_agents(where: str) -> str:
    """Return a subquery of (trace, span): agents and chains of `where` whose usage counts.

    Nothing below reports usage, nothing above is a call that does, and no call of the gateway lies beside
    them in their time. Their whole time is looked at, wherever `where` ends.
    """
    theirs = f"FROM spans WHERE {where} AND {IS_ROLLUP}"
    return f"""
SELECT trace_id, agent.2 AS span_id
FROM (
    SELECT
        trace_id,
        groupUniqArrayIf(({_id("span_id")}, span_id, parent_span_id, started_ns, ended_ns), {IS_ROLLUP})
            AS agents,
        groupUniqArrayIf(({_id("span_id")}, {_id("parent_span_id")}), parent_span_id != '') AS steps,
        groupUniqArrayIf({_id("parent_span_id")}, parent_span_id != '' AND {_REPORTS}) AS called,
        groupArrayIf((parent_span_id, started_ns, ended_ns), type = 'gateway' AND {IS_OURS}) AS calls,
        groupUniqArrayIf({_id("span_id")}, {REPORTS_A_CALL}) AS reported,
        {_reached("steps", "called")} AS above,
        {_reached("arrayMap(step -> (step.2, step.1), steps)", "reported")} AS below
    FROM spans
    WHERE project_id = {{project:String}}
    AND started_ns >= (SELECT min(started_ns) - {CLOCKS_NS} {theirs})
    AND started_ns <= (SELECT max(ended_ns) + {CLOCKS_NS} {theirs})
    AND trace_id IN (SELECT trace_id {theirs})
    AND type != 'attempt'
    GROUP BY trace_id
)
ARRAY JOIN agents AS agent
WHERE NOT has(above, agent.1) AND NOT has(below, agent.1) AND NOT arrayExists(
    call -> call.1 = agent.3 AND call.2 >= agent.4 - {CLOCKS_NS} AND call.3 <= agent.5 + {CLOCKS_NS}, calls
)"""
