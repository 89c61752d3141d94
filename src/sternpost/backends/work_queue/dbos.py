"""Does groups of items as DBOS workflows, which resume after a crash; `backends.jobs.dbos` starts DBOS.

Which worker takes a group is settled by the groups' own table: DBOS's queues would be asked several times a
second, on each worker, for what the table already knows.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from dbos import DBOS, SetWorkflowID

from sternpost.backends.work_queue.group_work import GroupWork
from sternpost.backends.work_queue.groups import GroupName, GroupRef, SqlGroups
from sternpost.base.clock import Clock
from sternpost.base.errors import StoreError
from sternpost.contracts.work_queue import WorkJob, WorkKind

logger = logging.getLogger(__name__)

_WORKFLOW = "sternpost.work_group"
_GROUPS_AT_ONCE = 24  # of the threads that DBOS has for workflows, some stay free for scheduled jobs
_PRUNED_AT_ONCE = 500
_BUSY_POLL_S, _IDLE_POLL_S = 0.25, 0.5


class DbosWorkRunner:
    """A `contracts.work_queue.WorkRunner`. `declare` before DBOS is launched, `start` afterwards."""

    def __init__(self, groups: SqlGroups, clock: Clock) -> None:
        self._groups = groups
        self._clock = clock
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._wakeup = threading.Event()
        self._ready = threading.Event()
        self._work: GroupWork | None = None
        self._active = set[GroupName]()  # groups that were begun here and not given back
        self._loop: asyncio.AbstractEventLoop

    def declare(self) -> None:
        """Name the workflow, so that DBOS finds it when it resumes."""

        def run_group(job_id: str, number: int, generation: int) -> None:
            DBOS.run_step({"name": "items"}, self._do, job_id, number, generation)

        self._workflow = DBOS.workflow(name=_WORKFLOW)(run_group)

    def start(self, kinds: Sequence[WorkKind]) -> None:
        self._groups.hand_over_again()
        self._loop = asyncio.new_event_loop()
        by_name = {kind.name: kind for kind in kinds}
        self._work = GroupWork(
            self._groups, by_name, self._clock, at_once=_GROUPS_AT_ONCE, on_change=self._wakeup.set
        )
        loop = _thread("sternpost-work-items", self._loop.run_forever)
        turns = _thread("sternpost-work-groups", partial(self._hand_over, by_name))
        self._threads = [loop, turns]
        for thread in self._threads:
            thread.start()
        self._ready.set()

    def stop(self, patience_s: float) -> None:
        self._stopping.set()
        self._wakeup.set()
        if self._work is None:
            return
        loop, turns = self._threads
        self._loop.call_soon_threadsafe(self._work.stopping.set)
        turns.join(patience_s)
        closing = [kind.close for kind in self._work.kinds.values() if kind.close is not None]
        ended = asyncio.run_coroutine_threadsafe(_end(patience_s, closing), self._loop)
        ended.result(patience_s + 5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        loop.join(patience_s)
        self._loop.close()

    def _do(self, job_id: str, number: int, generation: int) -> None:
        self._ready.wait()  # DBOS resumes what was cut off before the kinds are known
        if self._stopping.is_set() or self._work is None:
            return  # handed over again at the next start
        ref = GroupRef(job_id, number, generation)  # type: ignore[arg-type]  # a JobId is a str on the wire
        self._active.add(ref.name)
        try:
            with suppress(CancelledError):  # cut off by `stop`; handed over again at the next start
                asyncio.run_coroutine_threadsafe(self._work.run(ref), self._loop).result()
        finally:
            self._active.discard(ref.name)

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
            self._wakeup.wait(_BUSY_POLL_S if self._active else _IDLE_POLL_S)
            self._wakeup.clear()

    def _turn(self, kinds: dict[str, WorkKind]) -> None:
        room = _GROUPS_AT_ONCE - len(self._active)
        for ref in self._groups.take(room, but=tuple(self._active)) if room > 0 else ():
            self._active.add(ref.name)
            with SetWorkflowID(f"{ref.job_id}-{ref.number}-{ref.generation}"):
                DBOS.start_workflow(self._workflow, ref.job_id, ref.number, ref.generation)
        if self._work is not None and self._work.is_full:
            self._loop.call_soon_threadsafe(self._work.make_room, self._groups.starving())
        for job in self._groups.ended():
            self._tell_end(kinds.get(job.kind), job)

    def _tell_end(self, kind: WorkKind | None, job: WorkJob) -> None:
        if kind is None:
            return
        try:
            if kind.on_end is not None:
                kind.on_end(job)
                self._wakeup.set()  # what follows may have been queued
        except StoreError:
            raise
        except Exception:  # the edge of a job: the others are told; this one again at the next turn
            logger.exception("the end of job %s could not be told", job.job_id)
        else:
            self._groups.mark_told(job)

    def prune(self, before_ns: int) -> int:
        """Forget hand-overs that ended before a time; return how many."""
        before = datetime.fromtimestamp(before_ns / 1e9, UTC).isoformat()
        total = 0
        while True:
            found = DBOS.list_workflows(
                name=_WORKFLOW,
                status="SUCCESS",
                end_time=before,
                limit=_PRUNED_AT_ONCE,
                load_input=False,
                load_output=False,
            )
            DBOS.delete_workflows([one.workflow_id for one in found])
            total += len(found)
            if len(found) < _PRUNED_AT_ONCE:
                return total


def _thread(name: str, run: Callable[[], object]) -> threading.Thread:
    return threading.Thread(target=run, name=name, daemon=True)


async def _end(patience_s: float, closing: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Wait for items in progress, cut off the rest, then let go of what they used."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, late = await asyncio.wait(others, timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for close in closing:
        await close()
