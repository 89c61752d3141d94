"""What every engine of `contracts.jobs` keeps; DBOS on SQLite and PostgreSQL, with real processes."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sternpost.backends.jobs.dbos import DbosJobs, sqlite_jobs_url
from sternpost.backends.jobs.sqlite_connections import prepare_connections
from sternpost.base.errors import NotFound, StoreUnavailable
from sternpost.contracts.jobs import Job
from tests.support.postgres import empty_postgres_url

# Once a year, on the first of January at midnight: never due while the tests run, made up at a first start.
YEARLY = "0 0 1 1 *"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[DbosJobs]:
    jobs = DbosJobs(sqlite_jobs_url(tmp_path))
    yield jobs
    jobs.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_jobs_url(tmp_path)
    return empty_postgres_url()


def wait_for(is_met: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_met():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def test_a_job_runs_when_told_to_and_its_run_is_kept(jobs: DbosJobs):
    due: list[int] = []
    jobs.start([Job("tidy", due.append)])
    run_id = jobs.run_now("tidy")
    wait_for(lambda: [run.status for run in jobs.runs("tidy")] == ["done"])
    assert jobs.runs("tidy")[0].run_id == run_id
    assert abs(due[0] - time.time_ns()) < 60e9


def test_a_failing_job_says_why_and_the_next_one_runs(jobs: DbosJobs):
    def fail(_: int) -> None:
        raise RuntimeError("no such partition")

    jobs.start([Job("fails", fail), Job("works", lambda _: None)])
    jobs.run_now("fails")
    jobs.run_now("works")
    wait_for(lambda: [run.status for run in jobs.runs("works")] == ["done"])
    wait_for(lambda: [run.status for run in jobs.runs("fails")] == ["failed"])
    assert "no such partition" in jobs.runs("fails")[0].error


def test_a_schedule_fires(jobs: DbosJobs):
    due: list[int] = []
    jobs.start([Job("often", due.append, schedule="* * * * * *")])  # a sixth field is the second
    wait_for(lambda: len(set(due)) >= 2)


def test_a_run_that_was_missed_is_made_up_once(url: str):
    due: list[int] = []
    for _ in range(2):
        jobs = DbosJobs(url)
        jobs.start([Job("retention", due.append, schedule=YEARLY)])
        wait_for(lambda: [run.status for run in jobs.runs("retention")] == ["done"])  # noqa: B023
        jobs.close()
    assert len(due) == 1
    assert time.gmtime(due[0] / 1e9)[1:6] == (1, 1, 0, 0, 0)


def test_an_unknown_job_is_refused(jobs: DbosJobs):
    jobs.start([Job("tidy", lambda _: None)])
    with pytest.raises(NotFound, match="there are: tidy"):
        jobs.run_now("tidi")


def test_a_database_that_is_not_there_is_an_outage(tmp_path: Path):
    jobs = DbosJobs(f"sqlite:///{tmp_path}/no/such/folder/jobs.sqlite")
    with pytest.raises(StoreUnavailable, match="jobs' database"):
        jobs.start([])


_DIES_IN_THE_JOB = """
import os, sys, time
from pathlib import Path
from sternpost.backends.jobs.dbos import DbosJobs, sqlite_jobs_url
from sternpost.contracts.jobs import Job

def die(due_ns):
    os.kill(os.getpid(), 9)

jobs = DbosJobs(sqlite_jobs_url(Path(sys.argv[1])))
jobs.start([Job("long", die)])
jobs.run_now("long")
time.sleep(20)
"""


def test_a_run_cut_off_by_kill_9_begins_again_at_the_next_start(tmp_path: Path, jobs: DbosJobs):
    killed = subprocess.run([sys.executable, "-c", _DIES_IN_THE_JOB, str(tmp_path)], timeout=30)
    assert killed.returncode == -9
    due: list[int] = []
    jobs.start([Job("long", due.append)])
    wait_for(lambda: len(due) == 1)
    wait_for(lambda: [run.status for run in jobs.runs("long")] == ["done"])


def test_a_damaged_jobs_file_is_an_outage_that_says_how_to_end_it(tmp_path: Path):
    (tmp_path / "jobs.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnavailable, match="move it away"):
        sqlite_jobs_url(tmp_path)


def test_what_dbos_commits_to_sqlite_waits_for_the_disk(jobs: DbosJobs):
    seen: list[int] = []

    def look(connection: sqlite3.Connection, _: object) -> None:
        seen.append(connection.execute("PRAGMA synchronous").fetchone()[0])

    prepare_connections()
    event.listen(Engine, "connect", look)
    try:
        jobs.start([Job("tidy", lambda _: None)])
    finally:
        event.remove(Engine, "connect", look)
    assert seen
    assert set(seen) == {2}  # FULL; a build of SQLite may have another default in WAL mode
