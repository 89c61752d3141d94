"""Work of many items that waits its turn, in a worker, off the path of a call; not what an item does.

Items run at least once. A handler that is called again for an item it has finished must give the same
outcome: it finds what it did by `job_id` and `key`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from sqlalchemy import Connection

from sternpost.base.ids import JobId, ProjectId
from sternpost.contracts.message import Json

JobState: TypeAlias = Literal["waiting", "running", "done", "cancelled"]
ItemState: TypeAlias = Literal["waiting", "done", "failed", "cancelled"]


class TryLater(Exception):
    """Raised as `TryLater(after_s)` by a handler whose item can't be done now; it counts as no failure."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """One piece of work. `key` is its name within the job; submitting it twice is submitting it once."""

    key: str
    payload: Mapping[str, Json] = field(default_factory=dict[str, Json])
    lane: str = ""  # items of one lane share a limit, e.g. a provider's name


@dataclass(frozen=True, slots=True)
class NewJob:
    """A set of items of one kind. An open job of the same kind and `deduplication_key` is not made twice."""

    kind: str
    project_id: ProjectId
    deduplication_key: str = ""
    priority: int = 0  # higher runs first
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])  # what every item of it needs


@dataclass(frozen=True, slots=True)
class WorkJob:
    """A job and how far it is. It is done when every item is done, failed or cancelled."""

    job_id: JobId
    kind: str
    project_id: ProjectId
    state: JobState
    total: int
    done: int
    failed: int
    cancelled: int
    created_ns: int
    ended_ns: int | None
    priority: int
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class WorkItem:
    """What a handler is given; `attempt` counts from 1."""

    job: WorkJob
    key: str
    payload: Mapping[str, Json]
    lane: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """How an item ended; a failed one stays until a person asks for it to be tried again."""

    key: str
    state: ItemState
    attempts: int
    result: Mapping[str, Json] | None
    error: str = ""


Handle: TypeAlias = Callable[[WorkItem], Awaitable[Mapping[str, Json]]]


@dataclass(frozen=True, slots=True)
class WorkKind:
    """How items of a kind are done. Limits hold for each worker; 0 does not limit."""

    name: str
    handle: Handle
    concurrency: int = 8
    per_lane: int = 0
    per_project: int = 0
    per_minute: int = 0
    max_attempts: int = 5
    on_end: Callable[[WorkJob], None] | None = None  # called at least once when a job has ended; blocking


class WorkQueue(Protocol):
    """Blocking; call it through `base.threads`. Raises: StoreUnavailable."""

    def submit(self, connection: Connection, job: NewJob, items: Iterable[NewItem]) -> JobId:
        """Add a job in the caller's transaction, so that it is there if the change that asks for it is."""
        ...

    def job(self, job_id: JobId) -> WorkJob | None: ...

    def jobs(self, kind: str, project_id: ProjectId, *, before: str, limit: int) -> Sequence[WorkJob]:
        """Return jobs newest first, those made before the job `before` (empty: from the newest)."""
        ...

    def outcomes(
        self, job_id: JobId, *, states: Sequence[ItemState], after: int, limit: int
    ) -> Sequence[tuple[int, ItemOutcome]]:
        """Return items in the order they were submitted, with their numbers; those after a number."""
        ...

    def cancel(self, job_id: JobId) -> bool:
        """Start no further item; those in progress are finished. False when the job had ended."""
        ...

    def retry_failed(self, job_id: JobId) -> int:
        """Let failed items wait again; return how many. The job is open again if there are any."""
        ...


class WorkRunner(Protocol):
    """The worker's end. Blocking."""

    def start(self, kinds: Sequence[WorkKind]) -> None:
        """Take what waits, and what a crash cut off; returns at once. Raises: StoreUnavailable."""
        ...

    def stop(self, patience_s: float) -> None:
        """Start nothing more and give items in progress this long; what is cut off runs again later."""
        ...
