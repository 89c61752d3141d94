"""A span as it came over the wire, before any meaning is given to it, and the reply to its sender."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.message import Json


@dataclass(frozen=True, slots=True)
class RawEvent:
    name: str
    at_ns: int
    attributes: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RawSpan:
    """Ids are lowercase hex; `parent_span_id` is "" for a root."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    started_ns: int
    ended_ns: int
    attributes: Mapping[str, Json]
    events: tuple[RawEvent, ...] = ()
    is_error: bool = False
    status_message: str = ""
    dropped_attributes: int = 0
    resource: Mapping[str, Json] = field(default_factory=dict[str, Json])
    scope: str = ""  # name@version
    fault: str = ""  # why it can't be kept


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log record as it came over the wire; its ids are "" when it was written outside of a span."""

    trace_id: str
    span_id: str
    event_name: str
    at_ns: int
    severity: int
    severity_text: str
    body: Json
    attributes: Mapping[str, Json]
    resource: Mapping[str, Json] = field(default_factory=dict[str, Json])
    scope: str = ""  # name@version
    fault: str = ""  # why it can't be kept


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends spans: whatever they say, they are of this project and this key."""

    project_id: ProjectId
    key_id: KeyId


@dataclass(frozen=True, slots=True)
class OtlpReply:
    """What to send back, in the encoding of the request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
