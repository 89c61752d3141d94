"""Pieces of SQL that every question about spans shares: what counts once, what a trace's status is."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

PROJECT_AND_TIME = "project_id = {project:String} AND started_ns >= {low:Int64} AND started_ns < {high:Int64}"

INPUT_TOKENS = "(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image)"
OUTPUT_TOKENS = "(out_text + out_reasoning + out_audio + out_image)"

_REPORTED = "'llm', 'embedding'"  # what an application reports of a call that the gateway reports too
_GATEWAY = "windlass.gateway"  # the scope of the gateway's own spans
_ANCESTOR_LEVELS = 2  # the application's llm span > its HTTP client's span > the gateway's


def _above_a_call(where: str, level: int) -> str:
    """Return a subquery of (trace, span) that lie `level` steps above a span that reports a call itself.

    Only traces in which someone else reports a call are looked at: the gateway's own are the most.
    """
    inner = (
        f"(type = 'gateway' OR (type IN ({_REPORTED}) AND (usage_source != '' OR scope = '{_GATEWAY}'))) "
        f"AND {_with_reported(where)}"
        if level == 1
        else f"(trace_id, span_id) IN ({_above_a_call(where, level - 1)})"
    )
    return f"SELECT trace_id, parent_span_id FROM spans WHERE {where} AND parent_span_id != '' AND {inner}"


def _with_reported(where: str) -> str:
    return (
        f"trace_id IN (SELECT trace_id FROM spans WHERE {where} AND type IN ({_REPORTED}) "
        f"AND scope != '{_GATEWAY}')"
    )


def counted(where: str = PROJECT_AND_TIME) -> str:
    """Return the condition under which a span's usage and cost are summed, and a call is counted.

    A call that several spans report counts once. The lowest one wins: the gateway's over the application's
    own, an SDK's over a framework's that wraps it; and the gateway's over any with the same response id.
    where: bounds the search for those spans.
    """
    above = " OR ".join(
        f"(trace_id, span_id) IN ({_above_a_call(where, level)})" for level in range(1, _ANCESTOR_LEVELS + 1)
    )
    same_reply = (
        "response_id != '' AND (trace_id, response_id) IN "
        f"(SELECT trace_id, response_id FROM spans WHERE {where} AND type = 'gateway' "
        f"AND {_with_reported(where)})"
    )
    return (
        "(NOT is_rollup AND type IN ('gateway', 'llm', 'embedding', 'reranker') "
        f"AND NOT (type IN ({_REPORTED}) AND ({above} OR ({same_reply}))))"
    )


def _has(status: str) -> str:
    # An attempt that failed and was retried is no fault of the trace.
    return f"countIf(status = '{status}' AND type != 'attempt') > 0"


TRACE_STATUS = (
    f"multiIf({_has('error')}, 'error', {_has('truncated')}, 'truncated', "
    f"{_has('cancelled')}, 'cancelled', 'ok')"
)
