"""The SQL of running batches: who has which, which lines wait, and how they ended; blocking."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection

from sternpost.capabilities.batches import events
from sternpost.capabilities.batches.records import (
    Batch,
    BatchId,
    BatchStatus,
    FileId,
    Line,
    LineFault,
    LineResult,
    LineState,
    StoredFile,
    VendorJob,
)
from sternpost.capabilities.batches.rules import OPEN
from sternpost.capabilities.batches.tables import (
    batch_of,
    batches,
    faults_text,
    files,
    job_of,
    line_columns,
    line_of,
    lines,
    results,
    vendor_jobs,
)
from sternpost.contracts.event_log import EventLog
from sternpost.contracts.tables import Tables

_MAX_BATCHES = 100  # of one worker at once
_PAGE = 500
_COLUMN_OF_STATUS = {"in_progress": "in_progress_ns", "finalizing": "finalizing_ns"}


class WorkStore:
    def __init__(self, tables: Tables, log: EventLog) -> None:
        self._tables = tables
        self._log = log

    def take(self, worker: str, now_ns: int, until_ns: int) -> tuple[Batch, ...]:
        """Hold the open batches that no other worker holds, the oldest first, and return them."""
        is_free = sa.or_(batches.c.worker == worker, batches.c.held_until_ns < now_ns)
        chosen = (
            sa.select(batches)
            .where(batches.c.status.in_(sorted(OPEN)), is_free)
            .order_by(batches.c.batch_id)
            .limit(_MAX_BATCHES)
        )
        with self._tables.read() as connection:
            found = connection.execute(chosen).mappings().all()
        if all(row["worker"] == worker and row["held_until_ns"] > now_ns for row in found):
            half_ns = (until_ns - now_ns) // 2
            if all(row["held_until_ns"] - now_ns > half_ns for row in found):
                return tuple(batch_of(row) for row in found)
        ids = [row["batch_id"] for row in found]
        hold = batches.update().where(batches.c.batch_id.in_(ids), is_free)
        with self._tables.write() as connection:
            connection.execute(hold.values(worker=worker, held_until_ns=until_ns))
            mine = sa.select(batches).where(batches.c.batch_id.in_(ids), batches.c.worker == worker)
            rows = connection.execute(mine.order_by(batches.c.batch_id)).mappings()
            return tuple(batch_of(row) for row in rows)

    def forget_lines(self, batch_id: BatchId) -> None:
        """Drop what an earlier reading of the file left."""
        with self._tables.write() as connection:
            connection.execute(lines.delete().where(lines.c.batch_id == batch_id))
            connection.execute(vendor_jobs.delete().where(vendor_jobs.c.batch_id == batch_id))

    def add_lines(self, batch_id: BatchId, found: Sequence[Line]) -> None:
        with self._tables.write() as connection:
            connection.execute(lines.insert(), [line_columns(batch_id, line) for line in found])

    def begin(self, batch_id: BatchId, total: int, jobs: Sequence[VendorJob], now_ns: int) -> None:
        """Let a batch that was read run, unless it was cancelled meanwhile."""
        rows = [
            {
                "batch_id": batch_id,
                **{c.name: getattr(job, c.name) for c in vendor_jobs.c if c.name != "batch_id"},
            }
            for job in jobs
        ]
        with self._tables.write() as connection:
            if rows:
                connection.execute(vendor_jobs.insert(), rows)
            here = batches.update().where(batches.c.batch_id == batch_id)
            connection.execute(here.values(total=total))
            started = {"status": "in_progress", "in_progress_ns": now_ns}
            connection.execute(here.where(batches.c.status == "validating").values(**started))

    def refuse(self, batch_id: BatchId, faults: tuple[LineFault, ...], now_ns: int) -> None:
        """End a batch whose file can't be run."""
        values = {"status": "failed", "faults": faults_text(faults), "ended_ns": now_ns}
        with self._tables.write() as connection:
            connection.execute(lines.delete().where(lines.c.batch_id == batch_id))
            here = batches.update().where(batches.c.batch_id == batch_id, batches.c.status == "validating")
            if connection.execute(here.values(**values)).rowcount:
                self._tell_end(connection, batch_id)

    def move(self, batch_id: BatchId, status: BatchStatus, now_ns: int, ends_as: BatchStatus) -> None:
        values: dict[str, object] = {"status": status, "ends_as": ends_as}
        if status in _COLUMN_OF_STATUS:
            values[_COLUMN_OF_STATUS[status]] = now_ns
        with self._tables.write() as connection:
            here = batches.update().where(batches.c.batch_id == batch_id)
            # A cancel that came meanwhile stands; the worker sees it at its next look.
            guard = batches.c.status != "cancelling" if status == "in_progress" else sa.true()
            connection.execute(here.where(guard).values(**values))

    def waiting(
        self, batch_id: BatchId, *, job: int, after: int = 0, limit: int, but: Collection[str] = ()
    ) -> tuple[Line, ...]:
        """Return lines that wait, in order. but: models that are not to be asked now."""
        query = sa.select(lines).where(
            lines.c.batch_id == batch_id,
            lines.c.state == "waiting",
            lines.c.job == job,
            lines.c.number > after,
        )
        if but:
            query = query.where(lines.c.model.not_in(sorted(but)))
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

    def has_waiting(self, batch_id: BatchId) -> bool:
        query = sa.select(lines.c.number).where(lines.c.batch_id == batch_id, lines.c.state == "waiting")
        with self._tables.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def settle(self, batch_id: BatchId, found: Sequence[LineResult], now_ns: int) -> int:
        """Write down how lines ended, their rows and the sums, all or nothing; return how many were new."""
        new: list[LineResult] = []
        with self._tables.write() as connection:
            for result in found:
                change = (
                    lines.update()
                    .where(
                        lines.c.batch_id == batch_id,
                        lines.c.number == result.number,
                        lines.c.state == "waiting",
                    )
                    .values(
                        state=result.state,
                        http_status=result.http_status,
                        error_code=result.error_code,
                        error=result.error,
                        trace_id=result.trace_id,
                        cost_nanousd=result.cost_nanousd,
                        ended_ns=now_ns,
                    )
                )
                if connection.execute(change).rowcount:
                    new.append(result)
            _add_results(connection, batch_id, new)
        return len(new)

    def to_queue(self, batch_id: BatchId, job: int) -> None:
        """Give the waiting lines of a vendor's job to the own queue and forget the job."""
        with self._tables.write() as connection:
            mine = lines.update().where(
                lines.c.batch_id == batch_id, lines.c.job == job, lines.c.state == "waiting"
            )
            connection.execute(mine.values(job=0))
            connection.execute(
                vendor_jobs.delete().where(vendor_jobs.c.batch_id == batch_id, vendor_jobs.c.number == job)
            )

    def jobs(self, batch_id: BatchId) -> tuple[VendorJob, ...]:
        query = sa.select(vendor_jobs).where(vendor_jobs.c.batch_id == batch_id)
        with self._tables.read() as connection:
            return tuple(
                job_of(row) for row in connection.execute(query.order_by(vendor_jobs.c.number)).mappings()
            )

    def vendor_batch_ids(self, provider: str) -> frozenset[str]:
        """Return the ids of the batches that are known to be at a provider."""
        known = (vendor_jobs.c.provider == provider, vendor_jobs.c.vendor_batch_id != "")
        with self._tables.read() as connection:
            return frozenset(
                connection.execute(sa.select(vendor_jobs.c.vendor_batch_id).where(*known)).scalars()
            )

    def change_job(self, batch_id: BatchId, job: VendorJob, **values: object) -> VendorJob:
        with self._tables.write() as connection:
            connection.execute(
                vendor_jobs.update()
                .where(vendor_jobs.c.batch_id == batch_id, vendor_jobs.c.number == job.number)
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

    def input_of(self, file_id: FileId) -> int | None:
        """Return the size of a file that is still there."""
        query = sa.select(files.c.size_bytes).where(files.c.file_id == file_id)
        with self._tables.read() as connection:
            return connection.execute(query).scalar_one_or_none()


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
