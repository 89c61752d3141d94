"""SQL that finds spans of a call that another span stands for, and why; counting is `span_sql`'s.

Three ways, the surest first: a span above one that reports a call itself; one reply id; and, where ids are
missing, the same model at the same time with the same tokens or messages. The gateway's span stands for the
call, else the lowest, else the most complete one.
"""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from typing import Final

TOLD: Final = "'llm', 'embedding', 'reranker'"  # what an application reports of a call
IS_OURS: Final = "scope = 'sternpost.gateway'"  # ingest lets nobody else have this scope
_IS_GATEWAY = f"(type = 'gateway' OR {IS_OURS})"
_REPORTS_A_CALL = f"(type = 'gateway' OR (type IN ({TOLD}) AND (usage_source != '' OR {IS_OURS})))"
_IS_CALL = f"(type IN ('gateway', {TOLD}) AND NOT is_rollup)"

# Spans of one key are compared with this many neighbours in time: what it costs stays linear in the spans.
_NEIGHBOURS = 16
# Clocks of two machines differ; what agrees in tokens and words may lie further apart.
_CLOCKS_NS = 2_000_000_000
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
    """Return a subquery of (trace, span, below, why) that lie one or two steps above a reported call.

    Two steps: the application's llm span > its HTTP client's span > the gateway's. One pass over the spans: a
    search per step took three times as long.
    """
    return f"""
SELECT trace_id, pair.1 AS span_id, pair.2 AS below, 'parent' AS why
FROM (
    SELECT
        trace_id,
        groupUniqArrayIf((parent_span_id, span_id), parent_span_id != '' AND {_REPORTS_A_CALL}) AS called_by,
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
    f"({_IS_GATEWAY}, usage_source != '', cost_nanousd IS NOT NULL, {_BUCKETS_SET}, "
    "response_id != '', notEmpty(output_hashes), started_ns, span_id)"
)


def _bare(model: str) -> str:
    """Return a model's name without its provider and the day of its version, as only some tell them."""
    day = "[-@]20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$"
    return f"replaceRegexpOne(lower(splitByChar('/', {model})[-1]), '{day}', '')"


_MODELS = (
    f"arrayFilter(one -> one != '', [{_bare('request_model')}, {_bare('response_model')}, {_bare('target')}])"
)
_SAID = "if(empty(output_hashes), '', output_hashes[1])"
_ASKED = "if(empty(input_hashes), '', input_hashes[-1])"
_SPAN = (
    f"CAST(({_RANK}, trace_id, span_id, scope, type, started_ns, ended_ns, {_INPUT}, {_OUTPUT}, "
    f"{_MODELS}, response_id, {_SAID}, {_ASKED}) AS "
    "Tuple(rank Tuple(UInt8, UInt8, UInt8, UInt16, UInt8, UInt8, Int64, String), "
    "trace String, span String, scope String, type String, started Int64, ended Int64, input UInt64, "
    "output UInt64, models Array(String), reply String, said String, asked String))"
)


_SAYS_NOTHING_ITSELF = f"(usage_source = '' AND response_id = '' AND {_SAID} = '' AND {_ASKED} = '')"


def _keys(*, is_across: bool) -> str:
    """Return the keys under which a span is compared; those that say little hold within a trace only."""
    trace = "''" if is_across else "trace_id"
    return (
        "arrayFilter(key -> key.3 != '', ["
        f"('reply', {trace}, response_id), "
        f"('said', {trace}, {_SAID}), "
        f"('asked', trace_id, {_ASKED}), "
        f"('tokens', trace_id, if({_INPUT} + {_OUTPUT} = 0, '', concat(toString({_INPUT}), '/', "
        f"toString({_OUTPUT})))), "
        f"('model', trace_id, if({_SAYS_NOTHING_ITSELF} OR type = 'gateway', 'any', ''))"
        "])"
    )


def _is_near(slack_ns: int) -> str:
    return f"(me.started <= one.ended + {slack_ns} AND one.started <= me.ended + {slack_ns})"


