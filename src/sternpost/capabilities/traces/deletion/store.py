"""The SQL of deletions in the tables; blocking. The rows of traces themselves are `trace_rows`'."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.deletion import events
from sternpost.capabilities.traces.deletion.records import Counts, Deletion, DeletionId, Step
from sternpost.capabilities.traces.deletion.tables import columns_of, counts_text, deletion_of, deletions
from sternpost.contracts.event_log import EventLog
from sternpost.contracts.tables import Tables

_OPEN = ("waiting", "running")


class DeletionStore:
    """`log` gets the event of each change, in its transaction. Raises: StoreUnavailable."""

    def __init__(self, tables: Tables, log: EventLog) -> None:
        self._tables = tables
        self._log = log

    def add(self, deletion: Deletion) -> Deletion:
        """Add a deletion; while one of the same is open, return that."""
        is_same = (
            (deletions.c.project_id == deletion.project_id)
            & (deletions.c.kind == deletion.kind)
            & (deletions.c.subject == deletion.subject)
            & deletions.c.state.in_(_OPEN)
        )
        with self._tables.write() as connection:
            found = connection.execute(sa.select(deletions).where(is_same).limit(1)).mappings().first()
            if found is not None and deletion.kind == "trace":
                return deletion_of(found)
            connection.execute(deletions.insert().values(**columns_of(deletion)))
            self._log.append(connection, events.requested(deletion))
        return deletion

    def find(self, project_id: ProjectId, deletion_id: str) -> Deletion | None:
        chosen = sa.select(deletions).where(
            deletions.c.project_id == project_id, deletions.c.deletion_id == deletion_id
        )
        with self._tables.read() as connection:
            row = connection.execute(chosen).mappings().first()
        return None if row is None else deletion_of(row)

    def before(self, project_id: ProjectId, cursor: str, limit: int) -> Sequence[Deletion]:
        """Return a project's deletions newest first, those made before the one that `cursor` names."""
        chosen = sa.select(deletions).where(deletions.c.project_id == project_id)
        if cursor:
            chosen = chosen.where(deletions.c.deletion_id < cursor)
        with self._tables.read() as connection:
            rows = connection.execute(chosen.order_by(deletions.c.deletion_id.desc()).limit(limit))
            return [deletion_of(row) for row in rows.mappings()]

    def all(self) -> Sequence[Deletion]:
        """Return every deletion that late arrivals are held against."""
        with self._tables.read() as connection:
            rows = connection.execute(sa.select(deletions)).mappings()
            return [deletion_of(row) for row in rows]

    def take(self, worker: str, now_ns: int, until_ns: int) -> Deletion | None:
        """Hold the oldest open deletion that no other worker holds, and return it."""
        is_free = (deletions.c.worker == worker) | (deletions.c.held_until_ns < now_ns)
        chosen = (
            sa.select(deletions)
            .where(deletions.c.state.in_(_OPEN), is_free)
            .order_by(deletions.c.held_until_ns, deletions.c.deletion_id)  # one that fails holds up no other
            .limit(1)
        )
        with self._tables.read() as connection:
            if connection.execute(chosen).first() is None:
                return None
        with self._tables.write() as connection:
            row = connection.execute(chosen).mappings().first()
            if row is None:
                return None
            held = deletions.update().where(deletions.c.deletion_id == row["deletion_id"])
            connection.execute(held.values(worker=worker, held_until_ns=until_ns, state="running"))
            return replace(deletion_of(row), state="running")

    def hold(self, deletion_id: DeletionId, until_ns: int, error: str = "") -> None:
        """Go on holding a deletion; `error` says why it does not get on."""
        self._update(deletion_id, held_until_ns=until_ns, error=error)

    def advance(self, deletion_id: DeletionId, step: Step, counts: Counts) -> None:
        """Record that everything before a step is done."""
        self._update(deletion_id, step=step, counts=counts_text(counts), error="")

    def finish(self, deletion: Deletion) -> None:
        """Record the end, with its event."""
        ended = deletions.update().where(deletions.c.deletion_id == deletion.deletion_id)
        with self._tables.write() as connection:
            connection.execute(
                ended.values(
                    state="done", ended_ns=deletion.ended_ns, counts=counts_text(deletion.counts), error=""
                )
            )
            self._log.append(connection, events.deleted(deletion))

    def reopen(self, deletion_ids: Sequence[str]) -> None:
        """Let deletions that are done begin again, as more of theirs was found."""
        again = deletions.update().where(
            deletions.c.deletion_id.in_(list(deletion_ids)), deletions.c.state == "done"
        )
        with self._tables.write() as connection:
            connection.execute(again.values(state="waiting", step="find", worker="", held_until_ns=0))

    def forget_before(self, ended_before_ns: int) -> None:
        """Forget deletions that ended before a time; their events stay."""
        old = deletions.delete().where(deletions.c.state == "done", deletions.c.ended_ns < ended_before_ns)
        with self._tables.write() as connection:
            connection.execute(old)

    def _update(self, deletion_id: DeletionId, **values: object) -> None:
        changed = deletions.update().where(deletions.c.deletion_id == deletion_id)
        with self._tables.write() as connection:
            connection.execute(changed.values(**values))
