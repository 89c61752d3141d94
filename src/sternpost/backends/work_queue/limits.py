"""How many items of a kind may run at once in this worker, and how many may begin in a minute."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from sternpost.contracts.work_queue import WorkItem, WorkKind


class Limits:
    """The limits of one kind, shared by all its groups. For one event loop."""

    def __init__(self, kind: WorkKind) -> None:
        self._kind = kind
        self._all = asyncio.Semaphore(kind.concurrency)
        self._lanes = _semaphores(kind.per_lane)
        self._projects = _semaphores(kind.per_project)
        self._next_start_s = 0.0

    @asynccontextmanager
    async def slot(self, item: WorkItem) -> AsyncGenerator[None]:
        """Wait for a place; the narrow limits first, so that a busy lane keeps no place from the others."""
        async with AsyncExitStack() as stack:
            if self._kind.per_project:
                await stack.enter_async_context(self._projects[item.job.project_id])
            if self._kind.per_lane and item.lane:
                await stack.enter_async_context(self._lanes[item.lane])
            await stack.enter_async_context(self._all)
            if self._kind.per_minute:
                await self._wait_for_turn()
            yield

    async def _wait_for_turn(self) -> None:
        now_s = asyncio.get_running_loop().time()
        start_s = max(now_s, self._next_start_s)
        self._next_start_s = start_s + 60 / self._kind.per_minute
        await asyncio.sleep(start_s - now_s)


def _semaphores(limit: int) -> defaultdict[str, asyncio.Semaphore]:
    return defaultdict(lambda: asyncio.Semaphore(limit))
