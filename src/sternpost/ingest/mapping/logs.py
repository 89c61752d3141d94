"""Log records of GenAI events as spans and scores: each group that belongs to one span hangs below it.

A log record can't change the span it names, which is written by itself; so its messages are put on an event
span, a child that is never counted, and readers of a trace show them at the span.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import msgspec

from sternpost.capabilities.traces.logged import LOGS_OF
from sternpost.contracts.message import Json
from sternpost.ingest.mapping.conversation import DETAILS_EVENT, MESSAGE_EVENTS
from sternpost.ingest.mapping.outcome import severity_level
from sternpost.ingest.mapping.scores import EVALUATION
from sternpost.ingest.mapping.values import as_text, is_mapping
from sternpost.ingest.records import RawEvent, RawLog, RawSpan

_TYPE: Final = "sternpost.span.type"
_EXCEPTION: Final = "gen_ai.client.operation.exception"
_MESSAGES: Final = frozenset({"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.operation.name"})


@dataclass(slots=True)
class LogSpans:
    """`dropped`: records that belong to no span and describe no call."""

    spans: list[RawSpan] = field(default_factory=list[RawSpan])
    dropped: int = 0


def spans_of_logs(logs: Iterable[RawLog]) -> LogSpans:
    """Group log records by the span they were written in."""
    found = LogSpans()
    groups: dict[tuple[str, str], list[RawLog]] = {}
    for log in logs:
        if log.fault or not _has_place(log):
            found.dropped += 1
        elif _name(log) == EVALUATION:
            found.spans.append(_score(log))
        elif not log.trace_id.strip("0"):
            found.spans.append(_call(log))
        else:
            groups.setdefault((log.trace_id, log.span_id), []).append(log)
    found.spans += [_event_span(trace_id, span_id, group) for (trace_id, span_id), group in groups.items()]
    return found


def _has_place(log: RawLog) -> bool:
    """Say whether a record belongs to a span, tells of a call, or judges a reply that it names."""
    if log.trace_id.strip("0") or _name(log) == DETAILS_EVENT:
        return True
    return _name(log) == EVALUATION and bool(as_text(_fields(log).get("gen_ai.response.id")))


def _fields(log: RawLog) -> Mapping[str, Json]:
    return {**log.attributes, **(log.body if is_mapping(log.body) else {})}


def _name(log: RawLog) -> str:
    return log.event_name or as_text(log.attributes.get("event.name"))


def _event_span(trace_id: str, span_id: str, logs: Sequence[RawLog]) -> RawSpan:
    events = tuple(_events(logs))
    names = {event.name for event in events}
    attributes: dict[str, Json] = {_TYPE: "event", LOGS_OF: span_id}
    for log in logs:
        if _name(log) == DETAILS_EVENT:  # what the span tells as well; kept, in case it does not
            attributes |= {name: value for name, value in log.attributes.items() if name not in _MESSAGES}
    if level := severity_level(max(log.severity for log in logs)):
        attributes["log.level"] = level
    times = [log.at_ns for log in logs if log.at_ns > 0]
    return RawSpan(
        trace_id=trace_id,
        span_id=_id_of(logs, 8),
        parent_span_id=span_id,
        name=names.pop() if len(names) == 1 else "gen_ai messages" if names & MESSAGE_EVENTS else "logs",
        started_ns=min(times, default=0),
        ended_ns=max(times, default=0),
        attributes=attributes,
        events=events,
        is_error=any(_name(log) == _EXCEPTION for log in logs),
        resource=logs[0].resource,
        scope=logs[0].scope,
    )


def _events(logs: Sequence[RawLog]) -> Iterator[RawEvent]:
    for log in sorted(logs, key=lambda log: log.at_ns):
        name = _name(log)
        fields = dict(log.attributes)
        fields.pop("event.name", None)
        if is_mapping(log.body):
            fields |= log.body
        elif log.body not in (None, ""):
            fields["body"] = log.body
        if name not in MESSAGE_EVENTS and (log.severity_text or log.severity):
            fields["severity"] = log.severity_text or severity_level(log.severity)
        is_exception = name == _EXCEPTION or (not name and "exception.type" in fields)
        yield RawEvent("exception" if is_exception else name or "log", log.at_ns, fields)


def _score(log: RawLog) -> RawSpan:
    fields = _fields(log)
    envelope: dict[str, Json] = {"sternpost.target.trace_id": log.trace_id, "sternpost.score.source": "api"}
    if log.span_id.strip("0"):
        envelope["sternpost.target.span_id"] = log.span_id
    has_trace = bool(log.trace_id.strip("0"))
    if not has_trace:
        envelope["sternpost.target.trace_id"] = ""
    return RawSpan(
        trace_id=log.trace_id if has_trace else _id_of([log], 16),  # else the reply it names tells the trace
        span_id=_id_of([log], 8),
        parent_span_id="",
        name=EVALUATION,
        started_ns=log.at_ns,
        ended_ns=log.at_ns,
        attributes=envelope,
        events=(RawEvent(EVALUATION, log.at_ns, fields),),
        scope=log.scope,
    )


def _call(log: RawLog) -> RawSpan:
    """A call that was told by its event alone, outside of any span."""
    fields = _fields(log)
    operation, model = (
        as_text(fields.get("gen_ai.operation.name")),
        as_text(fields.get("gen_ai.request.model")),
    )
    return RawSpan(
        trace_id=_id_of([log], 16),
        span_id=_id_of([log], 8),
        parent_span_id="",
        name=f"{operation} {model}".strip(),
        started_ns=log.at_ns,
        ended_ns=log.at_ns,
        attributes=fields,
        is_error="error.type" in fields,
        resource=log.resource,
        scope=log.scope,
    )


def _id_of(logs: Sequence[RawLog], size: int) -> str:
    """Make an id of what the records say, so that sending them again gives the same rows."""
    told = [(log.trace_id, log.span_id, _name(log), log.at_ns, log.body, log.attributes) for log in logs]
    return blake2b(msgspec.json.encode(told, enc_hook=dict), digest_size=size).hexdigest()
