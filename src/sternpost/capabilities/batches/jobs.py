"""The worker's loop: takes the open batches and lets each go one step on; what a step does is elsewhere."""

import asyncio
import contextlib
import logging
import threading
from dataclasses import dataclass, field

from sternpost.base.clock import Clock
from sternpost.base.errors import SternpostError, StoreError
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches import ending
from sternpost.capabilities.batches.bodies import FileBodies
from sternpost.capabilities.batches.queue_lane import QueueLane
from sternpost.capabilities.batches.reading import InputReader
from sternpost.capabilities.batches.records import QUEUE_JOB, Batch, BatchId, FileId
from sternpost.capabilities.batches.service import BatchService
from sternpost.capabilities.batches.vendor_lane import VendorLane
from sternpost.capabilities.batches.work_store import WorkStore

_LOG = logging.getLogger(__name__)
_TURN_S = 0.5
_HOLD_NS = 60_000_000_000  # a worker that is gone loses its batches after a minute
_PATIENCE_S = 8.0


@dataclass(slots=True)
class BatchWork:
    """Runs batches. worker: its own name, the same after a restart."""

    worker: str
    store: WorkStore
    bodies: FileBodies
    reader: InputReader
    queue: QueueLane
    vendors: VendorLane
    clock: Clock
    bell: asyncio.Event
    _steps: dict[BatchId, asyncio.Task[None]] = field(default_factory=dict[BatchId, asyncio.Task[None]])
    _taken: tuple[Batch, ...] = ()
    _is_away: bool = False

    async def run(self, stop: threading.Event) -> None:
        """Work until stopped; then what is in flight gets a few seconds to end."""
        while not stop.is_set():  # looked at twice a second, as the tables are
            await self._guarded_turn()
            await self._refill(asyncio.get_running_loop().time() + _TURN_S)
        await self.queue.land(_PATIENCE_S)
        for step in self._steps.values():
            step.cancel()
        await asyncio.gather(*self._steps.values(), return_exceptions=True)

    async def _refill(self, until_s: float) -> None:
        """Start a line when another has ended, without a whole turn; return when one is due."""
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout_at(until_s):
                    await self.bell.wait()
                self.bell.clear()
                running = [
                    one for one in self._taken if one.status == "in_progress" and not self._is_over(one)
                ]
                await self.queue.fill(running)
                if not all(self.queue.flying(one.batch_id) for one in self._taken):
                    return  # it may have come to its end

    async def _guarded_turn(self) -> None:
        try:
            await self._turn()
        except StoreError as error:
            if not self._is_away:
                _LOG.warning("batches wait for the tables: %s", error.message)
            self._is_away = True
        except Exception:  # noqa: BLE001 - if the loop ended, no batch would run until a restart
            _LOG.exception("running batches failed; trying again")
        else:
            self._is_away = False

    async def _turn(self) -> None:
        now_ns = self.clock.now_ns()
        # A step that ends while the tables are read would be followed by one on what it changed.
        busy = {batch_id for batch_id, step in self._steps.items() if not step.done()}
        taken = await in_thread(self.store.take, self.worker, now_ns, now_ns + _HOLD_NS)
        for batch in taken:
            if batch.batch_id not in busy:
                self._steps[batch.batch_id] = asyncio.create_task(self._guarded_step(batch))
        for batch_id in self._steps.keys() - {batch.batch_id for batch in taken}:
            if self._steps[batch_id].done():
                del self._steps[batch_id]
                self.queue.forget(batch_id)
        self._taken = taken
        self.bell.set()

    async def _guarded_step(self, batch: Batch) -> None:
        try:
            await self._step(batch)
        except SternpostError as error:
            _LOG.warning("the batch %s waits: %s", batch.batch_id, error.message)
        except Exception:  # noqa: BLE001 - the edge of a batch: the others go on
            _LOG.exception("the batch %s can't continue; trying again", batch.batch_id)

    async def _step(self, batch: Batch) -> None:
        match batch.status:
            case "validating":
                await in_thread(self.reader.read, batch)
                self.bell.set()
            case "in_progress":
                await self._go_on(batch)
            case _:
                await self._end(batch)

    async def _go_on(self, batch: Batch) -> None:
        now_ns = self.clock.now_ns()
        if self._is_over(batch):
            await in_thread(self.store.move, batch.batch_id, "finalizing", now_ns, "expired")
            return
        await self.vendors.step(batch, is_ending=False)
        is_busy = self.queue.flying(batch.batch_id) > 0
        if not is_busy and not await in_thread(self.store.has_waiting, batch.batch_id):
            await in_thread(self.store.move, batch.batch_id, "finalizing", now_ns, "completed")
            self.bell.set()

    async def _end(self, batch: Batch) -> None:
        """Stop both lanes, then write the files."""
        if batch.status == "finalizing" and batch.ends_as == "completed":
            await in_thread(ending.finish, batch, self.store, self.bodies, self.clock)
            return
        self.queue.forget(batch.batch_id)
        are_vendors_done = await self.vendors.step(batch, is_ending=True)
        if self.queue.flying(batch.batch_id):
            return
        await in_thread(ending.close_waiting, batch, QUEUE_JOB, self.store, self.clock)
        if are_vendors_done:
            await in_thread(ending.finish, batch, self.store, self.bodies, self.clock)

    def _is_over(self, batch: Batch) -> bool:
        return self.clock.now_ns() >= batch.expires_ns


def prune_files(service: BatchService) -> int:
    """Delete files past their time, and bytes a day old that no file names; return how many."""
    gone = service.store.expired_files(service.clock.now_ns())
    for file_id in gone:
        service.store.remove_file(file_id)
        service.bodies.remove(file_id)
    old = list(service.bodies.old())
    known = service.store.known_files([str(one) for one in old])
    orphans = [FileId(one) for one in old if one not in known]
    for file_id in orphans:
        service.bodies.remove(file_id)
    return len(gone) + len(orphans)
