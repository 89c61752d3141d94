"""Langfuse's own ingestion: the events, scores and media of its SDKs as raw spans, scores and blobs.

SDKs before version 3 send everything this way, an observation in two events or more; what was sent of one is
remembered, within limits, until more about it is unlikely.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.base.ids import ProjectId, ScoreId, SpanId, TraceId
from sternpost.contracts.message import Json
from sternpost.contracts.score import Score, ScoreKind
from sternpost.ingest.mapping.times import moment_ns
from sternpost.ingest.mapping.values import as_number, as_text, is_mapping
from sternpost.ingest.records import RawSpan, Sender

_MOST_REMEMBERED: Final = 20_000
_SCOPE: Final = "langfuse.ingestion"
_HEX: Final = frozenset("0123456789abcdef")
_KINDS: Final[Mapping[str, ScoreKind]] = {
    "NUMERIC": "numeric",
    "BOOLEAN": "boolean",
    "CATEGORICAL": "category",
    "TEXT": "text",
}
# Field of an observation -> the attribute under which newer SDKs send it.
_OBSERVATION: Final[Mapping[str, str]] = {
    "input": "langfuse.observation.input",
    "output": "langfuse.observation.output",
    "level": "langfuse.observation.level",
    "statusMessage": "langfuse.observation.status_message",
    "model": "langfuse.observation.model.name",
    "modelParameters": "langfuse.observation.model.parameters",
    "completionStartTime": "langfuse.observation.completion_start_time",
    "promptName": "langfuse.observation.prompt.name",
    "promptVersion": "langfuse.observation.prompt.version",
    "costDetails": "langfuse.observation.cost_details",
    "version": "langfuse.version",
    "environment": "langfuse.environment",
}
_TRACE: Final[Mapping[str, str]] = {
    "name": "langfuse.trace.name",
    "userId": "langfuse.user.id",
    "sessionId": "langfuse.session.id",
    "tags": "langfuse.trace.tags",
    "release": "langfuse.release",
    "environment": "langfuse.environment",
}
_USAGE: Final[Mapping[str, str]] = {
    "promptTokens": "input",
    "completionTokens": "output",
    "totalTokens": "total",
}
_USAGE_NAMES: Final = frozenset({"input", "output", "total"})

Body = Mapping[str, Json]


@dataclass(slots=True)
class Events:
    """What one request contains: spans to keep, scores, and which events could not be read."""

    spans: dict[str, RawSpan] = field(default_factory=dict[str, RawSpan])
    scores: list[Score] = field(default_factory=list[Score])
    accepted: list[str] = field(default_factory=list[str])
    refused: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class Observations:
    """What was received so far about traces and observations, the oldest dropped first; one per process."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._told: OrderedDict[tuple[str, str], dict[str, Json]] = OrderedDict()
        self._most = most
        self._lock = Lock()

    def learn(self, project_id: ProjectId, id_: str, body: Body) -> dict[str, Json]:
        """Add to what is known of one id and return all of it; null takes nothing back."""
        key = (project_id, id_)
        told = {name: value for name, value in body.items() if value is not None}
        with self._lock:
            known = self._told[key] = {**self._told.get(key, {}), **told}
            self._told.move_to_end(key)
            if len(self._told) > self._most:
                self._told.popitem(last=False)
        return dict(known)

    def known(self, project_id: ProjectId, id_: str) -> Mapping[str, Json] | None:
        return self._told.get((project_id, id_))


def read_events(
    batch: Iterable[Json], sender: Sender, received_ns: int, observations: Observations
) -> Events:
    """Read a batch of `/api/public/ingestion`; an event that can't be read is named and the rest kept."""
    found = Events()
    for event in batch:
        event_id = as_text(event.get("id")) if is_mapping(event) else ""
        try:
            _read_event(event, sender, received_ns, observations, found)
        except BadRequest as error:
            found.refused.append((event_id, error.message))
        else:
            found.accepted.append(event_id)
    return found


def _read_event(
    event: Json, sender: Sender, received_ns: int, observations: Observations, found: Events
) -> None:
    body = event.get("body") if is_mapping(event) else None
    if not is_mapping(event) or not is_mapping(body):
        raise BadRequest("an event must be an object with `type` and `body`")
    kind = as_text(event.get("type"))
    subject, _, verb = kind.rpartition("-")
    if kind == "sdk-log":
        return
    if verb not in ("create", "update"):
        raise BadRequest(f"the type {kind[:40]!r} of an event is unknown")
    if subject == "score":
        found.scores.append(read_score(body, sender, received_ns))
        return
    id_ = as_text(body.get("id"))
    if not id_:
        raise BadRequest("an event's body has no `id`")
    told = {"timestamp": event.get("timestamp"), **body} if subject == "trace" else body
    if subject not in ("trace", "observation") and "type" not in body:
        told = {"type": subject, **body}
    known = observations.learn(sender.project_id, f"{subject == 'trace'}/{id_}", told)
    if subject == "trace":
        span = _trace_span(known, received_ns)
    else:
        trace = observations.known(sender.project_id, f"True/{as_text(known.get('traceId'))}")
        span = _observation_span(known, trace, received_ns)
    found.spans[span.span_id] = span


