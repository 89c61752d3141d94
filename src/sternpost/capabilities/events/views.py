"""The JSON of events on the management API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.base.clock import utc_text
from sternpost.capabilities.events.records import EventPage
from sternpost.contracts.event_log import CursorState, Event, Failure


@dataclass(frozen=True, slots=True)
class ActorView:
    kind: str  # user, key or system
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class EventView:
    """One change. `body` holds ids and small facts; `before` and `after` in it where both exist."""

    seq: int
    event_id: str
    kind: str
    subject: str
    actor: ActorView
    project_id: str
    environment: str
    at: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EventPageView:
    items: Sequence[EventView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FailureView:
    event_id: str
    seq: int
    attempts: int
    next_attempt_at: str | None
    error: str


@dataclass(frozen=True, slots=True)
class SubscriberView:
    """`failing` blocks the subscriber until it is handled or, after 10 failures, set aside."""

    name: str
    seq: int
    updated_at: str
    failing: FailureView | None
    set_aside: Sequence[FailureView]


@dataclass(frozen=True, slots=True)
class SubscriberPageView:
    items: Sequence[SubscriberView]
    next_cursor: None = None


@dataclass(frozen=True, slots=True)
class RetriedView:
    subscribers: int  # that handle the event again


def event_view(event: Event) -> EventView:
    return EventView(
        seq=event.seq,
        event_id=event.event_id,
        kind=event.kind,
        subject=event.subject,
        actor=ActorView(event.actor.kind, event.actor.id, event.actor.name),
        project_id=event.project_id,
        environment=event.environment,
        at=utc_text(event.at_ns),
        body=event.body,
    )


def event_page_view(page: EventPage) -> EventPageView:
    cursor = None if page.next_seq is None else str(page.next_seq)
    return EventPageView([event_view(event) for event in page.items], cursor)


def subscriber_view(state: CursorState) -> SubscriberView:
    return SubscriberView(
        name=state.subscriber,
        seq=state.seq,
        updated_at=utc_text(state.updated_ns),
        failing=None if state.failing is None else _failure_view(state.failing),
        set_aside=[_failure_view(one) for one in state.set_aside],
    )


def _failure_view(failure: Failure) -> FailureView:
    next_at = None if failure.is_set_aside else utc_text(failure.next_attempt_ns)
    return FailureView(failure.event_id, failure.seq, failure.attempts, next_at, failure.error)
