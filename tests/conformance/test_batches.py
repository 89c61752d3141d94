"""What the stores of batches keep on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.clock import SystemClock
from sternpost.base.errors import StorageFull
from sternpost.base.ids import KeyId, ProjectId
from sternpost.base.money import NanoUsd
from sternpost.capabilities.batches.events import cancelled
from sternpost.capabilities.batches.files.line_format import unanswered
from sternpost.capabilities.batches.files.quotas import FileQuotas, FileUse
from sternpost.capabilities.batches.records import (
    Batch,
    BatchId,
    FileId,
    Line,
    LineFault,
    LineResult,
    ProviderJob,
    StoredFile,
)
from sternpost.capabilities.batches.store import BatchStore
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import Actor, EventFilter
from sternpost.contracts.work_queue import WorkJob
from tests.support.postgres import empty_postgres_url

NO_QUOTA = FileQuotas()
PROJECT = ProjectId("p1")
ID = BatchId("batch_1")

CANCELLED = cancelled(
    Batch(ID, PROJECT, KeyId("key_1"), "one", (), "", FileId(""), "in_progress", 0, 0),
    Principal(PROJECT, KeyId("key_1"), "app"),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlTables]:
    opened = SqlTables(sqlite_url(tmp_path) if request.param == "sqlite" else empty_postgres_url())
    opened.migrate()
    with opened.write() as connection:
        for name in ("p1", "p2"):
            row = {"id": name}
            connection.execute(
                text("INSERT INTO projects (project_id, name, created_ns) VALUES (:id, :id, 1)"), row
            )
    yield opened
    opened.close()


@pytest.fixture
def calls(tables: SqlTables) -> BatchStore:
    store = BatchStore(tables, SqlEventLog(tables, SystemClock()), SqlWorkQueue(tables, SystemClock()))
    store.add_batch(batch_named(ID))
    return store


@pytest.fixture
def work(tables: SqlTables, calls: BatchStore) -> WorkStore:
    store = work_store(tables)
    store.add_lines(ID, [line(number) for number in range(1, 6)])
    store.begin(ID, 5, [ProviderJob(1, "openai", "m", "/v1/responses")], 10)
    return store


def work_store(tables: SqlTables) -> WorkStore:
    clock = SystemClock()
    return WorkStore(tables, SqlEventLog(tables, clock), SqlWorkQueue(tables, clock))


def queued(tables: SqlTables, kind: str) -> list[WorkJob]:
    return list(SqlWorkQueue(tables, SystemClock()).jobs(kind, PROJECT, before="", limit=9))


def batch_named(batch_id: str, project: str = "p1") -> Batch:
    return Batch(
        batch_id=BatchId(batch_id),
        project_id=ProjectId(project),
        key_id=KeyId("key_1"),
        key_name="one",
        allowed_models=("a/*", "b"),
        endpoint="/v1/responses",
        input_file_id=FileId("file_1"),
        status="validating",
        created_ns=1,
        expires_ns=100,
        metadata={"team": "ä"},
    )


def line(number: int, job: int = 0) -> Line:
    return Line(number, f"c{number}", "/v1/responses", f"m{number % 2}", number * 10, 9, job)


def done(number: int, nanousd: int | None = 5) -> LineResult:
    cost = None if nanousd is None else NanoUsd(nanousd)
    return LineResult(number, "done", b"row %d\n" % number, 200, trace_id="t", cost_nanousd=cost)


def test_a_batch_comes_back_as_it_was_and_to_its_project_alone(calls: BatchStore) -> None:
    assert calls.batch(ID, PROJECT) == batch_named(ID)
    assert calls.batch(ID, ProjectId("p2")) is None


def test_a_line_settles_once_however_often_it_is_told(work: WorkStore, calls: BatchStore) -> None:
    assert work.settle(ID, [done(1), done(2, None), unanswered(3, "c3", "batch_expired", "late")], 20) == 3
    assert work.settle(ID, [done(1, 99), done(2), done(4)], 30) == 1
    batch = calls.batch(ID, PROJECT)

    assert batch is not None
    assert (batch.completed, batch.failed, batch.cost_nanousd, batch.unknown_costs) == (3, 1, 10, 1)
    assert [one.number for one in work.waiting(ID, job=0, limit=9)] == [5]
    assert list(work.rows(ID, ("done",))) == [b"row 1\n", b"row 2\n", b"row 4\n"]
    assert [one.custom_id for one in calls.lines_page(ID, limit=9, states=("expired",)).items] == ["c3"]


def test_a_batch_that_was_read_queues_its_lines_and_its_jobs_at_providers(
    work: WorkStore, tables: SqlTables
) -> None:
    (lines,) = queued(tables, "batch_line")
    (jobs,) = queued(tables, "provider_batch")
    assert (lines.total, jobs.total, lines.facts) == (5, 1, {"batch_id": ID})
    assert [one.number for one in work.waiting(ID, job=0, after=2, limit=2)] == [3, 4]


def test_a_batch_is_ended_when_all_that_was_queued_for_it_has_ended(
    work: WorkStore, calls: BatchStore, tables: SqlTables
) -> None:
    (lines,), (jobs,) = queued(tables, "batch_line"), queued(tables, "provider_batch")
    work.work_ended(lines, 20)
    assert queued(tables, "batch_end") == []
    for _ in range(2):  # the queue may tell of an end twice
        work.work_ended(jobs, 30)
    batch = calls.batch(ID, PROJECT)

    assert batch is not None
    assert (batch.status, batch.finalizing_ns) == ("finalizing", 30)
    assert [job.total for job in queued(tables, "batch_end")] == [1]


def test_a_batch_is_given_out_once_however_often_it_is_resumed(work: WorkStore, tables: SqlTables) -> None:
    work.resume(ID, 20)
    assert len(queued(tables, "batch_line")) == len(queued(tables, "provider_batch")) == 1


def test_a_batch_whose_time_is_over_ends_as_expired(work: WorkStore, calls: BatchStore) -> None:
    work.settle(ID, [unanswered(1, "c1", "batch_expired", "late")], 99)  # a provider's word: not our window
    early = calls.batch(ID, PROJECT)
    work.settle(ID, [unanswered(2, "c2", "batch_expired", "late")], 100)
    late = calls.batch(ID, PROJECT)

    assert early is not None
    assert late is not None
    assert (early.status, early.ends_as) == ("in_progress", "completed")
    assert (late.status, late.ends_as, late.finalizing_ns) == ("finalizing", "expired", 100)


def test_a_cancel_stands_and_no_line_is_begun_after_it(
    work: WorkStore, calls: BatchStore, tables: SqlTables
) -> None:
    assert calls.begin_cancel(batch_named(ID), 50, CANCELLED)
    work.begin(ID, 5, [], 60)
    batch = calls.batch(ID, PROJECT)

    assert batch is not None
    assert (batch.status, batch.ends_as, batch.cancelling_ns) == ("cancelling", "cancelled", 50)
    assert not calls.begin_cancel(batch_named(ID), 70, CANCELLED)
    assert [(job.state, job.cancelled) for job in queued(tables, "batch_line")] == [("cancelled", 5)]


def test_a_batch_is_finished_once_with_both_files(
    work: WorkStore, calls: BatchStore, tables: SqlTables
) -> None:
    work.settle(ID, [done(1)], 20)
    for job in (*queued(tables, "batch_line"), *queued(tables, "provider_batch")):
        work.work_ended(job, 30)
    batch = calls.batch(ID, PROJECT)
    assert batch is not None
    output = StoredFile(FileId("file_out"), PROJECT, "o.jsonl", "batch_output", 6, 40)
    work.finish(batch, output, None, 40)
    work.finish(batch, None, None, 50)
    ended = calls.batch(ID, PROJECT)

    assert ended is not None
    assert (ended.status, ended.output_file_id, ended.ended_ns) == ("completed", "file_out", 40)
    assert list(work.rows(ID, ("done",))) == []
    assert calls.file(FileId("file_out"), PROJECT) == output


def test_a_file_that_cannot_be_run_leaves_no_lines(tables: SqlTables, calls: BatchStore) -> None:
    store = work_store(tables)
    store.add_lines(ID, [line(1)])
    fault = LineFault("invalid_json_line", "line 2 is bad", 2)
    store.refuse(ID, (fault,), 20)
    batch = calls.batch(ID, PROJECT)

    assert batch is not None
    assert (batch.status, batch.faults) == ("failed", (fault,))
    assert calls.lines_page(ID, limit=9).items == ()


def test_a_job_keeps_the_providers_ids_and_may_give_its_lines_back(
    work: WorkStore, tables: SqlTables
) -> None:
    store = work_store(tables)
    store.add_lines(ID, [line(6, 1), line(7, 1)])
    (job,) = store.jobs(ID)
    changed = store.change_job(ID, job, state="running", provider_batch_id="batch_x", submitted_ns=9)
    assert store.jobs(ID) == (changed,)
    assert set(store.lines_of(ID, 1, [5, 6, 7])) == {6, 7}
    store.to_queue(ID, 1)
    assert store.jobs(ID) == ()
    assert [one.number for one in store.waiting(ID, job=0, after=5, limit=9)] == [6, 7]
    assert [job.total for job in queued(tables, "batch_line")] == [2, 5]  # newest first


def test_a_batch_says_what_the_first_job_that_waits_is_waiting_for(
    work: WorkStore, calls: BatchStore
) -> None:
    (job,) = work.jobs(ID)
    assert job.waits_because == ""
    work.change_job(ID, job, waits_because="openai: away")
    calls.add_batch(batch_named("batch_2"))

    batch = calls.batch(ID, PROJECT)
    assert batch is not None
    assert batch.waits_because == "openai: away"
    page = calls.batches_page(PROJECT, limit=9)
    assert [one.waits_because for one in page.items] == ["", "openai: away"]


def test_a_file_beyond_the_share_of_its_project_or_key_is_refused_with_what_is_kept(
    calls: BatchStore,
) -> None:
    def file(number: int, key: str, size: int) -> StoredFile:
        return StoredFile(FileId(f"file_{number}"), PROJECT, "f", "batch", size, 1, key_id=key)

    before = calls.file_use(PROJECT, "key_1").project_bytes
    quotas = FileQuotas(before + 100, 70)
    calls.add_file(file(11, "key_1", 60), quotas)
    with pytest.raises(StorageFull, match="this key"):
        calls.add_file(file(12, "key_1", 11), quotas)
    with pytest.raises(StorageFull, match="this project"):
        calls.add_file(file(12, "key_2", 41), quotas)
    calls.add_file(file(12, "key_2", 40), quotas)
    assert calls.file_use(PROJECT, "key_1") == FileUse(before + 100, 60)
    assert calls.all_files_bytes() >= before + 100


def test_pages_follow_the_order_of_making(calls: BatchStore) -> None:
    for number in range(2, 5):
        calls.add_batch(batch_named(f"batch_{number}"))
        file = StoredFile(FileId(f"file_{number}"), PROJECT, "f", "batch", 1, number, number)
        calls.add_file(file, NO_QUOTA)
    calls.add_batch(batch_named("batch_9", "p2"))
    first = calls.batches_page(PROJECT, limit=3)
    rest = calls.batches_page(PROJECT, after=first.items[-1].batch_id, limit=3)

    assert [one.batch_id for one in first.items] == ["batch_4", "batch_3", "batch_2"]
    assert (first.has_more, [one.batch_id for one in rest.items], rest.has_more) == (True, ["batch_1"], False)
    oldest = calls.files_page(PROJECT, limit=2, is_oldest_first=True)
    assert [one.file_id for one in oldest.items] == ["file_2", "file_3"]
    assert calls.expired_files(3) == ("file_2", "file_3")
    assert calls.open_batch_of(FileId("file_1")) is not None


def test_a_batch_tells_of_its_beginning_its_cancelling_and_its_end(
    tables: SqlTables, work: WorkStore, calls: BatchStore
) -> None:
    calls.begin_cancel(batch_named(ID), 50, CANCELLED)
    batch = calls.batch(ID, PROJECT)
    assert batch is not None
    work.finish(batch, None, None, 60)

    told = SqlEventLog(tables, SystemClock()).after(0, EventFilter(subject=ID), limit=9)

    assert [event.kind for event in told] == ["batch.accepted", "batch.cancelled", "batch.ended"]
    assert told[1].actor == Actor("key", "key_1", "app")
    assert told[2].body["status"] == "cancelled"
