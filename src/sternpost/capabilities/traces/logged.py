"""Shows the messages that arrived as log records at the span they belong to; pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sternpost.capabilities.traces.records import Span

LOGS_OF: Final = "sternpost.logs_of"  # attribute of an event span: the span whose log records it holds


def with_logged_messages(spans: Sequence[Span]) -> list[Span]:
    """Give each span without messages those of the event spans below it, which keep them too."""
    logged: dict[object, list[Span]] = {}
    for span in spans:
        if target := span.attributes.get(LOGS_OF):
            logged.setdefault(target, []).append(span)
    return [_completed(span, logged[span.span_id]) if span.span_id in logged else span for span in spans]


def _completed(span: Span, logs: Sequence[Span]) -> Span:
    logs = sorted(logs, key=lambda one: one.started_at)
    return replace(
        span,
        input=span.input or [message for one in logs for message in one.input],
        output=span.output or [message for one in logs for message in one.output],
    )
