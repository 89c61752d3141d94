"""The SQL of running batches: what is queued for them, which lines wait, and how they ended; blocking."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sternpost.capabilities.batches import events
from sternpost.capabilities.batches.records import (
    QUEUE_JOB,
    Batch,
    BatchId,
    Line,
    LineFault,
    LineResult,
    LineState,
    ProviderJob,
    StoredFile,
)
from sternpost.capabilities.batches.rules import LINE_KIND, OPEN, PROVIDER_KIND, end_job
from sternpost.capabilities.batches.tables import (
    batch_of,
    batch_work,
    batches,
    faults_text,
    files,
    job_of,
    line_columns,
    line_of,
    lines,
    provider_jobs,
    results,
)
from sternpost.contracts.event_log import EventLog
from sternpost.contracts.tables import Tables
from sternpost.contracts.work_queue import NewItem, NewJob, WorkJob, WorkQueue

_PAGE = 500
_LINES_AT_ONCE = 5000  # read for the queue


class WorkStore:
    def __init__(self, tables: Tables, log: EventLog, queue: WorkQueue) -> None:
        self._tables = tables
        self._log = log
        self._queue = queue

    def batch(self, batch_id: BatchId) -> Batch | None:
        chosen = sa.select(batches).where(batches.c.batch_id == batch_id)
        with self._tables.read() as connection:
            found = connection.execute(chosen).mappings().first()
        return None if found is None else batch_of(found)

    def forget_lines(self, batch_id: BatchId) -> None:
        """Drop what an earlier reading of the file left."""
        with self._tables.write() as connection:
            connection.execute(lines.delete().where(lines.c.batch_id == batch_id))
            connection.execute(provider_jobs.delete().where(provider_jobs.c.batch_id == batch_id))

    def add_lines(self, batch_id: BatchId, found: Sequence[Line]) -> None:
        with self._tables.write() as connection:
            connection.execute(lines.insert(), [line_columns(batch_id, line) for line in found])

    def begin(self, batch_id: BatchId, total: int, jobs: Sequence[ProviderJob], now_ns: int) -> None:
        """Let a batch that was read run; of one that was cancelled meanwhile no line is begun."""
        rows = [
            {
                "batch_id": batch_id,
                **{c.name: getattr(job, c.name) for c in provider_jobs.c if c.name != "batch_id"},
            }
            for job in jobs
        ]
        with self._tables.write() as connection:
            if rows:
                connection.execute(provider_jobs.insert(), rows)
            here = batches.update().where(batches.c.batch_id == batch_id)
            connection.execute(here.values(total=total))
            started = {"status": "in_progress", "in_progress_ns": now_ns}
            connection.execute(here.where(batches.c.status == "validating").values(**started))
            self._queue_work(connection, batch_id, now_ns)

    def resume(self, batch_id: BatchId, now_ns: int) -> None:
        """Queue what is left of a batch that was begun, unless that was done; it may have nothing left."""
        with self._tables.write() as connection:
            known = sa.select(batch_work.c.job_id).where(batch_work.c.batch_id == batch_id).limit(1)
            if connection.execute(known).first() is None:
                self._queue_work(connection, batch_id, now_ns)

    def work_ended(self, job: WorkJob, now_ns: int) -> None:
        """Note that a job of a batch has ended; after the last one its files are due. Idempotent."""
        mine = batch_work.c.job_id == job.job_id
        with self._tables.write() as connection:
            batch_id = connection.execute(sa.select(batch_work.c.batch_id).where(mine)).scalar()
            if batch_id is None:
                return
            connection.execute(batch_work.update().where(mine).values(is_ended=True))
            running = sa.select(batch_work.c.job_id).where(
                batch_work.c.batch_id == batch_id, ~batch_work.c.is_ended
            )
            if connection.execute(running.limit(1)).first() is None:
                self._queue_end(connection, BatchId(batch_id), now_ns)

    def _queue_work(self, connection: Connection, batch_id: BatchId, now_ns: int) -> None:
        batch = self._open_batch(connection, batch_id)
        if batch is None:
            return
        begun = [False, False]
        if batch.status == "in_progress":
            begun[0] = self._queue_lines(connection, batch)
        open_jobs = sa.select(provider_jobs.c.number).where(
            provider_jobs.c.batch_id == batch_id, provider_jobs.c.state != "ended"
        )
        numbers = connection.execute(open_jobs.order_by(provider_jobs.c.number)).scalars().all()
        if numbers:
            items = [NewItem(str(number)) for number in numbers]
            begun[1] = self._submit(connection, batch, PROVIDER_KIND, items)
        if not any(begun):
            self._queue_end(connection, batch_id, now_ns)

    def _queue_lines(self, connection: Connection, batch: Batch) -> bool:
        """Queue the lines that wait for the gateway; false when there are none that no job has yet."""
        waiting = sa.select(lines).where(
            lines.c.batch_id == batch.batch_id, lines.c.state == "waiting", lines.c.job == QUEUE_JOB
        )
        if connection.execute(waiting.limit(1)).first() is None:
            return False
        return self._submit(connection, batch, LINE_KIND, _line_items(connection, waiting))

    def _submit(self, connection: Connection, batch: Batch, kind: str, items: Iterable[NewItem]) -> bool:
        job = NewJob(kind, batch.project_id, facts={"batch_id": batch.batch_id})
        row = {"batch_id": batch.batch_id, "kind": kind, "is_ended": False}
        job_id = self._queue.submit(connection, job, items)
        connection.execute(batch_work.insert().values(job_id=job_id, **row))
        return True

    def _queue_end(self, connection: Connection, batch_id: BatchId, now_ns: int) -> None:
        batch = self._open_batch(connection, batch_id)
        if batch is None:
            return
        here = batches.update().where(batches.c.batch_id == batch_id, batches.c.status == "in_progress")
        connection.execute(here.values(status="finalizing", finalizing_ns=now_ns))
        self._queue.submit(connection, end_job(batch), [NewItem(batch_id)])

    def _open_batch(self, connection: Connection, batch_id: BatchId) -> Batch | None:
        chosen = sa.select(batches).where(batches.c.batch_id == batch_id, batches.c.status.in_(sorted(OPEN)))
        found = connection.execute(chosen).mappings().first()
        return None if found is None else batch_of(found)

    def refuse(self, batch_id: BatchId, faults: tuple[LineFault, ...], now_ns: int) -> None:
        """End a batch whose file can't be run."""
        values = {"status": "failed", "faults": faults_text(faults), "ended_ns": now_ns}
        with self._tables.write() as connection:
            connection.execute(lines.delete().where(lines.c.batch_id == batch_id))
            here = batches.update().where(batches.c.batch_id == batch_id, batches.c.status == "validating")
            if connection.execute(here.values(**values)).rowcount:
                self._tell_end(connection, batch_id)

    def expire(self, batch_id: BatchId, now_ns: int) -> None:
        """Note that a batch ran out of time; harmless to repeat."""
        with self._tables.write() as connection:
            _expire(connection, batch_id, now_ns)

    def waiting(self, batch_id: BatchId, *, job: int, after: int = 0, limit: int) -> tuple[Line, ...]:
        """Return lines that wait, in order."""
        query = sa.select(lines).where(
            lines.c.batch_id == batch_id,
            lines.c.state == "waiting",
            lines.c.job == job,
            lines.c.number > after,
        )
        query = query.order_by(lines.c.number).limit(limit)
        with self._tables.read() as connection:
            return tuple(line_of(row) for row in connection.execute(query).mappings())

    def lines_of(self, batch_id: BatchId, job: int, numbers: Sequence[int]) -> dict[int, Line]:
        """Return those lines of a job that still wait, by number."""
        query = sa.select(lines).where(
            lines.c.batch_id == batch_id,
            lines.c.job == job,
            lines.c.state == "waiting",
            lines.c.number.in_(numbers),
        )
        with self._tables.read() as connection:
            found = [line_of(row) for row in connection.execute(query).mappings()]
        return {line.number: line for line in found}

    def settle(self, batch_id: BatchId, found: Sequence[LineResult], now_ns: int) -> int:
        """Write down how lines ended, their rows and the sums, all or nothing; return how many were new."""
        with self._tables.write() as connection:
            return self.settle_in(connection, batch_id, found, now_ns)

    def settle_in(
        self, connection: Connection, batch_id: BatchId, found: Sequence[LineResult], now_ns: int
    ) -> int:
        """Do what `settle` does in a transaction of the caller's."""
        new = _settle_lines(connection, batch_id, found, now_ns)
        _add_results(connection, batch_id, new)
        if any(result.state == "expired" for result in new):
            late = sa.select(batches.c.expires_ns).where(batches.c.batch_id == batch_id)
            if connection.execute(late).scalar_one() <= now_ns:
                _expire(connection, batch_id, now_ns)
        return len(new)

    def to_queue(self, batch_id: BatchId, job: int) -> None:
        """Send the waiting lines of a provider's job through the gateway instead, and forget the job."""
        with self._tables.write() as connection:
            mine = (lines.c.batch_id == batch_id, lines.c.job == job, lines.c.state == "waiting")
            batch = self._open_batch(connection, batch_id)
            if batch is not None and batch.status == "in_progress":
                given = _line_items(connection, sa.select(lines).where(*mine))
                self._submit(connection, batch, LINE_KIND, given)
            connection.execute(lines.update().where(*mine).values(job=QUEUE_JOB))
            connection.execute(
                provider_jobs.delete().where(
                    provider_jobs.c.batch_id == batch_id, provider_jobs.c.number == job
                )
            )

    def jobs(self, batch_id: BatchId) -> tuple[ProviderJob, ...]:
        query = sa.select(provider_jobs).where(provider_jobs.c.batch_id == batch_id)
        with self._tables.read() as connection:
            return tuple(
                job_of(row) for row in connection.execute(query.order_by(provider_jobs.c.number)).mappings()
            )

    def provider_batch_ids(self, provider: str) -> frozenset[str]:
        """Return the ids of the batches that are known to be at a provider."""
        known = (provider_jobs.c.provider == provider, provider_jobs.c.provider_batch_id != "")
        with self._tables.read() as connection:
            return frozenset(
                connection.execute(sa.select(provider_jobs.c.provider_batch_id).where(*known)).scalars()
            )

    def change_job(self, batch_id: BatchId, job: ProviderJob, **values: object) -> ProviderJob:
        with self._tables.write() as connection:
            connection.execute(
                provider_jobs.update()
                .where(provider_jobs.c.batch_id == batch_id, provider_jobs.c.number == job.number)
                .values(**values)
            )
        return replace(job, **values)  # type: ignore[arg-type]  # columns named as fields

    def rows(self, batch_id: BatchId, states: tuple[LineState, ...]) -> Iterator[bytes]:
        """Return the rows of lines that ended so, in the order of the input, a page at a time."""
        after = 0
        while True:
            query = (
                sa.select(results.c.number, results.c.row)
                .join(
                    lines,
                    sa.and_(lines.c.batch_id == results.c.batch_id, lines.c.number == results.c.number),
                )
                .where(results.c.batch_id == batch_id, lines.c.state.in_(states), results.c.number > after)
                .order_by(results.c.number)
                .limit(_PAGE)
            )
            with self._tables.read() as connection:
                found = connection.execute(query).all()
            if not found:
                return
            after = found[-1][0]
            for _, row in found:
                yield bytes(row)

    def finish(self, batch: Batch, output: StoredFile | None, errors: StoredFile | None, now_ns: int) -> None:
        """End a batch whose files are written, and drop the rows that they were written from."""
        made = [file for file in (output, errors) if file is not None]
        values = {
            "status": batch.ends_as,
            "ended_ns": now_ns,
            "output_file_id": output.file_id if output else None,
            "error_file_id": errors.file_id if errors else None,
        }
        here = batches.update().where(batches.c.batch_id == batch.batch_id)
        with self._tables.write() as connection:
            is_open = batches.c.status.in_(("finalizing", "cancelling"))
            if not connection.execute(here.where(is_open).values(**values)).rowcount:
                return
            for file in made:
                connection.execute(files.delete().where(files.c.file_id == file.file_id))
                row = {column.name: getattr(file, column.name) for column in files.c}
                connection.execute(files.insert().values(**row))
            connection.execute(results.delete().where(results.c.batch_id == batch.batch_id))
            self._tell_end(connection, batch.batch_id)

    def _tell_end(self, connection: Connection, batch_id: BatchId) -> None:
        row = connection.execute(sa.select(batches).where(batches.c.batch_id == batch_id)).mappings().one()
        batch = batch_of(row)
        self._log.append(connection, events.ended(batch, batch.status))