def _trace_span(body: Body, received_ns: int) -> RawSpan:
    started_ns = _moment(body.get("timestamp")) or received_ns
    attributes = _taken(body, _TRACE)
    attributes |= {"langfuse.observation.type": "span", **_metadata(body, "langfuse.trace.metadata")}
    attributes |= {f"langfuse.observation.{side}": body[side] for side in ("input", "output") if side in body}
    trace_id = as_text(body.get("id"))
    return RawSpan(
        trace_id=trace_id_of(trace_id),
        span_id=root_id_of(trace_id),
        parent_span_id="",
        name=as_text(body.get("name")) or "trace",
        started_ns=started_ns,
        ended_ns=started_ns,
        attributes={"langfuse.trace.id": trace_id, **attributes},
        scope=_SCOPE,
    )


def _observation_span(body: Body, trace: Body | None, received_ns: int) -> RawSpan:
    trace_id, id_ = as_text(body.get("traceId")) or as_text(body.get("id")), as_text(body.get("id"))
    parent = as_text(body.get("parentObservationId"))
    started_ns = _moment(body.get("startTime")) or received_ns
    attributes = _taken(body, _OBSERVATION)
    if trace is not None:
        attributes = {**_taken(trace, _TRACE), **attributes}
    attributes |= {
        "langfuse.observation.id": id_,
        "langfuse.observation.type": as_text(body.get("type")).lower(),
        **_metadata(body, "langfuse.observation.metadata"),
        **_usage(body),
    }
    root = root_id_of(trace_id) if trace is not None else ""
    return RawSpan(
        trace_id=trace_id_of(trace_id),
        span_id=span_id_of(id_),
        parent_span_id=span_id_of(parent) if parent else root,
        name=as_text(body.get("name")) or as_text(body.get("type")).lower(),
        started_ns=started_ns,
        ended_ns=max(_moment(body.get("endTime")), started_ns),
        attributes=attributes,
        scope=_SCOPE,
    )


def _taken(body: Body, names: Mapping[str, str]) -> dict[str, Json]:
    return {attribute: body[name] for name, attribute in names.items() if body.get(name) is not None}


def _metadata(body: Body, prefix: str) -> dict[str, Json]:
    metadata = body.get("metadata")
    if is_mapping(metadata):
        return {f"{prefix}.{name}": value for name, value in metadata.items()}
    return {} if metadata is None else {prefix: metadata}


def _usage(body: Body) -> dict[str, Json]:
    """Return usage as newer SDKs name it; the older object writes OpenAI's names in camel case."""
    details, usage = body.get("usageDetails"), body.get("usage")
    if not is_mapping(details) and is_mapping(usage):
        details = {_USAGE.get(name, name): count for name, count in usage.items() if count is not None}
        details = {name: count for name, count in details.items() if name in _USAGE_NAMES}
    found: dict[str, Json] = {"langfuse.observation.usage_details": details} if details else {}
    cost = usage.get("totalCost") if is_mapping(usage) else None
    if cost is not None and body.get("costDetails") is None:
        found["langfuse.observation.cost_details"] = {"total": cost}
    return found


def read_score(body: Body, sender: Sender, received_ns: int) -> Score:
    """Read a score of `/api/public/scores`. Raises: BadRequest saying what is missing."""
    trace_id, name = as_text(body.get("traceId")), as_text(body.get("name"))
    if not trace_id or not name:
        raise BadRequest("a score needs `traceId` and `name`; scores of sessions and runs are not kept")
    observation, value = as_text(body.get("observationId")), body.get("value")
    number = as_number(value) if not isinstance(value, bool) else float(value)
    kind = _KINDS.get(as_text(body.get("dataType")).upper()) or ("category" if number is None else "numeric")
    id_ = as_text(body.get("id"))
    told = (
        id_
        or f"{trace_id}/{observation}/{name}/{as_text(value)}/{as_text(body.get('comment'))}/{received_ns}"
    )
    return Score(
        project_id=sender.project_id,
        score_id=ScoreId(f"score_{blake2b(told.encode(), digest_size=13).hexdigest()}"),
        trace_id=TraceId(trace_id_of(trace_id)),
        span_id=SpanId(span_id_of(observation)) if observation else None,
        name=name,
        kind=kind,
        source="api",
        created_ns=min(_moment(body.get("timestamp")) or received_ns, received_ns),
        value=number if kind in ("numeric", "boolean") else None,
        label=as_text(value) if kind in ("category", "text") else "",
        explanation=as_text(body.get("comment")),
        author=as_text(body.get("authorUserId")),
    )


def trace_id_of(text: str) -> str:
    """Return a trace id as it is, a UUID without its dashes, and a hash of anything else."""
    return _hex_of(text, 16)


def span_id_of(text: str) -> str:
    return _hex_of(text, 8)


def root_id_of(trace_id: str) -> str:
    """Return the id of the span that represents a whole trace, as older SDKs send it."""
    return blake2b(f"root/{trace_id}".encode(), digest_size=8).hexdigest()


def _hex_of(text: str, size: int) -> str:
    plain = text.replace("-", "").lower()
    if len(plain) == 2 * size and _HEX.issuperset(plain) and plain.strip("0"):
        return plain
    return blake2b(text.encode("utf-8", "replace"), digest_size=size).hexdigest()


def _moment(value: Json) -> int:
    return (moment_ns(value) or 0) if isinstance(value, str) else 0
