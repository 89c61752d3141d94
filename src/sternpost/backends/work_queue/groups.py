"""Hands groups of items to workers and writes down how items ended; what an item does is its handler's."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

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
from sternpost.contracts.work_queue import Apply, ItemOutcome, WorkItem, WorkJob

LEASE_NS = 60_000_000_000
_CHANGE = (
    items.update()
    .where(items.c.job_id == sa.bindparam("of_job"), items.c.number == sa.bindparam("of_number"))
    .values({name: sa.bindparam(name) for name in ("state", "attempts", "due_ns", "result", "error")})
)


GroupName: TypeAlias = tuple[JobId, int]


@dataclass(frozen=True, slots=True)
class GroupRef:
    """One hand-over of a group; `priority` is that of its job."""

    job_id: JobId
    number: int
    generation: int
    priority: int = 0

    @property
    def name(self) -> GroupName:
        return self.job_id, self.number


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
    change: object = None  # for `WorkKind.apply`


class SqlGroups:
    def __init__(self, tables: Tables, clock: Clock, worker: str) -> None:
        self._tables = tables
        self._clock = clock
        self._worker = worker

    def take(self, most: int, *, but: Collection[GroupName] = ()) -> Sequence[GroupRef]:
        """Take groups for this worker, one of each job in turn: those due, and those whose worker has gone.

        They are lost to it after a minute unless `hold` keeps them. but: those it has begun, whose lease may
        have ended while the tables were away.
        """
        is_due, now_ns = self._is_due(), self._clock.now_ns()
        turn = sa.func.row_number().over(partition_by=groups.c.job_id, order_by=groups.c.number)
        query = (
            sa.select(groups.c.job_id, groups.c.number, groups.c.generation, jobs.c.priority)
            .join(jobs, jobs.c.job_id == groups.c.job_id)
            .where(is_due)
            .order_by(jobs.c.priority.desc(), turn, groups.c.job_id)
            .limit(most)
        )
        with self._tables.read() as connection:
            found = connection.execute(query).all()
        found = [row for row in found if (row.job_id, row.number) not in but]
        if not found:
            return ()
        taken: list[GroupRef] = []
        lease = {"is_queued": True, "worker": self._worker, "held_until_ns": now_ns + LEASE_NS}
        with self._tables.write() as connection:
            for row in found:
                ref = GroupRef(JobId(row.job_id), row.number, row.generation + 1, row.priority)
                is_unchanged = groups.c.generation == row.generation  # no other worker was faster
                mine = groups.update().where(*_this(ref), is_due, is_unchanged)
                if connection.execute(mine.values(generation=ref.generation, **lease)).rowcount:
                    taken.append(ref)
        return taken

    def starving(self) -> frozenset[JobId]:
        """Return jobs with a group that is due and that no worker has."""
        query = sa.select(groups.c.job_id).distinct().where(self._is_due())
        with self._tables.read() as connection:
            return frozenset(JobId(one) for one in connection.execute(query).scalars())

    def _is_due(self) -> sa.ColumnElement[bool]:
        now_ns = self._clock.now_ns()
        is_new = sa.and_(~groups.c.is_queued, groups.c.due_ns <= now_ns)
        is_lost = sa.and_(groups.c.worker != "", groups.c.held_until_ns < now_ns)
        return sa.and_(~groups.c.is_done, sa.or_(is_new, is_lost))

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
        """Say whether the group is still ours to work on; nothing more of a cancelled job is begun."""
        held = (groups.c.worker == self._worker, groups.c.generation <= ref.generation, ~groups.c.is_done)
        query = sa.select(groups.c.number).join(jobs, jobs.c.job_id == groups.c.job_id)
        with self._tables.read() as connection:
            wanted = query.where(*_this(ref), *held, jobs.c.state != "cancelled")
            return connection.execute(wanted).first() is not None

    def hand_over_again(self) -> None:
        """Let every group that nobody has be handed over anew, whatever DBOS's tables remember."""
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

    def settle(self, job: WorkJob, found: Sequence[Settled], apply: Apply | None = None) -> None:
        """Write outcomes, sums and what `apply` writes in one transaction.

        An item that was settled or cancelled before stays as it is.
        """
        with self._tables.write() as connection:
            new = _settle_items(connection, job.job_id, found)
            changes = [one.change for one in new if one.change is not None]
            counts = Counter(one.outcome.state for one in new)
            if changes and apply is not None:
                apply(connection, job, changes)
            if counts["done"] or counts["failed"]:
                self._add_up(connection, job.job_id, counts["done"], counts["failed"])

    def release(self, ref: GroupRef, due_ns: int | None) -> None:
        """Give a group back, to be handed over again at a time; None: it is done.

        It is not while an item waits, e.g. one that a person asked to try again a moment ago.
        """
        first = ref.number * GROUP_SIZE
        waiting = sa.select(items.c.number).where(
            items.c.job_id == ref.job_id,
            items.c.number.between(first, first + GROUP_SIZE - 1),
            items.c.state == "waiting",
        )
        values: dict[str, object] = {"worker": "", "held_until_ns": 0}
        with self._tables.write() as connection:
            is_done = due_ns is None and connection.execute(waiting.limit(1)).first() is None
            values |= {"is_done": True} if is_done else {"is_queued": False, "due_ns": due_ns or 0}
            held = groups.c.worker == self._worker
            connection.execute(groups.update().where(*_this(ref), held).values(**values))

    def ended(self) -> Sequence[WorkJob]:
        """Return jobs that have ended, whose end nobody was told and of which nothing is in progress."""
        is_held = sa.exists().where(groups.c.job_id == jobs.c.job_id, ~groups.c.is_done)
        is_over = sa.or_(jobs.c.state == "done", sa.and_(jobs.c.state == "cancelled", ~is_held))
        query = sa.select(jobs).where(is_over, ~jobs.c.is_end_told).order_by(jobs.c.job_id)
        with self._tables.read() as connection:
            return tuple(job_of(row) for row in connection.execute(query.limit(100)).mappings())

    def mark_told(self, job: WorkJob) -> None:
        with self._tables.write() as connection:
            connection.execute(jobs.update().where(jobs.c.job_id == job.job_id).values(is_end_told=True))

    def _add_up(self, connection: Connection, job_id: JobId, done: int, failed: int) -> None:
        """Count outcomes; the last one ends the job."""
        settled = jobs.c.done + jobs.c.failed + jobs.c.cancelled + (done + failed)
        is_over = sa.and_(jobs.c.state == "running", settled >= jobs.c.total)

        def at_end(column: sa.Column[Any], value: object) -> sa.ColumnElement[Any]:
            return sa.case((is_over, sa.literal(value, column.type)), else_=column)

        values = {
            "done": jobs.c.done + done,
            "failed": jobs.c.failed + failed,
            "state": at_end(jobs.c.state, "done"),
            "ended_ns": at_end(jobs.c.ended_ns, self._clock.now_ns()),
            "open_key": at_end(jobs.c.open_key, None),
        }
        connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(**values))


