"""Runs the worker's queue and its scheduled jobs, both on DBOS; what they do the parts bring."""

import socket
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event as Stop

from sternpost.assembly.part import Foundation, Loop, Part
from sternpost.backends.jobs.dbos import DbosJobs, sqlite_jobs_url
from sternpost.backends.work_queue.dbos import DbosWorkRunner
from sternpost.backends.work_queue.groups import SqlGroups
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.errors import Stopping
from sternpost.base.settings import Settings
from sternpost.contracts.jobs import Job

_PATIENCE_S = 8.0
_DAY_NS = 86_400_000_000_000
_KEPT_DAYS = 7  # jobs of the queue that ended well
_GROUPS_KEPT_DAYS = 1  # what DBOS knows of their groups


def queued_work(opened: Foundation, parts: Sequence[Part], is_store_ready: Stop) -> Loop:
    """Make the loop that does queued items at once, and scheduled jobs once the trace store is ready."""
    return Loop("jobs", partial(_run, opened, parts, is_store_ready))


def _run(opened: Foundation, parts: Sequence[Part], is_store_ready: Stop, stop: Stop) -> None:
    """Work until stopped. Raises: StoreUnavailable, ConfigurationError without the databases."""
    settings, clock = opened.settings, opened.clock
    opened.tables.migrate()
    worker = _worker_name(settings)
    runner = DbosWorkRunner(SqlGroups(opened.tables, clock, worker), clock)
    engine = _engine(settings, runner.declare, worker)
    jobs = [job for part in parts for job in part.jobs]
    jobs.append(Job("work-queue", partial(_prune, opened, runner), schedule="37 3 * * *"))
    try:
        engine.start([_once_ready(job, is_store_ready, stop) for job in jobs])
        runner.start([kind for part in parts for kind in part.work])
        stop.wait()
    finally:
        runner.stop(_PATIENCE_S)
        engine.close()


def _engine(settings: Settings, declare: Callable[[], None], worker: str) -> DbosJobs:
    if settings.tables_url:  # several workers may share the database; each resumes its own
        return DbosJobs(settings.tables_url, declare=declare, executor=worker)
    return DbosJobs(sqlite_jobs_url(settings.home), declare=declare)


def _worker_name(settings: Settings) -> str:
    """Name this worker the same after a restart, so that it takes up at once what it had."""
    return f"{socket.gethostname()}:{settings.home.resolve()}"


def _once_ready(job: Job, is_store_ready: Stop, stop: Stop) -> Job:
    def run(due_ns: int) -> None:
        while not is_store_ready.wait(0.5):
            if stop.is_set():
                raise Stopping(f"the worker stopped before the job {job.name!r} could begin")
        job.run(due_ns)

    return Job(job.name, run, job.schedule)


def _prune(opened: Foundation, runner: DbosWorkRunner, _: int) -> None:
    now_ns = opened.clock.now_ns()
    SqlWorkQueue(opened.tables, opened.clock).prune(now_ns - _KEPT_DAYS * _DAY_NS)
    runner.prune(now_ns - _GROUPS_KEPT_DAYS * _DAY_NS)
