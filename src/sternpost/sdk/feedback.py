"""Judgements of a trace or span, sent as `gen_ai.evaluation.result`; not how they are computed."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Literal

from sternpost.base.ids import SpanId, TraceId, new_span_id
from sternpost.sdk import client
from sternpost.sdk.records import AttributeValue, FinishedSpan, SpanEvent
from sternpost.sdk.span import current_span

_LOGGER = logging.getLogger("sternpost.sdk")
_HEX = frozenset("0123456789abcdef")
_NAME = "gen_ai.evaluation.result"


@dataclass(frozen=True, slots=True)
class _Target:
    trace_id: str
    span_id: str
    user_id: str = ""
    source: Literal["user_feedback", "api"] = "api"

    @property
    def is_usable(self) -> bool:
        return _is_id(self.trace_id, 32) and (not self.span_id or _is_id(self.span_id, 16))

    def attributes(self) -> dict[str, AttributeValue]:
        named: dict[str, AttributeValue] = {
            "sternpost.target.trace_id": self.trace_id,
            "sternpost.target.span_id": self.span_id,
            "sternpost.score.source": self.source,
            "user.id": self.user_id,
        }
        return {key: value for key, value in named.items() if value}


def feedback(
    *,
    value: bool | float | str,
    trace_id: str = "",
    span_id: str = "",
    name: str = "user_feedback",
    comment: str = "",
    user_id: str = "",
) -> None:
    """Record what a user thinks of an answer.

    value: a number, a boolean (thumb up or down), or a word such as "helpful".
    trace_id: `span.trace_id` or the header `x-sternpost-trace-id`; left out: the open trace.
    user_id: who says so. Without a trace it is logged as an error and not sent: feedback never breaks
    the application.
    """
    current = current_span()
    if not trace_id and current is not None:
        trace_id, user_id = current.trace_id, user_id or current.owner.user_id
    _send(name, value, comment, _Target(trace_id, span_id, user_id, "user_feedback"))


def score(
    name: str, value: bool | float | str, *, trace_id: str = "", span_id: str = "", comment: str = ""
) -> None:
    """Record what the application itself measured of an answer, e.g. `score("has_citation", True)`.

    trace_id: left out: the open trace, and its open span.
    """
    current = current_span()
    if not trace_id and current is not None:
        trace_id, span_id = current.trace_id, span_id or current.span_id
    _send(name, value, comment, _Target(trace_id, span_id))


def _send(name: str, value: bool | float | str, comment: str, target: _Target) -> None:
    if not target.is_usable:
        _LOGGER.error("score %r is not sent: pass trace_id=span.trace_id, 32 hexadecimal digits", name)
        return
    if isinstance(value, float) and not math.isfinite(value):
        _LOGGER.error("score %r is not sent: %r is no number", name, value)
        return
    at_ns = time.time_ns()
    client.export(
        FinishedSpan(
            trace_id=TraceId(target.trace_id),
            span_id=new_span_id(),
            parent_span_id=SpanId(target.span_id) if target.span_id else None,
            name=_NAME,
            kind="internal",
            started_ns=at_ns,
            ended_ns=at_ns,
            attributes=target.attributes(),
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
