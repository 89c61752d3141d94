"""The span that is open now and what is written on it; not how functions are wrapped."""

import json
import logging
import re
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sternpost.base.ids import SpanId, TraceId, new_span_id, new_trace_id
from sternpost.sdk import client
from sternpost.sdk.records import AttributeValue, FinishedSpan, SpanEvent, SpanKind
from sternpost.sdk.values import json_text

_LOGGER = logging.getLogger("sternpost.sdk")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_MAX_ERROR_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose trace it is; handed down to every span inside."""

    session_id: str = ""
    user_id: str = ""
    tags: tuple[str, ...] = ()

    def narrowed(self, session_id: str, user_id: str, tags: Sequence[str]) -> "Owner":
        """Return the owner of a span inside: its own ids first, tags added."""
        return Owner(
            session_id or self.session_id,
            user_id or self.user_id,
            tuple(dict.fromkeys((*self.tags, *tags))),
        )

    def attributes(self) -> dict[str, AttributeValue]:
        named: dict[str, AttributeValue] = {
            "gen_ai.conversation.id": self.session_id,
            "user.id": self.user_id,
            "sternpost.tags": json.dumps(self.tags, ensure_ascii=False) if self.tags else "",
        }
        return {key: value for key, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of span it is and under which names its input and output are written."""

    name: str
    kind: SpanKind = "internal"
    attributes: dict[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    input_key: str = "input.value"
    output_key: str = "output.value"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new span stands in its trace."""

    trace_id: TraceId
    parent_span_id: SpanId | None
    owner: Owner


class ActiveSpan:
    """An open span; `trace_id` is what `sternpost.feedback` wants later."""

    def __init__(self, shape: Shape, place: Place) -> None:
        self.trace_id = place.trace_id
        self.span_id = new_span_id()
        self.parent_span_id = place.parent_span_id
        self.owner = owner = place.owner
        self._is_recording = client.is_exporting()
        self._shape = shape
        self._attributes = {**shape.attributes, **owner.attributes()}
        self._events: list[SpanEvent] = []
        self._error = ""
        self._is_error = False
        self._started_ns = time.time_ns()
        self._started_monotonic_ns = time.perf_counter_ns()

    def set_input(self, value: object) -> None:
        """Record what went in, as JSON."""
        self._record(self._shape.input_key, value)

    def set_output(self, value: object) -> None:
        """Record what came out, as JSON."""
        self._record(self._shape.output_key, value)

    def set_attribute(self, name: str, value: object) -> None:
        """Record any fact; text, numbers and booleans as they are, the rest as JSON."""
        if isinstance(value, str | bool | int | float):
            self._attributes[name] = value
        else:
            self._record(name, value)

    def set_error(self, error: BaseException) -> None:
        """Mark the span as failed. Done by itself for an exception that leaves the span."""
        kind = type(error).__qualname__
        message = str(error)[:_MAX_ERROR_CHARACTERS]
        self._is_error = True
        self._error = message or kind
        self._attributes["error.type"] = kind
        exception: dict[str, AttributeValue] = {"exception.type": kind, "exception.message": message}
        self._events.append(SpanEvent("exception", time.time_ns(), exception))

    def _record(self, name: str, value: object) -> None:
        if self._is_recording:  # writing JSON costs time that nobody would get back
            self._attributes[name] = json_text(value)

    def finish(self) -> None:
        """Close the span and hand it over. The context managers and decorators do this."""
        elapsed_ns = time.perf_counter_ns() - self._started_monotonic_ns
        client.export(
            FinishedSpan(
                trace_id=self.trace_id,
                span_id=self.span_id,
                parent_span_id=self.parent_span_id,
                name=self._shape.name,
                kind=self._shape.kind,
                started_ns=self._started_ns,
                ended_ns=self._started_ns + elapsed_ns,
                attributes=self._attributes,
                events=tuple(self._events),
                error=self._error,
                is_error=self._is_error,
            )
        )

    @contextmanager
    def active(self) -> Generator["ActiveSpan"]:
        """Be the parent of what is opened inside."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            try:
                _CURRENT.reset(token)
            except ValueError:  # left in another context, e.g. an async generator closed by the loop
                _LOGGER.debug("span %r was left in another context", self._shape.name)


_CURRENT: ContextVar[ActiveSpan | None] = ContextVar("sternpost_span", default=None)


def current_span() -> ActiveSpan | None:
    """Return the innermost open span of this thread or task."""
    return _CURRENT.get()


def find_place(owner: Owner, traceparent: str = "") -> Place:
    """Stand below the current span, or below a W3C `traceparent` that came from elsewhere."""
    if remote := _TRACEPARENT.fullmatch(traceparent.strip()):
        return Place(TraceId(remote.group(1)), SpanId(remote.group(2)), owner)
    parent = _CURRENT.get()
    if parent is None:
        return Place(new_trace_id(), None, owner)
    inherited = parent.owner.narrowed(owner.session_id, owner.user_id, owner.tags)
    return Place(parent.trace_id, parent.span_id, inherited)
