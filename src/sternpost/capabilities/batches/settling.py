"""Writes down how lines ended, all that wait in one transaction, so that many lines share one commit."""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field

from sternpost.base.clock import Clock
from sternpost.base.errors import StoreError
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.records import BatchId, LineResult
from sternpost.capabilities.batches.work_store import WorkStore

_LOG = logging.getLogger(__name__)
_PAUSE_S = 1.0


@dataclass(slots=True)
class _Waiting:
    batch_id: BatchId
    result: LineResult
    written: asyncio.Future[None]


@dataclass(slots=True)
class Settler:
    store: WorkStore
    clock: Clock
    _waiting: list[_Waiting] = field(default_factory=list[_Waiting])
    _task: asyncio.Task[None] | None = None

    async def settle(self, batch_id: BatchId, *found: LineResult) -> None:
        """Return once the results are durable; while the tables are away, wait for them."""
        loop = asyncio.get_running_loop()
        mine = [_Waiting(batch_id, result, loop.create_future()) for result in found]
        self._waiting += mine
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write(), name="sternpost-batch-settler")
        for one in mine:
            await one.written

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            by_batch: dict[BatchId, list[LineResult]] = defaultdict(list)
            for one in group:
                by_batch[one.batch_id].append(one.result)
            for batch_id, results in by_batch.items():
                await self._write_batch(batch_id, results)
            for one in group:
                if not one.written.done():
                    one.written.set_result(None)

    async def _write_batch(self, batch_id: BatchId, results: list[LineResult]) -> None:
        while True:
            try:
                await in_thread(self.store.settle, batch_id, results, self.clock.now_ns())
            except StoreError as error:
                _LOG.warning("results of a batch wait for the tables: %s", error.message)
                await asyncio.sleep(_PAUSE_S)
            else:
                return
