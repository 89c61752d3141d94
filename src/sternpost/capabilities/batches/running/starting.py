"""Starts a batch: reads its file, or queues what is left of one that was begun."""

from collections.abc import Mapping
from dataclasses import dataclass

from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.records import BatchId
from sternpost.capabilities.batches.rules import OPEN
from sternpost.capabilities.batches.running.reading import InputReader
from sternpost.contracts.message import Json
from sternpost.contracts.work_queue import WorkItem


@dataclass(frozen=True, slots=True)
class BatchStart:
    """One per worker."""

    reader: InputReader

    async def handle(self, item: WorkItem) -> Mapping[str, Json]:
        await in_thread(self.start, BatchId(item.key))
        return {}

    def start(self, batch_id: BatchId) -> None:
        """Let a batch begin; harmless to repeat. Blocking."""
        store = self.reader.store
        batch = store.batch(batch_id)
        if batch is None or batch.status not in OPEN:
            return
        if batch.status == "validating":
            self.reader.read(batch)
        else:
            store.resume(batch_id, self.reader.clock.now_ns())
