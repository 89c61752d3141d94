"""Does the items of one group: limits, tries, leases, outcomes; who hands groups over is `dbos`."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sternpost.backends.work_queue.groups import LEASE_NS, GroupRef, Settled, SqlGroups, Waiting
from sternpost.backends.work_queue.limits import Limits
from sternpost.base.clock import Clock
from sternpost.base.errors import SternpostError
from sternpost.base.threads import in_thread
from sternpost.contracts.work_queue import ItemOutcome, TryLater, WorkJob, WorkKind

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
_RENEW_EVERY = 20  # looks
_FLUSH_S = 0.05
_SETTLE_AGAIN_S = 0.5
_UNKNOWN_KIND_NS = 60_000_000_000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 300.0
_LONGEST_ERROR = 500


@dataclass(slots=True)
class GroupWork:
    """The work of one worker. `stopping` is set when nothing more is to be started."""

    groups: SqlGroups
    kinds: dict[str, WorkKind]
    clock: Clock
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _limits: dict[str, Limits] = field(default_factory=dict[str, Limits])

    async def run(self, ref: GroupRef) -> None:
        """Do what is due of a group and give it back; harmless for a group that is done or another's."""
        job = await in_thread(self.groups.hold, ref)
        while job is not None:
            kind = self.kinds.get(job.kind)
            waiting = await in_thread(self.groups.waiting, ref, job)
            now_ns = self.clock.now_ns()
            due = [one for one in waiting if one.due_ns <= now_ns]
            if not waiting:
                await in_thread(self.groups.release, ref, None)
                return
            if kind is None or not due or self.stopping.is_set():
                unknown_ns = now_ns + _UNKNOWN_KIND_NS if kind is None else 0
                next_ns = unknown_ns or min(one.due_ns for one in waiting)
                await in_thread(self.groups.release, ref, next_ns)
                return
            await self._do(ref, job, kind, due)
            job = await in_thread(self.groups.hold, ref)

    async def _do(self, ref: GroupRef, job: WorkJob, kind: WorkKind, due: Sequence[Waiting]) -> None:
        lost, settled = asyncio.Event(), asyncio.Queue[Settled]()
        watch = asyncio.create_task(self._keep_lease(ref, lost))
        flush = asyncio.create_task(self._flush(job, settled))
        try:
            async with asyncio.TaskGroup() as tasks:
                for one in due:
                    tasks.create_task(self._item(kind, one, lost, settled))
        finally:
            watch.cancel()
            await settled.join()
            flush.cancel()
            await asyncio.gather(watch, flush, return_exceptions=True)

    async def _item(
        self, kind: WorkKind, one: Waiting, lost: asyncio.Event, settled: "asyncio.Queue[Settled]"
    ) -> None:
        limits = self._limits.setdefault(kind.name, Limits(kind))
        async with limits.slot(one.item):
            if lost.is_set() or self.stopping.is_set():
                return
            settled.put_nowait(await self._try(kind, one))

    async def _try(self, kind: WorkKind, one: Waiting) -> Settled:
        item, now_ns = one.item, self.clock.now_ns
        try:
            result = await kind.handle(item)
        except TryLater as later:
            outcome = ItemOutcome(item.key, "waiting", item.attempt - 1, None, "")
            return Settled(one.number, outcome, now_ns() + int(later.args[0] * 1e9))
        except SternpostError as error:
            text = error.message[:_LONGEST_ERROR]
        except Exception as error:
            logger.exception("an item of job %s failed", item.job.job_id)
            text = type(error).__name__
        else:
            return Settled(one.number, ItemOutcome(item.key, "done", item.attempt, result))
        if item.attempt >= kind.max_attempts:
            return Settled(one.number, ItemOutcome(item.key, "failed", item.attempt, None, text))
        wait_s = min(_FIRST_WAIT_S * 2 ** (item.attempt - 1), _LONGEST_WAIT_S)
        again = ItemOutcome(item.key, "waiting", item.attempt, None, text)
        return Settled(one.number, again, now_ns() + int(wait_s * 1e9))

    async def _keep_lease(self, ref: GroupRef, lost: asyncio.Event) -> None:
        """Look whether the group is still ours, e.g. not cancelled, and renew the lease in time."""
        looks = 0
        while not lost.is_set():
            await asyncio.sleep(_LOOK_S)
            looks += 1
            try:
                is_ours = await in_thread(self._look, ref, is_renewed=looks % _RENEW_EVERY == 0)
            except SternpostError:
                continue  # tables that are away say nothing; the lease lasts a minute
            if not is_ours:
                lost.set()

    def _look(self, ref: GroupRef, *, is_renewed: bool) -> bool:
        return self.groups.hold(ref) is not None if is_renewed else self.groups.is_held(ref)

    async def _flush(self, job: WorkJob, settled: "asyncio.Queue[Settled]") -> None:
        """Write outcomes, those of 50 ms in one transaction, until cancelled."""
        while True:
            found = [await settled.get()]
            await asyncio.sleep(_FLUSH_S)
            while not settled.empty():
                found.append(settled.get_nowait())
            try:
                await in_thread(self._settle, job, found)
            finally:
                for _ in found:
                    settled.task_done()

    def _settle(self, job: WorkJob, found: Sequence[Settled]) -> None:
        """Write outcomes down, for as long as the lease lasts: they may have cost money."""
        until_ns = self.clock.monotonic_ns() + LEASE_NS // 2
        while True:
            try:
                return self.groups.settle(job.job_id, found)
            except SternpostError as error:
                if self.clock.monotonic_ns() > until_ns:
                    logger.error("items of job %s run again: %s", job.job_id, error.message)
                    return None
                time.sleep(_SETTLE_AGAIN_S)
