"""Jobs as everybody sees them: submit, look, cancel, try again. Handing them to workers is `groups`."""

from collections.abc import Iterable, Sequence
from itertools import count, islice

import sqlalchemy as sa
from sqlalchemy import Connection

from sternpost.backends.work_queue.tables import (
    GROUP_SIZE,
    groups,
    items,
    job_of,
    jobs,
    outcome_of,
    write_json,
)
from sternpost.base.clock import Clock
from sternpost.base.ids import JobId, ProjectId, new_id
from sternpost.contracts.tables import Tables
from sternpost.contracts.work_queue import ItemOutcome, ItemState, NewItem, NewJob, WorkJob

_PRUNED_AT_ONCE = 20  # a job may have 50,000 items


class SqlWorkQueue:
    """A `contracts.work_queue.WorkQueue` on SQLite or PostgreSQL."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    def submit(self, connection: Connection, job: NewJob, items_: Iterable[NewItem], /) -> JobId:
        """Add a job, or return the open one with its deduplication key, whose items then stay as they are."""
        open_key = f"{job.kind}\n{job.project_id}\n{job.deduplication_key}" if job.deduplication_key else None
        if open_key is not None:
            known = connection.execute(sa.select(jobs.c.job_id).where(jobs.c.open_key == open_key)).scalar()
            if known is not None:
                return JobId(known)
        job_id, now_ns = JobId(new_id("job")), self._clock.now_ns()
        row = {
            "job_id": job_id,
            "kind": job.kind,
            "project_id": job.project_id,
            "open_key": open_key,
            "priority": job.priority,
            "facts": write_json(job.facts),
            "state": "waiting",
            **dict.fromkeys(("total", "done", "failed", "cancelled"), 0),
            "is_end_told": False,
            "created_ns": now_ns,
            "ended_ns": None,
        }
        connection.execute(jobs.insert().values(**row))
        total = _add_items(connection, job_id, items_)
        _add_groups(connection, job_id, total)
        ended = {} if total else {"state": "done", "ended_ns": now_ns, "open_key": None}
        connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(total=total, **ended))
        return job_id

    def job(self, job_id: JobId) -> WorkJob | None:
        with self._tables.read() as connection:
            found = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).mappings().first()
        return None if found is None else job_of(found)

    def jobs(self, kind: str, project_id: ProjectId, *, before: str, limit: int) -> Sequence[WorkJob]:
        query = sa.select(jobs).where(jobs.c.kind == kind, jobs.c.project_id == project_id)
        if before:
            query = query.where(jobs.c.job_id < before)
        with self._tables.read() as connection:
            rows = connection.execute(query.order_by(jobs.c.job_id.desc()).limit(limit)).mappings()
            return tuple(job_of(row) for row in rows)

    def outcomes(
        self, job_id: JobId, *, states: Sequence[ItemState], after: int, limit: int
    ) -> Sequence[tuple[int, ItemOutcome]]:
        query = sa.select(items).where(items.c.job_id == job_id, items.c.number > after)
        if states:
            query = query.where(items.c.state.in_(states))
        with self._tables.read() as connection:
            rows = connection.execute(query.order_by(items.c.number).limit(limit)).mappings()
            return tuple((row["number"], outcome_of(row)) for row in rows)

    def cancel(self, connection: Connection, job_id: JobId) -> bool:
        now_ns = self._clock.now_ns()
        is_open = (jobs.c.job_id == job_id, jobs.c.state.in_(("waiting", "running")))
        waiting = items.update().where(items.c.job_id == job_id, items.c.state == "waiting")
        if connection.execute(sa.select(jobs.c.job_id).where(*is_open)).first() is None:
            return False
        count_ = connection.execute(waiting.values(state="cancelled")).rowcount
        values = {"state": "cancelled", "ended_ns": now_ns, "open_key": None}
        counted = jobs.update().where(*is_open).values(cancelled=jobs.c.cancelled + count_, **values)
        connection.execute(counted)
        idle = groups.update().where(groups.c.job_id == job_id, groups.c.worker == "")
        connection.execute(idle.values(is_done=True))  # who has a group gives it back by itself
        return True

    def retry_failed(self, job_id: JobId) -> int:
        failed = (items.c.job_id == job_id, items.c.state == "failed")
        with self._tables.write() as connection:
            numbers = connection.execute(sa.select(items.c.number).where(*failed)).scalars().all()
            if not numbers:
                return 0
            again = {"state": "waiting", "attempts": 0, "due_ns": 0, "error": ""}
            connection.execute(items.update().where(*failed).values(**again))
            mine = {number // GROUP_SIZE for number in numbers}
            chosen = (groups.c.job_id == job_id, groups.c.number.in_(mine))
            fresh = {"is_done": False, "is_queued": False, "due_ns": 0}
            connection.execute(groups.update().where(*chosen).values(**fresh))
            reopened = {"state": "running", "ended_ns": None, "is_end_told": False}
            counted = {"failed": jobs.c.failed - len(numbers), **reopened}
            connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(**counted))
        return len(numbers)

    def prune(self, before_ns: int) -> int:
        is_over = (jobs.c.state.in_(("done", "cancelled")), jobs.c.is_end_told, jobs.c.failed == 0)
        old = sa.select(jobs.c.job_id).where(*is_over, jobs.c.ended_ns < before_ns).limit(_PRUNED_AT_ONCE)
        total = 0
        while True:
            with self._tables.write() as connection:
                found = connection.execute(old).scalars().all()
                for table in (items, groups, jobs):
                    connection.execute(table.delete().where(table.c.job_id.in_(found)))
            total += len(found)
            if len(found) < _PRUNED_AT_ONCE:
                return total


def _add_items(connection: Connection, job_id: JobId, new: Iterable[NewItem]) -> int:
    """Write the items, each key once; return how many there are."""
    seen: set[str] = set()
    numbers, source = count(), iter(new)
    while some := tuple(islice(source, 500)):
        fresh = {item.key: item for item in some if item.key not in seen}
        seen.update(fresh)
        rows = [
            {
                "job_id": job_id,
                "number": next(numbers),
                "key": item.key,
                "lane": item.lane,
                "payload": write_json(item.payload),
                "state": "waiting",
                "attempts": 0,
                "due_ns": 0,
                "result": None,
                "error": "",
            }
            for item in fresh.values()
        ]
        if rows:
            connection.execute(items.insert(), rows)
    return len(seen)


def _add_groups(connection: Connection, job_id: JobId, total: int) -> None:
    rows = [
        {
            "job_id": job_id,
            "number": number,
            "generation": 0,
            "is_queued": False,
            "due_ns": 0,
            "worker": "",
            "held_until_ns": 0,
            "is_done": False,
        }
        for number in range(-(-total // GROUP_SIZE))
    ]
    if rows:
        connection.execute(groups.insert(), rows)
