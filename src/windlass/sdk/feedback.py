"""Judgements of a trace or span, sent as `gen_ai.evaluation.result`; not how they are computed."""

import logging
import math
import time

from windlass.base.ids import SpanId, TraceId, new_span_id
from windlass.sdk import client
from windlass.sdk.records import AttributeValue, FinishedSpan, SpanEvent
from windlass.sdk.span import current_span

_LOGGER = logging.getLogger("windlass.sdk")
_HEX = frozenset("0123456789abcdef")
_NAME = "gen_ai.evaluation.result"


def feedback(
    *,
    value: bool | float | str,
    trace_id: str = "",
    span_id: str = "",
    name: str = "user_feedback",
    comment: str = "",
) -> None:
    """Record what a user thinks of an answer.

    value: a number, a boolean (thumb up or down), or a word such as "helpful".
    trace_id: `span.trace_id` or the header `x-windlass-trace-id`; left out: the open trace.
    Without a trace it is logged as an error and not sent: feedback never breaks the application.
    """
    _send(name, value, trace_id, span_id, comment, source="user_feedback")


def score(
    name: str, value: bool | float | str, *, trace_id: str = "", span_id: str = "", comment: str = ""
) -> None:
    """Record what the application itself measured of an answer, e.g. `score("has_citation", True)`.

    trace_id: left out: the open trace, and its open span.
    """
    _send(name, value, trace_id, span_id, comment, source="api")


def _send(
    name: str, value: bool | float | str, trace_id: str, span_id: str, comment: str, *, source: str
) -> None:
    current = current_span()
    if not trace_id and current is not None:
        trace_id = current.trace_id
        span_id = span_id or (current.span_id if source == "api" else "")
    if not _is_id(trace_id, 32) or (span_id and not _is_id(span_id, 16)):
        _LOGGER.error("score %r is not sent: pass trace_id=span.trace_id, 32 hexadecimal digits", name)
        return
    if isinstance(value, float) and not math.isfinite(value):
        _LOGGER.error("score %r is not sent: %r is no number", name, value)
        return
    at_ns = time.time_ns()
    target: dict[str, AttributeValue] = {
        "windlass.target.trace_id": trace_id,
        "windlass.target.span_id": span_id,
    }
    client.export(
        FinishedSpan(
            trace_id=TraceId(trace_id),
            span_id=new_span_id(),
            parent_span_id=SpanId(span_id) if span_id else None,
            name=_NAME,
            kind="internal",
            started_ns=at_ns,
            ended_ns=at_ns,
            attributes={key: text for key, text in target.items() if text}
            | {"windlass.score.source": source},
            events=(SpanEvent(_NAME, at_ns, _judgement(name, value, comment)),),
        )
    )


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and _HEX.issuperset(text)


def _judgement(name: str, value: bool | float | str, comment: str) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {"gen_ai.evaluation.name": name}
    if isinstance(value, bool):
        found["gen_ai.evaluation.score.value"] = float(value)
        found["gen_ai.evaluation.score.label"] = "true" if value else "false"
    elif isinstance(value, str):
        found["gen_ai.evaluation.score.label"] = value
    else:
        found["gen_ai.evaluation.score.value"] = float(value)
    if comment:
        found["gen_ai.evaluation.explanation"] = comment
    return found
