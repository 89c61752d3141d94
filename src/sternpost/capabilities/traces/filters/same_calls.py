"""SQL that finds spans of a call that another span represents, and why; counting is `span_sql`'s.

Three ways, the surest first: a span above one that reports a call itself; one reply id; and, where ids are
missing, the same model at the same time with the same tokens or messages. The gateway's span represents the
call, else the lowest, else the most complete one.
"""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping
from typing import Final

from sternpost.capabilities.traces.clocks import CLOCKS_NS

_TOLD_TYPES: Final = ("llm", "embedding", "reranker")  # what an application reports of a call
TOLD: Final = ", ".join(f"'{one}'" for one in _TOLD_TYPES)
_OUR_SCOPE: Final = "sternpost.gateway"
IS_OURS: Final = f"scope = '{_OUR_SCOPE}'"  # ingest lets nobody else have this scope
_IS_GATEWAY = f"(type = 'gateway' OR {IS_OURS})"
REPORTS_A_CALL: Final = f"(type = 'gateway' OR (type IN ({TOLD}) AND (usage_source != '' OR {IS_OURS})))"
_IS_CALL = f"(type IN ('gateway', {TOLD}) AND NOT is_rollup)"

# Spans of one key are compared with this many neighbours in time: what it costs stays linear in the spans.
_NEIGHBOURS = 16
# Clocks of two machines differ; what agrees in tokens and words may lie further apart.
_SURE_NS = 120_000_000_000


def _marks(keys: str, pairs: str) -> str:
    """Sort keys and (key, value) pairs together: a pair follows its key, when that is there."""
    return (
        f"arraySort(arrayConcat(arrayMap(key -> (key.1, 0, key.2), {keys}), "
        f"arrayMap(pair -> (pair.1, 1, pair.2), {pairs})))"
    )


def _values_of(marks: str) -> str:
    """Return (value, key's value) of the pairs that follow their key."""
    return (
        "arrayMap(both -> (both.1.3, both.2.3), arrayFilter("
        "both -> both.1.2 = 1 AND both.2.2 = 0 AND both.2.1 = both.1.1, "
        f"arrayZip({marks}, arrayFill(mark -> mark.2 = 0, {marks}))))"
    )


def above_a_call(where: str) -> str:
    """Return a subquery of (trace, span, below, why) that are one or two levels above a reported call.

    Two steps: the application's llm span > its HTTP client's span > the gateway's. One pass over the spans: a
    search per step took three times as long.
    """
    return f"""
SELECT trace_id, pair.1 AS span_id, pair.2 AS below, 'parent' AS why
FROM (
    SELECT
        trace_id,
        groupUniqArrayIf((parent_span_id, span_id), parent_span_id != '' AND {REPORTS_A_CALL}) AS called_by,
        groupUniqArrayIf((span_id, parent_span_id), parent_span_id != '' AND type != 'gateway') AS parents,
        arrayMap(one -> (one.1, one.2), parents) AS steps,
        {_marks("called_by", "steps")} AS by_parent
    FROM spans
    WHERE {where} AND type != 'attempt'
    GROUP BY trace_id
)
ARRAY JOIN arrayConcat(called_by, {_values_of("by_parent")}) AS pair"""


_INPUT = "(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image)"
_OUTPUT = "(out_text + out_reasoning + out_audio + out_image)"
_BUCKETS_SET = "((in_cache_read > 0) + (in_cache_write_5m > 0) + (out_reasoning > 0) + (in_audio > 0))"
# Of two spans of a call the greater one stands for it; no two are equal, so one always does.
_RANK = (
    f"({_IS_GATEWAY} * 128 + (usage_source != '') * 64 + (cost_nanousd IS NOT NULL) * 32 "
    f"+ {_BUCKETS_SET} * 4 + (response_id != '') * 2 + notEmpty(output_hashes))"
)


def _hash(text: str) -> str:
    """Return a number for a text, 0 for none: numbers are compared and carried at a tenth of the cost."""
    return f"if({text} = '', 0, cityHash64({text}))"


def _bare(model: str) -> str:
    """Return a model's name without its provider and the day of its version, as only some tell them."""
    day = "[-@]20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$"
    return f"replaceRegexpOne(lower(splitByChar('/', {model})[-1]), '{day}', '')"


