"""What the work queue keeps, on SQLite and PostgreSQL, with real worker processes where one can be killed."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from sternpost.backends.jobs.dbos import DbosJobs, sqlite_jobs_url
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.backends.work_queue.dbos import DbosWorkRunner
from sternpost.backends.work_queue.groups import SqlGroups
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.clock import SystemClock
from sternpost.base.errors import BadRequest
from sternpost.base.ids import JobId, ProjectId
from sternpost.contracts.message import Json
from sternpost.contracts.work_queue import Finished, NewItem, NewJob, TryLater, WorkItem, WorkJob, WorkKind
from tests.support.postgres import empty_postgres_url

P1 = ProjectId("p1")
Done = Mapping[str, Json]


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    if request.param == "sqlite":
        return sqlite_url(tmp_path), sqlite_jobs_url(tmp_path)
    url = empty_postgres_url()
    return url, url


@pytest.fixture
def tables(urls: tuple[str, str]) -> Iterator[SqlTables]:
    opened = SqlTables(urls[0])
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def queue(tables: SqlTables) -> SqlWorkQueue:
    return SqlWorkQueue(tables, SystemClock())


@pytest.fixture
def runner(tables: SqlTables) -> DbosWorkRunner:
    clock = SystemClock()
    return DbosWorkRunner(SqlGroups(tables, clock, "here"), clock)


@pytest.fixture
def start(urls: tuple[str, str], runner: DbosWorkRunner) -> Iterator[Callable[..., None]]:
    """Run kinds in a worker of this process."""
    jobs = DbosJobs(urls[1], declare=runner.declare)

    def start(*kinds: WorkKind) -> None:
        jobs.start([])
        runner.start(kinds)

    yield start
    runner.stop(5)
    jobs.close()


def submit(tables: SqlTables, queue: SqlWorkQueue, keys: "list[str]", **fields: object) -> JobId:
    job = NewJob("note", P1, **fields)  # type: ignore[arg-type]
    with tables.write() as connection:
        return queue.submit(connection, job, [NewItem(key) for key in keys])


def wait_for(is_met: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_met():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def ended(queue: SqlWorkQueue, job_id: JobId) -> WorkJob:
    def is_over() -> bool:
        job = queue.job(job_id)
        return job is not None and job.state in ("done", "cancelled")

    wait_for(is_over)
    job = queue.job(job_id)
    assert job is not None
    return job


async def echo(item: WorkItem) -> Done:
    return {"key": item.key, "attempt": item.attempt}


def test_items_are_done_with_their_results_and_the_end_is_told(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    told: list[JobId] = []
    start(WorkKind("note", echo, on_end=lambda job: told.append(job.job_id)))
    job_id = submit(tables, queue, [f"k{number}" for number in range(250)])  # three groups

    job = ended(queue, job_id)

    assert (job.state, job.total, job.done, job.failed) == ("done", 250, 250, 0)
    found = queue.outcomes(job_id, states=("done",), after=-1, limit=1000)
    assert [outcome.key for _, outcome in found] == [f"k{number}" for number in range(250)]
    assert found[7][1].result == {"key": "k7", "attempt": 1}
    wait_for(lambda: told == [job_id])


def test_a_job_belongs_to_the_transaction_that_asks_for_it_and_is_not_made_twice(
    tables: SqlTables, queue: SqlWorkQueue
) -> None:
    with suppress(RuntimeError), tables.write() as connection:
        queue.submit(connection, NewJob("note", P1), [NewItem("a")])
        raise RuntimeError
    assert queue.jobs("note", P1, before="", limit=10) == ()

    first = submit(tables, queue, ["a", "a", "b"], deduplication_key="nightly")
    second = submit(tables, queue, ["c"], deduplication_key="nightly")
    other = submit(tables, queue, ["c"], deduplication_key="weekly")

    assert first == second != other
    assert [job.total for job in queue.jobs("note", P1, before="", limit=10)] == [1, 2]  # newest first


def test_failures_are_tried_again_then_kept_until_a_person_asks(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    tries: Counter[str] = Counter()
    is_mended = False

    async def handle(item: WorkItem) -> Done:
        tries[item.key] += 1
        if item.key == "later" and tries["later"] == 1:
            raise TryLater(0.1)
        if item.key == "bad" and not is_mended:
            raise BadRequest("the bad item needs mending")
        return {"attempt": item.attempt}

    start(WorkKind("note", handle, max_attempts=2))
    job_id = submit(tables, queue, ["good", "later", "bad"])

    job = ended(queue, job_id)
    assert (job.done, job.failed, tries["bad"]) == (2, 1, 2)
    ((_, failed),) = queue.outcomes(job_id, states=("failed",), after=-1, limit=10)
    assert (failed.key, failed.attempts, failed.error) == ("bad", 2, "the bad item needs mending")
    late = queue.outcomes(job_id, states=("done",), after=0, limit=10)[0][1]
    assert (late.key, late.result) == ("later", {"attempt": 1})  # to wait is no failure

    is_mended = True
    assert queue.retry_failed(job_id) == 1
    assert ended(queue, job_id).done == 3
    assert queue.retry_failed(job_id) == 0


def test_a_cancelled_job_starts_no_further_item(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    begun: list[str] = []
    gate, loops = asyncio.Event(), set[asyncio.AbstractEventLoop]()

    async def handle(item: WorkItem) -> Done:
        begun.append(item.key)
        loops.add(asyncio.get_running_loop())
        await gate.wait()
        return {}

    start(WorkKind("note", handle, concurrency=2))
    job_id = submit(tables, queue, [str(number) for number in range(10)])
    wait_for(lambda: len(begun) == 2)

    with tables.write() as connection:
        assert queue.cancel(connection, job_id)
        assert not queue.cancel(connection, job_id)
    time.sleep(1.2)  # the worker looks once a second whether the job is still wanted
    loops.pop().call_soon_threadsafe(gate.set)

    def settled() -> bool:
        job = queue.job(job_id)
        return job is not None and job.done == 2

    wait_for(settled)
    job = queue.job(job_id)
    assert job is not None
    assert (job.state, job.done, job.cancelled, len(begun)) == ("cancelled", 2, 8, 2)


def test_the_end_of_a_cancelled_job_is_told_when_nothing_of_it_is_under_way(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    begun: list[str] = []
    told: list[int] = []
    gate, loops = asyncio.Event(), set[asyncio.AbstractEventLoop]()

    async def handle(item: WorkItem) -> Done:
        begun.append(item.key)
        loops.add(asyncio.get_running_loop())
        if item.job.facts:
            await gate.wait()
        return {}

    start(WorkKind("note", handle, concurrency=3, on_end=lambda job: told.append(job.done)))
    held = submit(tables, queue, ["a", "b"], facts={"waits": True})
    wait_for(lambda: len(begun) == 2)
    with tables.write() as connection:
        queue.cancel(connection, held)
    other = submit(tables, queue, ["c"])
    ended(queue, other)
    wait_for(lambda: told == [1])  # the end of the other one: this worker tells of ends
    loops.pop().call_soon_threadsafe(gate.set)
    wait_for(lambda: told == [1, 2])


def test_what_an_item_changes_is_written_with_its_outcome_or_not_at_all(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    with tables.write() as connection:
        connection.execute(text("CREATE TABLE noted (key TEXT)"))

    async def handle(item: WorkItem) -> Finished:
        return Finished({"seen": item.key}, item.key)

    def apply(connection: Connection, _: WorkJob, changes: Sequence[object]) -> None:
        for change in changes:
            connection.execute(text("INSERT INTO noted VALUES (:key)"), {"key": change})
            if change == "bad":
                raise ValueError(change)

    start(WorkKind("note", handle, apply=apply))
    job = ended(queue, submit(tables, queue, ["a", "bad", "b"]))

    assert (job.done, job.failed) == (2, 1)
    with tables.read() as connection:
        assert sorted(connection.execute(text("SELECT key FROM noted")).scalars()) == ["a", "b"]


def test_a_held_lane_is_tried_again_once_and_holds_no_other(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    tries: list[tuple[str, float]] = []

    async def handle(item: WorkItem) -> Done:
        tries.append((item.lane, time.monotonic()))
        if item.lane == "full" and len([one for one, _ in tries if one == "full"]) == 1:
            raise TryLater(1.0, holds_lane=True)
        return {}

    start(WorkKind("note", handle, concurrency=1))
    with tables.write() as connection:
        items = [NewItem(str(number), lane=("full", "free")[number % 2]) for number in range(20)]
        job_id = queue.submit(connection, NewJob("note", P1), items)

    assert ended(queue, job_id).done == 20
    full, free = ([at for lane, at in tries if lane == name] for name in ("full", "free"))
    assert (len(full), len(free)) == (11, 10)  # one of the lane was told to wait, and waited for all
    assert min(full[1:]) > max(free)


def test_a_small_job_does_not_wait_for_a_large_one(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    async def handle(item: WorkItem) -> Done:
        await asyncio.sleep(0.005)
        return {}

    start(WorkKind("note", handle, concurrency=4))
    large = submit(tables, queue, [str(number) for number in range(3000)])  # 30 groups: more than run at once
    wait_for(lambda: _done(queue, large) > 0)
    small = submit(tables, queue, ["a", "b", "c"])

    assert ended(queue, small).done == 3
    assert _done(queue, large) < 3000


def test_jobs_that_ended_well_are_pruned_and_failed_ones_stay(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None], runner: DbosWorkRunner
) -> None:
    async def handle(item: WorkItem) -> Done:
        if item.key == "bad":
            raise BadRequest("no")
        return {}

    told: list[JobId] = []
    start(WorkKind("note", handle, max_attempts=1, on_end=lambda job: told.append(job.job_id)))
    good, bad = submit(tables, queue, ["good"]), submit(tables, queue, ["bad"])
    wait_for(lambda: len(told) == 2)
    later_ns = time.time_ns() + 60_000_000_000

    wait_for(lambda: queue.prune(later_ns) == 1)  # once it is written down that its end was told
    assert queue.job(good) is None
    assert queue.job(bad) is not None
    assert queue.outcomes(good, states=("done",), after=-1, limit=9) == ()
    pruned: list[int] = []

    def are_groups_pruned() -> bool:
        pruned.append(runner.prune(later_ns))
        return sum(pruned) == 2  # one each, once DBOS has written that it ended

    wait_for(are_groups_pruned)


def _done(queue: SqlWorkQueue, job_id: JobId) -> int:
    job = queue.job(job_id)
    return 0 if job is None else job.done


def test_limits_hold_over_groups_lanes_and_projects(
    tables: SqlTables, queue: SqlWorkQueue, start: Callable[..., None]
) -> None:
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def handle(item: WorkItem) -> Done:
        for name in ("all", item.lane):
            now[name] += 1
            most[name] = max(most[name], now[name])
        await asyncio.sleep(0.005)
        for name in ("all", item.lane):
            now[name] -= 1
        return {}

    start(WorkKind("note", handle, concurrency=5, per_lane=2))
    with tables.write() as connection:
        items = [NewItem(str(number), lane="ab"[number % 2]) for number in range(240)]
        job_id = queue.submit(connection, NewJob("note", P1), items)

    assert ended(queue, job_id).done == 240
    assert most["all"] <= 5
    assert (most["a"], most["b"]) == (2, 2)


def test_workers_killed_at_work_lose_no_item_and_repeat_none_that_has_its_outcome(
    urls: tuple[str, str], tables: SqlTables, queue: SqlWorkQueue, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    workers = {name: _worker(urls, name, out) for name in ("one", "two")}
    with tables.write() as connection:
        items = [NewItem(str(number), {"seconds": 0.02}) for number in range(600)]
        job_id = queue.submit(connection, NewJob("note", P1), items)

    def done() -> set[str]:
        found = queue.outcomes(job_id, states=("done",), after=-1, limit=1000)
        return {outcome.key for _, outcome in found}

    def tried() -> list[str]:
        return [line.split()[0] for line in out.read_text().splitlines()] if out.exists() else []

    seen: list[tuple[set[str], int]] = []  # per kill: what was settled, tries until then
    for name, at in (("one", 150), ("two", 350)):
        wait_for(lambda at=at: len(done()) >= at)
        workers[name].kill()
        workers[name].communicate(timeout=30)
        seen.append((done(), len(tried())))
        workers[name] = _worker(urls, name, out)

    assert ended(queue, job_id).done == 600
    for worker in workers.values():
        worker.communicate(timeout=30)
    assert set(tried()) == {str(number) for number in range(600)}
    assert [settled & set(tried()[count:]) for settled, count in seen] == [set(), set()]


def _worker(urls: tuple[str, str], name: str, out: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.work_worker", *urls, name, str(out)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker
