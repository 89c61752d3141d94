"""Pieces of SQL that every question about spans shares: what counts once, what a trace's status is."""

# only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.capabilities.traces.filters.lone_agents import IS_ROLLUP, lone_agents
from sternpost.capabilities.traces.filters.same_calls import IS_OURS, TOLD, told_twice
from sternpost.capabilities.traces.records import TimeRange
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT

PROJECT_AND_TIME = "project_id = {project:String} AND started_ns >= {low:Int64} AND started_ns < {high:Int64}"

INPUT_TOKENS = "(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image)"
ENVIRONMENT = f"if(environment = '', '{DEFAULT_ENVIRONMENT}', environment)"  # spans before there were any
MODEL = "if(response_model != '', response_model, request_model)"
OUTPUT_TOKENS = "(out_text + out_reasoning + out_audio + out_image)"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on spans and the values that it names."""

    sql: str
    parameters: Mapping[str, object]


def started_in(stretches: Sequence[TimeRange], *, column: str = "started_ns", name: str = "at") -> Condition:
    """Choose what started in one of a few stretches of time; each is read along the sort key.

    name: distinguishes the parameters of two conditions in one query.
    """
    parts = [
        f"{column} >= {{{name}{n}_low:Int64}} AND {column} < {{{name}{n}_high:Int64}}"
        for n in range(len(stretches))
    ]
    parameters: dict[str, object] = {}
    for n, stretch in enumerate(stretches):
        parameters |= {f"{name}{n}_low": stretch.since_ns, f"{name}{n}_high": stretch.until_ns}
    return Condition(f"project_id = {{project:String}} AND ({' OR '.join(parts) or '0'})", parameters)


_DAY_NS = 86_400_000_000_000


def whole_days(low_ns: int, high_ns: int) -> dict[str, int]:
    """Return the parameters for the messages of these days; each day has all that its spans need."""
    return {"first_day": low_ns - low_ns % _DAY_NS, "behind_day": high_ns + (-high_ns) % _DAY_NS}


# Of the rows of a span by one writer (`written_by`) the newest counts; another writer's is another span.
NEWEST = f"{IS_OURS} DESC, received_ns DESC"


IS_TOLD = f"type IN ({TOLD}) AND NOT {IS_OURS}"
# Where no application tells of calls or agents, each call stands for itself: asking that first is cheaper.
DEPENDS_ON_OTHERS = f"({IS_TOLD} OR {IS_ROLLUP})"
IS_CALL = f"(NOT is_rollup AND type IN ('gateway', {TOLD}))"


def counted(where: str = PROJECT_AND_TIME, *, is_across: bool = False) -> str:
    """Return the condition under which a span's usage and cost are summed, and a call is counted.

    A call that several spans report counts once; which of them stands for it is told in `same_calls`. The
    usage of an agent counts where nothing below it reports any (`lone_agents`).
    where: bounds the search for those spans.
    is_across: a call counts once even when its spans are in two traces; a trace's own sums leave that out.
    """
    return (
        f"({IS_CALL} "
        # The gateway's own spans always count: whoever sends spans can name one of them as a parent.
        f"AND NOT ({IS_TOLD} AND (trace_id, span_id) IN ({told_twice(where, is_across=is_across)})) "
        f"OR {IS_ROLLUP} AND (trace_id, span_id) IN ({lone_agents(where)}))"
    )


def _has(status: str) -> str:
    # An attempt that failed and was retried is no fault of the trace.
    return f"countIf(status = '{status}' AND type != 'attempt') > 0"


TRACE_STATUS = (
    f"multiIf({_has('error')}, 'error', {_has('truncated')}, 'truncated', "
    f"{_has('cancelled')}, 'cancelled', 'ok')"
)
