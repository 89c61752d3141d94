"""A journal, its drain in a thread and what deletes beside it, as the worker has them."""

from pathlib import Path
from threading import Event, Thread

from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.journal.cursor import pending_bytes
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import SystemClock
from sternpost.base.ids import ProjectId, new_id
from sternpost.capabilities.traces.deletion.jobs import open_tombstones, work_once
from sternpost.capabilities.traces.deletion.records import Deletion, DeletionId, DeletionKind
from sternpost.capabilities.traces.deletion.rules import subject_of
from sternpost.capabilities.traces.deletion.steps import Around
from sternpost.capabilities.traces.deletion.store import DeletionStore
from sternpost.capabilities.traces.writing.drain import Drain
from sternpost.capabilities.traces.writing.set_aside import SetAside
from sternpost.contracts.event_log import Actor, EventFilter
from sternpost.contracts.trace_store import TraceStore
from tests.support.engine import eventually
from tests.unit.capabilities.traces.desk import Desk, Entry, span_count

ADA = Actor("key", "key_1", "ops")


class Yard:
    def __init__(self, folder: Path, store: TraceStore, project: ProjectId) -> None:
        self.store, self.project, self.clock = store, project, SystemClock()
        self.tables = SqlTables(sqlite_url(folder))
        self.tables.migrate()
        self.log = SqlEventLog(self.tables, self.clock)
        self.deletions = DeletionStore(self.tables, self.log)
        self.desk = Desk(folder, store)
        self.drain = Drain(
            self.desk.reader,
            store,
            self.desk.blobs,
            aside=self.desk.aside,
            tombstones=open_tombstones(self.deletions, store, self.clock),
            flush_after_s=0.0,
        )
        self.stop = Event()
        self.around = Around(
            self.deletions,
            store,
            self.desk.blobs,
            self.drain.turns,
            SetAside(self.desk.aside),
            open_tombstones(self.deletions, store, self.clock),
            self.clock,
        )
        self._thread = Thread(target=self.drain.run, args=(self.stop,))
        self._thread.start()

    def close(self) -> None:
        self.stop.set()
        self._thread.join()
        self.desk.close()
        self.tables.close()

    def write(self, *records: Entry) -> None:
        """Append records and wait until the drain has stored, or dropped, them all."""
        self.desk.write(*records)
        eventually(lambda: pending_bytes(self.desk.root) == 0)
        with self.drain.turns.paused(lambda: False):  # the flush has ended, too
            pass

    def request(self, kind: DeletionKind, given: str) -> Deletion:
        return self.deletions.add(
            Deletion(
                DeletionId(new_id("deletion")),
                self.project,
                kind,
                subject_of(self.project, kind, given),
                ADA,
                self.clock.now_ns(),
            )
        )

    def delete(self, kind: DeletionKind, given: str) -> Deletion:
        """Delete to the end, and return the deletion as it is kept."""
        asked = self.request(kind, given)
        while work_once(self.around, "worker", Event()):
            pass
        found = self.deletions.find(self.project, asked.deletion_id)
        assert found is not None
        assert found.state == "done"
        return found

    def spans(self) -> object:
        return span_count(self.store, self.project)

    def count(self, table: str) -> object:
        sql = f"SELECT count() FROM {table} WHERE project_id = {{project:String}}"
        return self.store.query(sql, {"project": self.project}).rows[0][0]

    def bodies(self) -> str:
        sql = "SELECT DISTINCT body FROM content WHERE project_id = {project:String}"
        rows = self.store.query(sql, {"project": self.project}).rows
        return "\n".join(str(row[0]) for row in rows)

    def events(self) -> list[tuple[str, object]]:
        found = self.log.after(0, EventFilter(kinds=("traces.",)), limit=100)
        return [(one.kind, one.body) for one in found]
