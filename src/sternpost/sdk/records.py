"""A finished span on its way to the server; not how it was measured or how it is written as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sternpost.base.ids import SpanId, TraceId

AttributeValue: TypeAlias = str | bool | int | float
SpanKind: TypeAlias = Literal["internal", "client"]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    name: str
    at_ns: int
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    trace_id: TraceId
    span_id: SpanId
    parent_span_id: SpanId | None
    name: str
    kind: SpanKind
    started_ns: int
    ended_ns: int
    attributes: Mapping[str, AttributeValue]
    events: tuple[SpanEvent, ...] = ()
    error: str = ""  # empty: it went well
    is_error: bool = False

    @property
    def size_bytes(self) -> int:
        """Return about how much memory the texts take; what the queue is bounded by."""
        return 400 + sum(len(value) for value in self.attributes.values() if isinstance(value, str))
