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


@dataclass(eq=False)
class TryLater(Exception):
    """Raised by a handler whose item can't be done now.

    is_failure: it counts as one of the item's attempts. holds_lane: no other item of the same job and lane is
    begun by this worker before, e.g. because a rate limit was met.
    """

    after_s: float
    is_failure: bool = False
    holds_lane: bool = False


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


@dataclass(frozen=True, slots=True)
class Finished:
    """What a handler may return instead of a result: `change` is given to `WorkKind.apply`."""

    result: Mapping[str, Json]
    change: object


Handle: TypeAlias = Callable[[WorkItem], Awaitable[Mapping[str, Json] | Finished]]
Apply: TypeAlias = Callable[[Connection, WorkJob, Sequence[object]], None]


@dataclass(frozen=True, slots=True)
class WorkKind:
    """How items of a kind are done. Limits hold for each worker; 0 does not limit.

    Jobs take turns: items of one never wait until all of another are done.
    """

    name: str
    handle: Handle
    concurrency: int | Callable[[], int] = 8  # asked for whenever an item may begin
    per_lane: int = 0
    per_project: int = 0
    per_minute: int = 0
    max_attempts: int = 5  # 0: never gives up
    apply: Apply | None = None  # writes changes in the transaction of the outcomes: both or neither; blocking
    # Called at least once when a job has ended and none of its items is in progress; blocking.
    on_end: Callable[[WorkJob], None] | None = None
    close: Callable[[], Awaitable[None]] | None = None  # called after the last item, in the items' event loop


class WorkQueue(Protocol):
    """Blocking; call it through `base.threads`. Raises: StoreUnavailable."""

    def submit(self, connection: Connection, job: NewJob, items: Iterable[NewItem], /) -> JobId:
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

    def cancel(self, connection: Connection, job_id: JobId) -> bool:
        """Start no further item, by the caller's transaction; those in progress are finished.

        False when the job had ended.
        """
        ...

    def retry_failed(self, job_id: JobId) -> int:
        """Let failed items wait again; return how many. The job is open again if there are any."""
        ...

    def prune(self, before_ns: int) -> int:
        """Delete jobs that ended before a time, but for those with failed items; return how many."""
        ...


class WorkRunner(Protocol):
    """The worker's end. Blocking."""

    def start(self, kinds: Sequence[WorkKind]) -> None:
        """Take what waits, and what a crash cut off; returns at once. Raises: StoreUnavailable."""
        ...

    def stop(self, patience_s: float) -> None:
        """Start nothing more and give items in progress this long; what is cut off runs again later."""
        ...