_MODELS = ", ".join(_hash(_bare(column)) for column in ("request_model", "response_model", "target"))
_SAID = "if(empty(output_hashes), '', output_hashes[1])"
_ASKED = "if(empty(input_hashes), '', input_hashes[-1])"
_SPAN = (
    f"CAST(({_RANK}, trace_id, span_id, cityHash64(scope), type, started_ns, ended_ns, {_INPUT}, {_OUTPUT}, "
    f"{_MODELS}, {_hash('response_id')}, {_hash(_SAID)}, {_hash(_ASKED)}) AS "
    "Tuple(rank UInt16, trace String, span String, scope UInt64, type LowCardinality(String), started Int64, "
    "ended Int64, input UInt64, output UInt64, asked_for UInt64, answered_by UInt64, target UInt64, "
    "reply UInt64, said UInt64, asked UInt64))"
)


_SAYS_NOTHING_ITSELF = f"(usage_source = '' AND response_id = '' AND {_SAID} = '' AND {_ASKED} = '')"


def _keys(*, is_across: bool) -> str:
    """Return the keys under which a span is compared; those that say little hold within a trace only."""
    trace = "''" if is_across else "trace_id"
    return (
        "arrayFilter(key -> key.2 != 0, ["
        f"(1, if(response_id = '', 0, cityHash64({trace}, response_id))), "
        f"(2, if({_SAID} = '', 0, cityHash64({trace}, {_SAID}))), "
        f"(3, if({_ASKED} = '', 0, cityHash64(trace_id, {_ASKED}))), "
        f"(4, if({_INPUT} + {_OUTPUT} = 0, 0, cityHash64(trace_id, {_INPUT}, {_OUTPUT}))), "
        f"(5, if({_SAYS_NOTHING_ITSELF} OR type = 'gateway', cityHash64(trace_id), 0))"
        "])"
    )


def _is_near(slack_ns: int) -> str:
    return f"(me.started <= one.ended + {slack_ns} AND one.started <= me.ended + {slack_ns})"


_HAS_TOKENS = "me.input + me.output > 0"
_SAME_TOKENS = f"({_HAS_TOKENS} AND me.input = one.input AND me.output = one.output)"
_ONE_TELLS_NO_TOKENS = "(me.input + me.output = 0 OR one.input + one.output = 0)"
_SAME_ANSWER = "(me.said != 0 AND me.said = one.said)"
_SAME_QUESTION = "(me.asked != 0 AND me.asked = one.asked)"
_NAMES = ("asked_for", "answered_by", "target")
_SAME_MODEL = (
    "(me.asked_for + me.answered_by + me.target = 0 OR one.asked_for + one.answered_by + one.target = 0 OR "
    + " OR ".join(f"(me.{mine} != 0 AND me.{mine} = one.{other})" for mine in _NAMES for other in _NAMES)
    + ")"
)
_OTHER_ANSWER = "(me.said != 0 AND one.said != 0 AND me.said != one.said)"
_OTHER_REPLY = "(me.reply != 0 AND one.reply != 0 AND me.reply != one.reply)"
# Some hosts give every reply one id, or one of a thousand: two calls of one sender, one after the other.
_ID_USED_AGAIN = (
    f"(me.scope = one.scope AND NOT {_ONE_TELLS_NO_TOKENS} AND NOT {_SAME_TOKENS} AND NOT {_is_near(0)})"
)
_SAME_KIND = "(me.type = one.type OR me.type = 'gateway' OR one.type = 'gateway')"
_SAME_TRACE = "me.trace = one.trace"
_SAYS_NOTHING = "(me.input + me.output = 0 AND me.said = 0 AND me.asked = 0 AND me.reply = 0)"
_PLACE_OF_ONE = "(one.rank, one.started, one.span)"
_WHY = f"""multiIf(
    one.span = me.span OR {_PLACE_OF_ONE} <= (me.rank, me.started, me.span) OR NOT {_SAME_KIND}, '',
    me.reply != 0 AND me.reply = one.reply AND NOT {_ID_USED_AGAIN}, 'response_id',
    one.scope = me.scope OR {_OTHER_REPLY} OR NOT {_SAME_MODEL}, '',
    {_SAME_TOKENS} AND {_SAME_ANSWER} AND if({_SAME_TRACE}, {_is_near(_SURE_NS)}, {_is_near(CLOCKS_NS)}),
    'tokens_and_answer',
    NOT {_SAME_TRACE} OR {_OTHER_ANSWER} OR NOT {_is_near(CLOCKS_NS)}, '',
    {_SAME_TOKENS}, 'tokens',
    {_SAME_ANSWER} AND ({_ONE_TELLS_NO_TOKENS} OR {_SAME_QUESTION}), 'answer',
    {_SAME_QUESTION} AND {_ONE_TELLS_NO_TOKENS}, 'question',
    one.type = 'gateway' AND {_SAYS_NOTHING}, 'model_and_time',
    '')"""


