"""Durable jobs that run off the path of a call; a protocol, the engines are in `backends/jobs`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

JobStatus: TypeAlias = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """A named piece of blocking work. `run` takes the time it is run for, UTC nanoseconds.

    A run that a crash cuts off begins again, so `run` must be harmless to repeat.
    """

    name: str
    run: Callable[[int], None]
    schedule: str = ""  # cron of five fields, UTC; empty: only when told to


@dataclass(frozen=True, slots=True)
class JobRun:
    run_id: str
    job: str
    status: JobStatus
    created_ns: int
    ended_ns: int | None = None
    error: str = ""


class Jobs(Protocol):
    """Blocking; call it through `base.threads`."""

    def start(self, jobs: Sequence[Job]) -> None:
        """Resume runs that were cut off and follow the schedules; a run missed meanwhile is made up once.

        Raises: StoreUnavailable.
        """
        ...

    def run_now(self, name: str) -> str:
        """Enqueue one run and return its id. Raises: NotFound for a job that was not started."""
        ...

    def runs(self, name: str, limit: int = 20) -> Sequence[JobRun]:
        """Return the latest runs, newest first."""
        ...

    def close(self) -> None: ...
