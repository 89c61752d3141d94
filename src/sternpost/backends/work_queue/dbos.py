"""Hands groups of items to workers by a DBOS queue; DBOS itself is started by `backends.jobs.dbos`."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from sternpost.backends.work_queue.group_work import GroupWork
from sternpost.backends.work_queue.groups import GroupRef, SqlGroups
from sternpost.base.clock import Clock
from sternpost.base.errors import StoreError
from sternpost.contracts.work_queue import WorkKind

logger = logging.getLogger(__name__)

_QUEUE = "sternpost-work"
_GROUPS_AT_ONCE = 4  # of the threads that DBOS has for workflows, some stay free for scheduled jobs
_POLL_S = 0.25
_LOWEST_PRIORITY = 1_000_000  # DBOS: a smaller number runs first


class DbosWorkRunner:
    """A `contracts.work_queue.WorkRunner`. `declare` before DBOS is launched, `start` afterwards."""

    def __init__(self, groups: SqlGroups, clock: Clock) -> None:
        self._groups = groups
        self._clock = clock
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._work: GroupWork | None = None
        self._loop: asyncio.AbstractEventLoop

    def declare(self) -> None:
        """Name the workflow, so that DBOS finds it when it resumes."""

        def run_group(job_id: str, number: int, generation: int) -> None:
            DBOS.run_step({"name": "items"}, self._do, job_id, number, generation)

        self._workflow = DBOS.workflow(name="sternpost.work_group")(run_group)

    def start(self, kinds: Sequence[WorkKind]) -> None:
        DBOS.register_queue(_QUEUE, worker_concurrency=_GROUPS_AT_ONCE, polling_interval_sec=_POLL_S)
        self._groups.hand_over_again()
        self._loop = asyncio.new_event_loop()
        by_name = {kind.name: kind for kind in kinds}
        self._work = GroupWork(self._groups, by_name, self._clock)
        loop = _thread("sternpost-work-items", self._loop.run_forever)
        turns = _thread("sternpost-work-groups", partial(self._hand_over, by_name))
        self._threads = [loop, turns]
        for thread in self._threads:
            thread.start()
        self._ready.set()

    def stop(self, patience_s: float) -> None:
        self._stopping.set()
        if self._work is None:
            return
        loop, turns = self._threads
        self._loop.call_soon_threadsafe(self._work.stopping.set)
        turns.join(patience_s)
        ended = asyncio.run_coroutine_threadsafe(_end_tasks(patience_s), self._loop)
        ended.result(patience_s + 5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        loop.join(patience_s)
        self._loop.close()

    def _do(self, job_id: str, number: int, generation: int) -> None:
        self._ready.wait()  # DBOS resumes what was cut off before the kinds are known
        if self._stopping.is_set() or self._work is None:
            return  # handed over again at the next start
        ref = GroupRef(job_id, number, generation)  # type: ignore[arg-type]  # a JobId is a str on the wire
        with suppress(CancelledError):  # cut off by `stop`; handed over again at the next start
            asyncio.run_coroutine_threadsafe(self._work.run(ref), self._loop).result()

    def _hand_over(self, kinds: dict[str, WorkKind]) -> None:
        is_away = False
        while not self._stopping.is_set():
            try:
                self._turn(kinds)
                is_away = False
            except StoreError as error:
                if not is_away:
                    logger.warning("queued work waits for the tables: %s", error.message)
                is_away = True
            except Exception:  # the edge of the thread: if it ended, no work would begin until a restart
                logger.exception("dispatching work failed; trying again")
            self._stopping.wait(_POLL_S)

    def _turn(self, kinds: dict[str, WorkKind]) -> None:
        refs = self._groups.due()
        for ref in refs:
            priority = min(max(_LOWEST_PRIORITY - ref.priority, 1), _LOWEST_PRIORITY)
            name = f"{ref.job_id}-{ref.number}-{ref.generation}"
            with SetWorkflowID(name), SetEnqueueOptions(priority=priority):
                DBOS.enqueue_workflow(_QUEUE, self._workflow, ref.job_id, ref.number, ref.generation)
        if refs:
            self._groups.mark_queued(refs)
        for job in self._groups.ended():
            kind = kinds.get(job.kind)
            if kind is None:
                continue
            if kind.on_end is not None:
                kind.on_end(job)
            self._groups.mark_told(job)


def _thread(name: str, run: Callable[[], object]) -> threading.Thread:
    return threading.Thread(target=run, name=name, daemon=True)


async def _end_tasks(patience_s: float) -> None:
    """Wait for items in progress, then cut off the rest."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if not others:
        return
    _, late = await asyncio.wait(others, timeout=patience_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