def _may_be_told_twice(where: str, *, is_across: bool) -> str:
    """Exclude, at a tenth of the cost, the calls that only one sender reports: almost all."""
    calls = f"FROM spans WHERE {where} AND {_IS_CALL}"
    by_trace = (
        f"trace_id IN (SELECT trace_id {calls} GROUP BY trace_id HAVING uniqExact(scope) > 1 "
        "OR uniqExactIf(response_id, response_id != '') < countIf(response_id != ''))"
    )
    if not is_across:
        return by_trace
    replies = f"SELECT response_id {calls} AND response_id != '' GROUP BY response_id HAVING count() > 1"
    answers = f"SELECT {_SAID} AS answer {calls} AND answer != '' GROUP BY answer HAVING uniqExact(scope) > 1"
    return f"({by_trace} OR response_id IN ({replies}) OR {_SAID} IN ({answers}))"


def beside_a_call(where: str, *, is_across: bool = False) -> str:
    """Return a subquery of (trace, span, other, why): spans of a call that `other` describes better.

    is_across: also where the two are in different traces, for sums over calls rather than of a trace.
    """
    return f"""
SELECT
    me.trace AS trace_id, me.span AS span_id,
    argMax(better.1, better.3) AS below, argMax(better.2, better.3) AS why
FROM (
    SELECT me, arrayJoin(arrayMap(one -> (one.span, {_WHY}, {_PLACE_OF_ONE}), others)) AS better
    FROM (
        SELECT
            spans[place] AS me,
            arraySlice(spans, greatest(place - {_NEIGHBOURS}, 1), {2 * _NEIGHBOURS}) AS others
        FROM (
            SELECT arraySort(one -> (one.started, one.span), groupArray(me)) AS spans
            FROM (
                SELECT {_SPAN} AS me, arrayJoin({_keys(is_across=is_across)}) AS key
                FROM spans
                WHERE {where} AND {_IS_CALL} AND {_may_be_told_twice(where, is_across=is_across)}
                AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM ({above_a_call(where)}))
            )
            GROUP BY key
            HAVING count() > 1 AND (key.1 = 1 OR uniqExact(me.scope) > 1)
        )
        ARRAY JOIN arrayEnumerate(spans) AS place
    )
    WHERE me.type != 'gateway'
)
WHERE better.2 != ''
GROUP BY trace_id, span_id"""


def told_twice(where: str, *, is_across: bool = False) -> str:
    """Return a subquery of (trace, span) whose call another span represents."""
    told = f"type IN ({TOLD}) AND NOT {IS_OURS}"
    near_told = f"{where} AND trace_id IN (SELECT trace_id FROM spans WHERE {where} AND {told})"
    return (
        f"SELECT trace_id, span_id FROM ({above_a_call(near_told)}) UNION ALL "
        f"SELECT trace_id, span_id FROM ({beside_a_call(where, is_across=is_across)})"
    )


def may_be_told_twice(row: Mapping[str, object]) -> bool:
    """Say whether another span may represent the call of this one; mostly the gateway alone reports calls."""
    return row["type"] in _TOLD_TYPES and row["scope"] != _OUR_SCOPE and not row["is_rollup"]


def told_by_which(where: str) -> str:
    """Return a query of (span, other, why) for the spans of a trace whose call `other` represents."""
    own = f"SELECT span_id FROM spans WHERE {where} AND type IN ({TOLD}) AND NOT {IS_OURS} AND NOT is_rollup"
    return (
        f"SELECT span_id, any(below), any(why) FROM ({above_a_call(where)} UNION ALL {beside_a_call(where)}) "
        f"WHERE span_id IN ({own}) GROUP BY span_id LIMIT 10000"
    )
