"""The SQL of files and batches as callers see them; blocking. What the worker does is in `work_store`."""

import sqlalchemy as sa

from sternpost.base.ids import JobId, KeyId, ProjectId
from sternpost.capabilities.batches import events
from sternpost.capabilities.batches.files.quotas import FileQuotas, FileUse, check_quotas
from sternpost.capabilities.batches.records import (
    Batch,
    BatchId,
    BatchPage,
    FileId,
    FilePage,
    FilePurpose,
    LinePage,
    LineState,
    StoredFile,
)
from sternpost.capabilities.batches.rules import LINE_KIND, OPEN, start_job
from sternpost.capabilities.batches.tables import (
    batch_of,
    batch_work,
    batches,
    columns_of,
    file_of,
    files,
    line_of,
    lines,
    provider_jobs,
)
from sternpost.contracts.event_log import EventLog, NewEvent
from sternpost.contracts.tables import Tables
from sternpost.contracts.work_queue import NewItem, WorkQueue

_WAITS_BECAUSE = (
    sa.select(provider_jobs.c.waits_because)
    .where(provider_jobs.c.batch_id == batches.c.batch_id, provider_jobs.c.waits_because != "")
    .order_by(provider_jobs.c.number)
    .limit(1)
    .scalar_subquery()
    .label("waits_because")
)
_SHOWN = sa.select(batches, _WAITS_BECAUSE)
_SIZE = sa.func.coalesce(sa.cast(sa.func.sum(files.c.size_bytes), sa.BigInteger), 0)


def _use(connection: sa.Connection, project_id: ProjectId, key_id: str) -> FileUse:
    of_project = sa.select(_SIZE).where(files.c.project_id == project_id)
    of_key = of_project.where(files.c.key_id == key_id)
    return FileUse(connection.execute(of_project).scalar_one(), connection.execute(of_key).scalar_one())


