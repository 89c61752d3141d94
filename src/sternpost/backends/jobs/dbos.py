"""Jobs as DBOS workflows on SQLite or PostgreSQL; one per process, because DBOS keeps itself in globals.

Import this module where jobs run and nowhere else: DBOS costs 35 MB and a second. Nothing leaves the machine:
no conductor, no telemetry, no port.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from croniter import croniter
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus
from sqlalchemy.exc import SQLAlchemyError

from sternpost.backends.jobs.sqlite_connections import prepare_connections
from sternpost.base.errors import NotFound, StoreUnavailable
from sternpost.contracts.jobs import Job, JobRun, JobStatus

logger = logging.getLogger(__name__)

# Both fixed, so that the next start, of the next version too, resumes what a crash cut off.
_VERSION = "1"
_EXECUTOR = "sternpost-worker"
_MAX_THREADS = 32  # most of them wait for groups of queued items; they start with the first work
_SCHEDULE_POLL_S = 10.0
_END_S = 2  # for what has just ended to be written down
_MILLISECOND_NS = 1_000_000
_STATUSES: dict[str, JobStatus] = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "done",
}


def sqlite_jobs_url(home: Path) -> str:
    """Make the jobs file of a data folder in WAL mode, where readers and the writer don't wait.

    Raises: StoreUnavailable.
    """
    path = home / "jobs.sqlite"
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"{str(path)!r} can't be used ({error}); if it is damaged, move it away: it is created again"
        ) from error
    return f"sqlite:///{path}"


class DbosJobs:
    """A `contracts.jobs.Jobs`. `url`: `sqlite:///` or `postgresql://`.

    declare: names further workflows, which DBOS must know before it resumes what was cut off.
    executor: whose cut-off work this process resumes; several workers of one database have a name each.
    """

    def __init__(
        self, url: str, *, declare: Callable[[], None] | None = None, executor: str = _EXECUTOR
    ) -> None:
        self._url = url
        self._declare = declare
        self._executor = executor
        self._workflows: dict[str, Callable[[datetime, str], None]] = {}

    def start(self, jobs: Sequence[Job]) -> None:
        dbos_logger = logging.getLogger("dbos")
        if not dbos_logger.handlers:  # without one DBOS writes to the console by itself
            dbos_logger.addHandler(logging.NullHandler())
        prepare_connections()
        try:
            DBOS(config=_config(self._url, self._executor))
            self._workflows = {job.name: _workflow(job) for job in jobs}
            if self._declare is not None:
                self._declare()
            DBOS.launch()
            self._follow(jobs)
        except SQLAlchemyError as error:
            self.close()
            raise StoreUnavailable(f"the jobs' database can't be used ({type(error).__name__})") from error

    def run_now(self, name: str) -> str:
        self._refuse_unknown(name)
        handle = DBOS.start_workflow(self._workflows[name], datetime.now(UTC), name)
        return handle.get_workflow_id()

    def runs(self, name: str, limit: int = 20) -> Sequence[JobRun]:
        self._refuse_unknown(name)
        found = DBOS.list_workflows(name=_workflow_name(name), limit=limit, sort_desc=True, load_input=False)
        return [_run_of(name, status) for status in found]

    def close(self) -> None:
        """Stop following schedules; a run in progress continues at the next start."""
        self._workflows = {}
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=_END_S)

    def _refuse_unknown(self, name: str) -> None:
        if name not in self._workflows:
            raise NotFound(f"there is no job {name!r}; there are: {', '.join(sorted(self._workflows))}")

    def _follow(self, jobs: Sequence[Job]) -> None:
        scheduled = [job for job in jobs if job.schedule]
        DBOS.apply_schedules(
            [
                {
                    "schedule_name": job.name,
                    "workflow_fn": self._workflows[job.name],
                    "schedule": job.schedule,
                    "context": job.name,
                }
                for job in scheduled
            ]
        )
        for known in DBOS.list_schedules():
            if known["schedule_name"] not in {job.name for job in scheduled}:
                DBOS.delete_schedule(known["schedule_name"])
        for job in scheduled:
            self._make_up(job)

    def _make_up(self, job: Job) -> None:
        """Run for the last time that was due, unless that was done: its id is the one DBOS would give it."""
        due = croniter(job.schedule, datetime.now(UTC)).get_prev(datetime)
        with SetWorkflowID(f"sched-{job.name}-{due.isoformat()}"):
            DBOS.start_workflow(self._workflows[job.name], due, job.name)


def _config(url: str, executor: str) -> DBOSConfig:
    return {
        "name": "sternpost",
        "system_database_url": url,
        "application_version": _VERSION,
        "executor_id": executor,
        "max_executor_threads": _MAX_THREADS,
        "scheduler_polling_interval_sec": _SCHEDULE_POLL_S,
        "enable_otlp": False,
        "log_level": "WARNING",
    }


def _workflow_name(job: str) -> str:
    return f"sternpost.{job}"


def _workflow(job: Job) -> Callable[[datetime, str], None]:
    def run_job(due: datetime, _: str) -> None:
        due_ns = round(due.timestamp() * 1000) * _MILLISECOND_NS
        DBOS.run_step({"name": job.name}, _run_logged, job, due_ns)

    return DBOS.workflow(name=_workflow_name(job.name))(run_job)


def _run_logged(job: Job, due_ns: int) -> None:
    try:
        job.run(due_ns)
    except Exception:  # the edge of a job: DBOS keeps the error on the run
        logger.exception("job %s failed", job.name)
        raise


def _run_of(name: str, status: WorkflowStatus) -> JobRun:
    return JobRun(
        run_id=status.workflow_id,
        job=name,
        status=_STATUSES.get(status.status, "failed"),
        created_ns=(status.created_at or 0) * _MILLISECOND_NS,
        ended_ns=None if status.completed_at is None else status.completed_at * _MILLISECOND_NS,
        error="" if status.error is None else f"{type(status.error).__name__}: {status.error}",
    )
