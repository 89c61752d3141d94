"""Ends a batch that has run: what was never sent gets its word, then the files are written; blocking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sternpost.base.clock import Clock
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.files.bodies import FileBodies
from sternpost.capabilities.batches.records import QUEUE_JOB, Batch, BatchId, FileId, StoredFile
from sternpost.capabilities.batches.settling import close_waiting
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.message import Json
from sternpost.contracts.work_queue import WorkItem


@dataclass(frozen=True, slots=True)
class BatchEnding:
    """Writes the files of batches. One per worker."""

    store: WorkStore
    bodies: FileBodies
    clock: Clock

    async def handle(self, item: WorkItem) -> Mapping[str, Json]:
        await in_thread(self.end, BatchId(item.key))
        return {}

    def end(self, batch_id: BatchId) -> None:
        """Write the files and end the batch; harmless to repeat. Raises: StorageFull, StoreUnavailable."""
        batch = self.store.batch(batch_id)
        if batch is None or batch.status not in {"finalizing", "cancelling"}:
            return
        close_waiting(batch, QUEUE_JOB, self.store, self.clock)
        now_ns = self.clock.now_ns()
        output = _file(batch, "output", self.store.rows(batch_id, ("done",)), self.bodies, now_ns)
        failed = self.store.rows(batch_id, ("failed", "expired", "cancelled"))
        errors = _file(batch, "errors", failed, self.bodies, now_ns)
        self.store.finish(batch, output, errors, now_ns)


def _file(
    batch: Batch, kind: str, rows: Iterable[bytes], bodies: FileBodies, now_ns: int
) -> StoredFile | None:
    """Write one file under an id that a repetition finds again; None when it would be empty."""
    body = bodies.begin()
    try:
        for row in rows:
            body.write(row)
        if not body.size_bytes:
            return None
        name = f"{batch.batch_id}_{kind}"
        file_id = FileId(f"file_{name.removeprefix('batch_')}")
        body.keep(file_id)
        return StoredFile(file_id, batch.project_id, f"{name}.jsonl", "batch_output", body.size_bytes, now_ns)
    finally:
        body.drop()