class BatchStore:
    def __init__(self, tables: Tables, log: EventLog, queue: WorkQueue) -> None:
        self._tables = tables
        self._log = log
        self._queue = queue

    def add_file(self, file: StoredFile, quotas: FileQuotas) -> None:
        """Raises: StorageFull when others were faster and the quota is full now."""
        row = {column.name: getattr(file, column.name) for column in files.c}
        with self._tables.write() as connection:
            use = _use(connection, file.project_id, file.key_id)
            check_quotas(use, file.size_bytes, quotas, has_key=bool(file.key_id))
            connection.execute(files.insert().values(**row))

    def file_use(self, project_id: ProjectId, key_id: str) -> FileUse:
        """Add up what a project and one of its keys keep."""
        with self._tables.read() as connection:
            return _use(connection, project_id, key_id)

    def all_files_bytes(self) -> int:
        with self._tables.read() as connection:
            return connection.execute(sa.select(_SIZE)).scalar_one()

    def file(self, file_id: FileId, project_id: ProjectId) -> StoredFile | None:
        chosen = sa.select(files).where(files.c.file_id == file_id, files.c.project_id == project_id)
        with self._tables.read() as connection:
            found = connection.execute(chosen).mappings().first()
        return None if found is None else file_of(found)

    def files_page(
        self,
        project_id: ProjectId,
        *,
        after: str = "",
        limit: int,
        purpose: FilePurpose | None = None,
        is_oldest_first: bool = False,
    ) -> FilePage:
        """Return files in the order they were made, those behind `after` (an id; empty: from the end)."""
        column = files.c.file_id
        query = sa.select(files).where(files.c.project_id == project_id)
        if after:
            query = query.where(column > after if is_oldest_first else column < after)
        if purpose is not None:
            query = query.where(files.c.purpose == purpose)
        query = query.order_by(column if is_oldest_first else column.desc()).limit(limit + 1)
        with self._tables.read() as connection:
            found = [file_of(row) for row in connection.execute(query).mappings()]
        return FilePage(tuple(found[:limit]), len(found) > limit)

    def open_batch_of(self, file_id: FileId) -> BatchId | None:
        """Return a batch that still reads this file."""
        query = (
            sa.select(batches.c.batch_id)
            .where(batches.c.input_file_id == file_id, batches.c.status.in_(sorted(OPEN)))
            .limit(1)
        )
        with self._tables.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else BatchId(found)

    def remove_file(self, file_id: FileId) -> None:
        with self._tables.write() as connection:
            connection.execute(files.delete().where(files.c.file_id == file_id))

    def expired_files(self, now_ns: int, limit: int = 500) -> tuple[FileId, ...]:
        """Return files past their time that no open batch reads."""
        reading = sa.select(batches.c.input_file_id).where(batches.c.status.in_(sorted(OPEN)))
        query = (
            sa.select(files.c.file_id)
            .where(files.c.expires_ns <= now_ns, files.c.file_id.not_in(reading))
            .limit(limit)
        )
        with self._tables.read() as connection:
            return tuple(FileId(found) for found in connection.execute(query).scalars())

    def known_files(self, file_ids: list[str]) -> frozenset[str]:
        query = sa.select(files.c.file_id).where(files.c.file_id.in_(file_ids))
        with self._tables.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def add_batch(self, batch: Batch) -> None:
        with self._tables.write() as connection:
            connection.execute(batches.insert().values(**columns_of(batch)))
            self._queue.submit(connection, start_job(batch), [NewItem(batch.batch_id)])
            self._log.append(connection, events.accepted(batch))

    def batch(self, batch_id: BatchId, project_id: ProjectId) -> Batch | None:
        chosen = _SHOWN.where(batches.c.batch_id == batch_id, batches.c.project_id == project_id)
        with self._tables.read() as connection:
            found = connection.execute(chosen).mappings().first()
        return None if found is None else batch_of(found)

    def batches_page(
        self, project_id: ProjectId, *, after: str = "", limit: int, environment: str = ""
    ) -> BatchPage:
        """Return batches newest first, those before `after` (an id; empty: from the newest)."""
        query = _SHOWN.where(batches.c.project_id == project_id)
        if after:
            query = query.where(batches.c.batch_id < after)
        if environment:
            query = query.where(batches.c.environment == environment)
        query = query.order_by(batches.c.batch_id.desc()).limit(limit + 1)
        with self._tables.read() as connection:
            found = [batch_of(row) for row in connection.execute(query).mappings()]
        return BatchPage(tuple(found[:limit]), len(found) > limit)

    def begin_cancel(self, batch: Batch, now_ns: int, cancelled: NewEvent) -> bool:
        """Begin no further line and let the worker end the batch; false when it is past that."""
        change = (
            batches.update()
            .where(batches.c.batch_id == batch.batch_id, batches.c.status.in_(("validating", "in_progress")))
            .values(status="cancelling", ends_as="cancelled", cancelling_ns=now_ns)
        )
        lines_jobs = sa.select(batch_work.c.job_id).where(
            batch_work.c.batch_id == batch.batch_id,
            batch_work.c.kind == LINE_KIND,
            ~batch_work.c.is_ended,
        )
        with self._tables.write() as connection:
            if not connection.execute(change).rowcount:
                return False
            for job_id in connection.execute(lines_jobs).scalars().all():
                self._queue.cancel(connection, JobId(job_id))
            self._log.append(connection, cancelled)
        return True

    def open_batches_of_key(self, key_id: KeyId) -> tuple[Batch, ...]:
        """Return the batches that a key submitted and of which no provider runs a part, the oldest first."""
        at_provider = sa.exists().where(
            provider_jobs.c.batch_id == batches.c.batch_id, provider_jobs.c.state.in_(("sending", "running"))
        )
        is_open = batches.c.status.in_(("validating", "in_progress"))
        query = sa.select(batches).where(batches.c.key_id == key_id, is_open, ~at_provider)
        with self._tables.read() as connection:
            rows = connection.execute(query.order_by(batches.c.batch_id)).mappings()
            return tuple(batch_of(row) for row in rows)

    def lines_page(
        self, batch_id: BatchId, *, after: int = 0, limit: int, states: tuple[LineState, ...] = ()
    ) -> LinePage:
        query = sa.select(lines).where(lines.c.batch_id == batch_id, lines.c.number > after)
        if states:
            query = query.where(lines.c.state.in_(states))
        with self._tables.read() as connection:
            found = [
                line_of(row)
                for row in connection.execute(query.order_by(lines.c.number).limit(limit + 1)).mappings()
            ]
        return LinePage(tuple(found[:limit]), len(found) > limit)