def _this(ref: GroupRef) -> tuple[sa.ColumnElement[bool], ...]:
    return groups.c.job_id == ref.job_id, groups.c.number == ref.number


def _settle_items(connection: Connection, job_id: JobId, found: Sequence[Settled]) -> list[Settled]:
    """Change items; return those that are new. A cancelled one that was in progress keeps what it did."""
    mine = (items.c.job_id == job_id, items.c.number.in_([one.number for one in found]))
    chosen = sa.select(items.c.number, items.c.state).where(*mine).with_for_update()
    states = {row.number: row.state for row in connection.execute(chosen)}
    late = [one for one in found if states.get(one.number) == "cancelled" and one.outcome.state == "done"]
    new = [one for one in found if states.get(one.number) == "waiting"] + late
    if new:
        connection.execute(_CHANGE, [_columns(job_id, one) for one in new])
    if late:
        less = jobs.update().where(jobs.c.job_id == job_id)
        connection.execute(less.values(cancelled=jobs.c.cancelled - len(late)))
    return new


def _columns(job_id: JobId, one: Settled) -> dict[str, object]:
    outcome = one.outcome
    return {
        "of_job": job_id,
        "of_number": one.number,
        "state": outcome.state,
        "attempts": outcome.attempts,
        "due_ns": one.due_ns,
        "result": None if outcome.result is None else write_json(outcome.result),
        "error": outcome.error,
    }
