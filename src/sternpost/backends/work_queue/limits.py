"""Which items of a kind may run now in this worker: how many, whose turn it is, which lanes are held."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeAlias

from sternpost.base.ids import JobId
from sternpost.contracts.work_queue import WorkItem, WorkKind

_Lane: TypeAlias = tuple[JobId, str]
_MAX_HOLDS = 1000


class Limits:
    """The limits of one kind, shared by its groups. Jobs and their lanes take turns. For one event loop."""

    def __init__(self, kind: WorkKind) -> None:
        self._kind = kind
        self._running = 0
        self._of_lane: Counter[str] = Counter()
        self._of_project: Counter[str] = Counter()
        self._waiting: OrderedDict[_Lane, deque[tuple[WorkItem, asyncio.Future[None]]]] = OrderedDict()
        self._holds: dict[_Lane, int] = {}
        self._next_start_s = 0.0

    @asynccontextmanager
    async def slot(self, item: WorkItem) -> AsyncGenerator[None]:
        """Wait for a place; a lane that is full keeps none from the others."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(_lane_of(item), deque()).append((item, place))
        self._give_places()
        try:
            await place
            if self._kind.per_minute:
                await self._wait_for_turn()
            yield
        finally:
            if place.done() and not place.cancelled():
                self._take_back(item)

    def hold(self, item: WorkItem, until_ns: int) -> None:
        """Begin no item of the same job and lane before a time."""
        if len(self._holds) >= _MAX_HOLDS:
            oldest = sorted(self._holds, key=self._holds.__getitem__)[: _MAX_HOLDS // 2]
            for lane in oldest:
                del self._holds[lane]
        self._holds[_lane_of(item)] = until_ns

    def held_until_ns(self, item: WorkItem) -> int:
        return self._holds.get(_lane_of(item), 0)

    def _give_places(self) -> None:
        while self._running < self._concurrency():
            lane = next((one for one, queue in self._waiting.items() if self._has_room(queue[0][0])), None)
            if lane is None:
                return
            queue = self._waiting[lane]
            item, place = queue.popleft()
            if queue:
                self._waiting.move_to_end(lane)
            else:
                del self._waiting[lane]
            if not place.cancelled():
                self._count(item, 1)
                place.set_result(None)

    def _concurrency(self) -> int:
        given = self._kind.concurrency
        return given if isinstance(given, int) else given()

    def _has_room(self, item: WorkItem) -> bool:
        kind = self._kind
        is_lane_full = bool(kind.per_lane and item.lane) and self._of_lane[item.lane] >= kind.per_lane
        is_project_full = bool(kind.per_project) and self._of_project[item.job.project_id] >= kind.per_project
        return not is_lane_full and not is_project_full

    def _take_back(self, item: WorkItem) -> None:
        self._count(item, -1)
        self._give_places()

    def _count(self, item: WorkItem, by: int) -> None:
        self._running += by
        self._of_lane[item.lane] += by
        self._of_project[item.job.project_id] += by

    async def _wait_for_turn(self) -> None:
        now_s = asyncio.get_running_loop().time()
        start_s = max(now_s, self._next_start_s)
        self._next_start_s = start_s + 60 / self._kind.per_minute
        await asyncio.sleep(start_s - now_s)


def _lane_of(item: WorkItem) -> _Lane:
    return item.job.job_id, item.lane
