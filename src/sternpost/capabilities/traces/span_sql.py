"""Pieces of SQL that every question about spans shares: what counts once, what a trace's status is."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.capabilities.traces.records import TimeRange

PROJECT_AND_TIME = "project_id = {project:String} AND started_ns >= {low:Int64} AND started_ns < {high:Int64}"

INPUT_TOKENS = "(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image)"
MODEL = "if(response_model != '', response_model, request_model)"
OUTPUT_TOKENS = "(out_text + out_reasoning + out_audio + out_image)"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on spans and the values that it names."""

    sql: str
    parameters: Mapping[str, object]


def started_in(stretches: Sequence[TimeRange], *, column: str = "started_ns", name: str = "at") -> Condition:
    """Choose what started in one of a few stretches of time; each is read along the sort key.

    name: tells the parameters of two conditions in one query apart.
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


def _marks(keys: str, pairs: str) -> str:
    """Sort keys and (key, value) pairs together: a pair follows its key, when that is there."""
    return (
        f"arraySort(arrayConcat(arrayMap(key -> (key, 0, ''), {keys}), "
        f"arrayMap(pair -> (pair.1, 1, pair.2), {pairs})))"
    )


def _values_of(marks: str) -> str:
    """Return the values of the pairs that follow their key."""
    return (
        "arrayMap(mark -> mark.3, arrayFilter("
        "(mark, found) -> mark.2 = 1 AND found.2 = 0 AND found.1 = mark.1, "
        f"{marks}, arrayFill(mark -> mark.2 = 0, {marks})))"
    )


_TOLD = "'llm', 'embedding'"  # what an application reports of a call that the gateway reports too
IS_OURS = "scope = 'sternpost.gateway'"  # ingest lets nobody else have this scope
# Of the rows of a span by one writer (`written_by`) the newest counts; another writer's is another span.
NEWEST = f"{IS_OURS} DESC, received_ns DESC"
_REPORTS_A_CALL = f"(type = 'gateway' OR (type IN ({_TOLD}) AND (usage_source != '' OR {IS_OURS})))"


def _repeated(where: str) -> str:
    """Return a subquery of (trace, span) that lie one or two steps above a span that reports a call itself.

    Two steps: the application's llm span > its HTTP client's span > the gateway's. And those that tell of the
    reply that a gateway span tells of. One pass over the spans: a search per step took three times as long.
    """
    return f"""
SELECT trace_id, arrayJoin(arrayConcat(called_by, {_values_of("by_parent")}, {_values_of("by_reply")}))
FROM (
    SELECT
        trace_id,
        groupUniqArrayIf(parent_span_id, parent_span_id != '' AND {_REPORTS_A_CALL}) AS called_by,
        groupUniqArrayIf((span_id, parent_span_id), parent_span_id != '' AND type != 'gateway') AS parents,
        groupUniqArrayIf(response_id, response_id != '' AND type = 'gateway') AS gateway_replies,
        groupUniqArrayIf((response_id, span_id), response_id != '' AND type = 'llm') AS replies,
        {_marks("called_by", "parents")} AS by_parent,
        {_marks("gateway_replies", "replies")} AS by_reply
    FROM spans
    WHERE {where} AND type != 'attempt'
    GROUP BY trace_id
)"""


def counted(where: str = PROJECT_AND_TIME, *, is_page: bool = False) -> str:
    """Return the condition under which a span's usage and cost are summed, and a call is counted.

    A call that several spans report counts once. The lowest one wins: the gateway's over the application's
    own, an SDK's over a framework's that wraps it; and the gateway's over any with the same response id.
    where: bounds the search for those spans. is_page: it leaves few spans, so that all may be looked at.
    """
    if not is_page:  # the gateway's own traces are told by nobody else, and they are the most
        told = f"type IN ({_TOLD}) AND NOT {IS_OURS}"
        where = f"{where} AND trace_id IN (SELECT trace_id FROM spans WHERE {where} AND {told})"
    return (
        "(NOT is_rollup AND type IN ('gateway', 'llm', 'embedding', 'reranker') "
        # The gateway's own spans always count: whoever sends spans can name one of them as a parent.
        f"AND NOT (type IN ({_TOLD}) AND NOT {IS_OURS} AND (trace_id, span_id) IN ({_repeated(where)})))"
    )


def _has(status: str) -> str:
    # An attempt that failed and was retried is no fault of the trace.
    return f"countIf(status = '{status}' AND type != 'attempt') > 0"


TRACE_STATUS = (
    f"multiIf({_has('error')}, 'error', {_has('truncated')}, 'truncated', "
    f"{_has('cancelled')}, 'cancelled', 'ok')"
)