_HAS_TOKENS = "me.input + me.output > 0"
_SAME_TOKENS = f"({_HAS_TOKENS} AND me.input = one.input AND me.output = one.output)"
_ONE_TELLS_NO_TOKENS = "(me.input + me.output = 0 OR one.input + one.output = 0)"
_SAME_ANSWER = "(me.said != '' AND me.said = one.said)"
_SAME_QUESTION = "(me.asked != '' AND me.asked = one.asked)"
_SAME_MODEL = "(empty(me.models) OR empty(one.models) OR hasAny(me.models, one.models))"
_OTHER_ANSWER = "(me.said != '' AND one.said != '' AND me.said != one.said)"
_OTHER_REPLY = "(me.reply != '' AND one.reply != '' AND me.reply != one.reply)"
_SAME_KIND = "(me.type = one.type OR me.type = 'gateway' OR one.type = 'gateway')"
_SAME_TRACE = "me.trace = one.trace"
_SAYS_NOTHING = "(me.input + me.output = 0 AND me.said = '' AND me.asked = '' AND me.reply = '')"
_WHY = f"""multiIf(
    one.span = me.span OR one.rank <= me.rank OR NOT {_SAME_KIND}, '',
    me.reply != '' AND me.reply = one.reply, 'response_id',
    one.scope = me.scope OR {_OTHER_REPLY} OR NOT {_SAME_MODEL}, '',
    {_SAME_TOKENS} AND {_SAME_ANSWER} AND if({_SAME_TRACE}, {_is_near(_SURE_NS)}, {_is_near(_CLOCKS_NS)}),
    'tokens_and_answer',
    NOT {_SAME_TRACE} OR {_OTHER_ANSWER} OR NOT {_is_near(_CLOCKS_NS)}, '',
    {_SAME_TOKENS}, 'tokens',
    {_SAME_ANSWER} AND ({_ONE_TELLS_NO_TOKENS} OR {_SAME_QUESTION}), 'answer',
    {_SAME_QUESTION} AND {_ONE_TELLS_NO_TOKENS}, 'question',
    one.type = 'gateway' AND {_SAYS_NOTHING}, 'model_and_time',
    '')"""


def beside_a_call(where: str, *, is_across: bool = False) -> str:
    """Return a subquery of (trace, span, other, why): spans that tell of a call that `other` tells of better.

    is_across: also where the two lie in different traces, for sums over calls rather than of a trace.
    """
    frame = f"ORDER BY started_ns, span_id ROWS BETWEEN {_NEIGHBOURS} PRECEDING AND {_NEIGHBOURS} FOLLOWING"
    return f"""
SELECT trace_id, span_id, argMax(better.1, (better.3, better.2)) AS below, argMax(better.2, better.3) AS why
FROM (
    SELECT
        trace_id, span_id,
        arrayJoin(arrayMap(one -> (one.span, {_WHY}, one.rank), others)) AS better
    FROM (
        SELECT trace_id, span_id, me, groupArray(me) OVER (PARTITION BY key {frame}) AS others
        FROM (
            SELECT
                trace_id, span_id, started_ns, {_SPAN} AS me,
                arrayJoin({_keys(is_across=is_across)}) AS key
            FROM spans
            WHERE {where} AND {_IS_CALL}
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM ({above_a_call(where)}))
        )
    )
    WHERE me.type != 'gateway'
)
WHERE better.2 != ''
GROUP BY trace_id, span_id"""


def told_twice(where: str, *, is_across: bool = False) -> str:
    """Return a subquery of (trace, span) whose call another span stands for."""
    return (
        f"SELECT trace_id, span_id FROM ({above_a_call(where)}) UNION ALL "
        f"SELECT trace_id, span_id FROM ({beside_a_call(where, is_across=is_across)})"
    )


def told_by_which(where: str) -> str:
    """Return a query of (span, other, why) for the spans of a trace whose call `other` stands for."""
    own = f"SELECT span_id FROM spans WHERE {where} AND type IN ({TOLD}) AND NOT {IS_OURS} AND NOT is_rollup"
    return (
        f"SELECT span_id, any(below), any(why) FROM ({above_a_call(where)} UNION ALL {beside_a_call(where)}) "
        f"WHERE span_id IN ({own}) GROUP BY span_id LIMIT 10000"
    )