def _line_items(connection: Connection, waiting: sa.Select[Any]) -> Iterator[NewItem]:
    """Return lines as items of the queue, a page at a time."""
    after = 0
    while True:
        page = waiting.where(lines.c.number > after).order_by(lines.c.number).limit(_LINES_AT_ONCE)
        rows = connection.execute(page).mappings().all()
        for row in rows:
            payload = {"id": row["custom_id"], "offset": row["offset_bytes"], "size": row["size_bytes"]}
            yield NewItem(str(row["number"]), payload, lane=row["model"])
        if len(rows) < _LINES_AT_ONCE:
            return
        after = rows[-1]["number"]


_SETTLED = ("state", "http_status", "error_code", "error", "trace_id", "cost_nanousd")
_SETTLE = (
    lines.update()
    .where(lines.c.batch_id == sa.bindparam("of_batch"), lines.c.number == sa.bindparam("of_number"))
    .values({name: sa.bindparam(name) for name in (*_SETTLED, "ended_ns")})
)


def _settle_lines(
    connection: Connection, batch_id: BatchId, found: Sequence[LineResult], now_ns: int
) -> list[LineResult]:
    """Change the lines that wait; return how those ended. One that ended before stays as it is."""
    numbers = [result.number for result in found]
    here = (lines.c.batch_id == batch_id, lines.c.number.in_(numbers), lines.c.state == "waiting")
    waiting = set(connection.execute(sa.select(lines.c.number).where(*here).with_for_update()).scalars())
    new = [result for result in found if result.number in waiting]
    rows = [
        {
            "of_batch": batch_id,
            "of_number": result.number,
            "ended_ns": now_ns,
            **{name: getattr(result, name) for name in _SETTLED},
        }
        for result in new
    ]
    if rows:
        connection.execute(_SETTLE, rows)
    return new


def _expire(connection: Connection, batch_id: BatchId, now_ns: int) -> None:
    here = batches.update().where(batches.c.batch_id == batch_id, batches.c.status == "in_progress")
    connection.execute(here.values(status="finalizing", ends_as="expired", finalizing_ns=now_ns))


def _add_results(connection: Connection, batch_id: BatchId, new: Sequence[LineResult]) -> None:
    if not new:
        return
    rows = [{"batch_id": batch_id, "number": result.number, "row": result.row} for result in new]
    connection.execute(results.insert(), rows)
    done = [result for result in new if result.state == "done"]
    failed = sum(result.state in {"failed", "expired"} for result in new)
    known = [result.cost_nanousd for result in done if result.cost_nanousd is not None]
    connection.execute(
        batches.update()
        .where(batches.c.batch_id == batch_id)
        .values(
            completed=batches.c.completed + len(done),
            failed=batches.c.failed + failed,
            cost_nanousd=batches.c.cost_nanousd + sum(known),
            unknown_costs=batches.c.unknown_costs + len(done) - len(known),
        )
    )
