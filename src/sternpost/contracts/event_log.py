"""The log of changes and the cursors of its readers; the kinds of event are in `contracts.events`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from sqlalchemy import Connection

from sternpost.base.ids import EventId, ProjectId
from sternpost.contracts.events import EventBody, Facts

_INSTALLATION = ProjectId("")

ActorKind: TypeAlias = Literal["user", "key", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change: a person, a key, or a part of Sternpost. `id` is never a secret."""

    kind: ActorKind
    id: str
    name: str = ""


WORKER: Final = Actor("system", "worker", "worker")  # what jobs, items and subscribers change


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A change that is being made; `project_id` is "" for what belongs to the whole installation."""

    body: EventBody
    subject: str  # id of what was changed
    actor: Actor
    project_id: ProjectId = _INSTALLATION
    environment: str = ""  # "" for what is the same in every environment


@dataclass(frozen=True, slots=True)
class Event:
    """A change that was made. `seq` grows in the order of commits; gaps are possible."""

    seq: int
    event_id: EventId
    project_id: ProjectId
    environment: str
    kind: str
    subject: str
    actor: Actor
    at_ns: int
    body: Facts


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a reader wants; empty fields choose all. A kind that ends in "." means all below it."""

    project_id: ProjectId | None = None  # those of the installation are always among them
    environment: str = ""
    kinds: tuple[str, ...] = ()
    subject: str = ""


class EventLog(Protocol):
    """Blocking; call it through `base.threads`. Raises: StoreUnavailable anywhere but in `append`."""

    def append(self, connection: Connection, event: NewEvent) -> EventId:
        """Write the event in the transaction of the change that it describes."""
        ...

    def last_seq(self) -> int:
        """Return the highest committed number, 0 when there is none; cheap enough to ask 4 times a second."""
        ...

    def after(self, seq: int, chosen: EventFilter, *, limit: int) -> Sequence[Event]:
        """Return what was committed after `seq`, oldest first; a reader that keeps asking misses none."""
        ...

    def before(self, seq: int | None, chosen: EventFilter, *, limit: int) -> Sequence[Event]:
        """Return what was committed before `seq` (None: up to now), newest first."""
        ...

    def event(self, event_id: EventId) -> Event | None: ...


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reaction to events. `handle` is called at least once for each, in order; it must be idempotent by
    `event.event_id`, and may block."""

    name: str
    kinds: tuple[str, ...]
    handle: Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that a subscriber could not handle; `is_set_aside` when it is no longer tried."""

    subscriber: str
    event_id: EventId
    seq: int
    attempts: int
    next_attempt_ns: int
    error: str
    is_set_aside: bool


@dataclass(frozen=True, slots=True)
class CursorState:
    """How far a subscriber is. `failing` is the event it is held up by."""

    subscriber: str
    seq: int
    updated_ns: int
    failing: Failure | None = None
    set_aside: tuple[Failure, ...] = field(default=())


class Cursors(Protocol):
    """The position of each subscriber. Blocking. Raises: StoreUnavailable."""

    def position(self, subscriber: str) -> int:
        """Return the number of the last event that was handled; a new subscriber begins at the log's end."""
        ...

    def advance(self, subscriber: str, seq: int) -> None:
        """Record that everything up to `seq` is done, and forget the failure that held it up."""
        ...

    def fail(self, failure: Failure) -> None:
        """Record an attempt that failed; with `is_set_aside` the cursor moves past the event as well."""
        ...

    def failing(self, subscriber: str) -> Failure | None: ...

    def take_retries(self, subscriber: str) -> Sequence[Failure]:
        """Return set-aside events that a person asked to try again."""
        ...

    def settle_retry(self, failure: Failure, *, is_done: bool) -> None:
        """End a retry: forget the event, or keep it set aside with its new error."""
        ...

    def retry(self, event_id: EventId, subscriber: str = "") -> int:
        """Ask for set-aside events to be tried again; return how many there are."""
        ...

    def rewind(self, subscriber: str, seq: int) -> None:
        """Let a subscriber handle again what came after `seq`. Raises: NotFound for an unknown one."""
        ...

    def states(self) -> Sequence[CursorState]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a serving process keeps in memory of the tables. `reload` reads and swaps it; blocking.

    It is called once at the start, then whenever an event of its kinds was committed. When it raises, the
    snapshot before stays in force and the failure is shown until a reload succeeds.
    """

    name: str
    kinds: tuple[str, ...]
    reload: Callable[[], None]
