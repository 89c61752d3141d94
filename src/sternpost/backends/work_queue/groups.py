"""Hands groups of items to workers and writes down how items ended; what an item does is its handler's."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from sternpost.backends.work_queue.tables import (
    GROUP_SIZE,
    groups,
    items,
    job_of,
    jobs,
    read_json,
    write_json,
)
from sternpost.base.clock import Clock
from sternpost.base.ids import JobId
from sternpost.contracts.tables import Tables
from sternpost.contracts.work_queue import ItemOutcome, WorkItem, WorkJob

LEASE_NS = 60_000_000_000
_MAX_GROUPS = 200


@dataclass(frozen=True, slots=True)
class GroupRef:
    """One hand-over of a group; `priority` is that of its job."""

    job_id: JobId
    number: int
    generation: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item of a group that waits, with its number and the time it is due."""

    number: int
    item: WorkItem
    due_ns: int


@dataclass(frozen=True, slots=True)
class Settled:
    """How a try of an item ended; `due_ns` when the item is to be tried again."""

    number: int
    outcome: ItemOutcome
    due_ns: int = 0


class SqlGroups:
    def __init__(self, tables: Tables, clock: Clock, worker: str) -> None:
        self._tables = tables
        self._clock = clock
        self._worker = worker

    def due(self) -> Sequence[GroupRef]:
        """Return groups to hand over: those due, and those whose worker has gone for a minute."""
        now_ns = self._clock.now_ns()
        is_new = sa.and_(~groups.c.is_queued, groups.c.due_ns <= now_ns)
        is_lost = sa.and_(groups.c.worker != "", groups.c.held_until_ns < now_ns)
        query = (
            sa.select(groups.c.job_id, groups.c.number, groups.c.generation, jobs.c.priority)
            .join(jobs, jobs.c.job_id == groups.c.job_id)
            .where(~groups.c.is_done, sa.or_(is_new, is_lost))
            .order_by(jobs.c.priority.desc(), groups.c.job_id, groups.c.number)
            .limit(_MAX_GROUPS)
        )
        with self._tables.read() as connection:
            return tuple(
                GroupRef(JobId(row.job_id), row.number, row.generation + 1, row.priority)
                for row in connection.execute(query)
            )

    def mark_queued(self, refs: Sequence[GroupRef]) -> None:
        """Record that groups are handed over; after a crash before it, that is done again."""
        with self._tables.write() as connection:
            for ref in refs:
                values = {"is_queued": True, "generation": ref.generation, "worker": "", "held_until_ns": 0}
                older = groups.c.generation < ref.generation
                connection.execute(groups.update().where(*_this(ref), older).values(**values))

    def hold(self, ref: GroupRef) -> WorkJob | None:
        """Take or keep a group; None when it is done, another has it, or it was handed over again."""
        now_ns = self._clock.now_ns()
        is_free = sa.or_(groups.c.worker.in_(("", self._worker)), groups.c.held_until_ns < now_ns)
        is_current = groups.c.generation <= ref.generation
        mine = groups.update().where(*_this(ref), ~groups.c.is_done, is_current, is_free)
        values = {"worker": self._worker, "held_until_ns": now_ns + LEASE_NS}
        with self._tables.write() as connection:
            if not connection.execute(mine.values(**values)).rowcount:
                return None
            begun = jobs.update().where(jobs.c.job_id == ref.job_id, jobs.c.state == "waiting")
            connection.execute(begun.values(state="running"))
            row = connection.execute(sa.select(jobs).where(jobs.c.job_id == ref.job_id)).mappings().one()
        return job_of(row)

    def is_held(self, ref: GroupRef) -> bool:
        """Say whether the group is still ours to work on; a cancelled job's groups are nobody's."""
        held = (groups.c.worker == self._worker, groups.c.generation <= ref.generation, ~groups.c.is_done)
        with self._tables.read() as connection:
            return (
                connection.execute(sa.select(groups.c.number).where(*_this(ref), *held)).first() is not None
            )

    def hand_over_again(self) -> None:
        """Let every group without a worker be dispatched again, whatever DBOS's tables remember."""
        with self._tables.write() as connection:
            idle = (~groups.c.is_done, groups.c.is_queued, groups.c.worker.in_(("", self._worker)))
            connection.execute(
                groups.update().where(*idle).values(is_queued=False, worker="", held_until_ns=0)
            )

    def waiting(self, ref: GroupRef, job: WorkJob) -> Sequence[Waiting]:
        first = ref.number * GROUP_SIZE
        query = sa.select(items).where(
            items.c.job_id == ref.job_id,
            items.c.number.between(first, first + GROUP_SIZE - 1),
            items.c.state == "waiting",
        )
        with self._tables.read() as connection:
            rows = connection.execute(query.order_by(items.c.number)).mappings().all()
        return tuple(
            Waiting(
                row["number"],
                WorkItem(job, row["key"], read_json(row["payload"]), row["lane"], row["attempts"] + 1),
                row["due_ns"],
            )
            for row in rows
        )

    def settle(self, job_id: JobId, found: Sequence[Settled]) -> None:
        """Write outcomes and sums in one transaction; an item that was settled or cancelled before stays."""
        with self._tables.write() as connection:
            counts = {"done": 0, "failed": 0}
            for one in found:
                if _settle_item(connection, job_id, one) and one.outcome.state in counts:
                    counts[one.outcome.state] += 1
            sums = {name: jobs.c[name] + number for name, number in counts.items() if number}
            if sums:
                connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(**sums))
                self._end_job(connection, job_id)

    def release(self, ref: GroupRef, due_ns: int | None) -> None:
        """Give a group back: done, or to be handed over again at a time."""
        values: dict[str, object] = {"worker": "", "held_until_ns": 0}
        values |= {"is_done": True} if due_ns is None else {"is_queued": False, "due_ns": due_ns}
        with self._tables.write() as connection:
            held = groups.c.worker == self._worker
            connection.execute(groups.update().where(*_this(ref), held).values(**values))

    def ended(self) -> Sequence[WorkJob]:
        """Return jobs that have ended and whose end was not announced."""
        query = sa.select(jobs).where(jobs.c.state.in_(("done", "cancelled")), ~jobs.c.is_end_told)
        with self._tables.read() as connection:
            return tuple(job_of(row) for row in connection.execute(query.limit(100)).mappings())

    def mark_told(self, job: WorkJob) -> None:
        with self._tables.write() as connection:
            connection.execute(jobs.update().where(jobs.c.job_id == job.job_id).values(is_end_told=True))

    def _end_job(self, connection: Connection, job_id: JobId) -> None:
        is_over = jobs.c.done + jobs.c.failed + jobs.c.cancelled >= jobs.c.total
        over = jobs.update().where(jobs.c.job_id == job_id, jobs.c.state == "running", is_over)
        connection.execute(over.values(state="done", ended_ns=self._clock.now_ns(), open_key=None))


def _this(ref: GroupRef) -> tuple[sa.ColumnElement[bool], ...]:
    return groups.c.job_id == ref.job_id, groups.c.number == ref.number


def _settle_item(connection: Connection, job_id: JobId, one: Settled) -> bool:
    """Change one item; True when it is new. A cancelled item that was in progress keeps its outcome."""
    outcome = one.outcome
    values = {
        "state": outcome.state,
        "attempts": outcome.attempts,
        "due_ns": one.due_ns,
        "result": None if outcome.result is None else write_json(outcome.result),
        "error": outcome.error,
    }
    here = (items.c.job_id == job_id, items.c.number == one.number)
    waits = items.update().where(*here, items.c.state == "waiting")
    if connection.execute(waits.values(**values)).rowcount:
        return True
    if outcome.state != "done":
        return False
    late = items.update().where(*here, items.c.state == "cancelled")
    if not connection.execute(late.values(**values)).rowcount:
        return False
    less = jobs.update().where(jobs.c.job_id == job_id).values(cancelled=jobs.c.cancelled - 1)
    connection.execute(less)
    return True
