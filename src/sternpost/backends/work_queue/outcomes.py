"""Writes down how items ended, all that wait in one transaction, so that many items share one commit."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sternpost.backends.work_queue.groups import LEASE_NS, Settled, SqlGroups
from sternpost.base.clock import Clock
from sternpost.base.errors import SternpostError
from sternpost.base.ids import JobId
from sternpost.base.threads import in_thread
from sternpost.contracts.work_queue import WorkJob, WorkKind

logger = logging.getLogger(__name__)

_AGAIN_S = 0.5


@dataclass(slots=True)
class _Waiting:
    job: WorkJob
    kind: WorkKind
    settled: Settled
    written: asyncio.Future[None]


@dataclass(slots=True)
class OutcomeWriter:
    """One per worker, for its event loop."""

    groups: SqlGroups
    clock: Clock
    _waiting: list[_Waiting] = field(default_factory=list[_Waiting])
    _task: asyncio.Task[None] | None = None

    async def write(self, job: WorkJob, kind: WorkKind, settled: Settled) -> None:
        """Return once the outcome is durable, or can't be made so while the lease lasts."""
        mine = _Waiting(job, kind, settled, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all(), name="sternpost-work-outcomes")
        await mine.written

    async def _write_all(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting, []
            by_job: dict[JobId, list[_Waiting]] = defaultdict(list)
            for one in some:
                by_job[one.job.job_id].append(one)
            for found in by_job.values():
                await self._write_some(found)

    async def _write_some(self, found: Sequence[_Waiting]) -> None:
        job, kind = found[0].job, found[0].kind
        try:
            await in_thread(self._settle, job, kind, [one.settled for one in found])
        except Exception:  # the edge of the writer: if it ended, every item would wait for ever
            logger.exception("outcomes of job %s were not written; its items run again", job.job_id)
        finally:
            for one in found:
                if not one.written.done():
                    one.written.set_result(None)

    def _settle(self, job: WorkJob, kind: WorkKind, found: Sequence[Settled]) -> None:
        """Write outcomes down, for as long as the lease lasts: they may have cost money."""
        until_ns = self.clock.monotonic_ns() + LEASE_NS // 2
        while True:
            try:
                return self.groups.settle(job, found, kind.apply)
            except SternpostError as error:
                if self.clock.monotonic_ns() > until_ns:
                    logger.error("items of job %s run again: %s", job.job_id, error.message)
                    return None
                time.sleep(_AGAIN_S)
            except Exception as error:
                logger.exception("the changes of items of job %s can't be written", job.job_id)
                if len(found) == 1:
                    return self._set_aside(job, found[0], type(error).__name__)
                for one in found:  # so that one does not take the others with it
                    self._settle(job, kind, [one])
                return None

    def _set_aside(self, job: WorkJob, one: Settled, error: str) -> None:
        """Let an item fail whose change can never be written; what it did is not done again by itself."""
        failed = replace(one.outcome, state="failed", result=None, error=error)
        self.groups.settle(job, [Settled(one.number, failed)])
