"""Does the items of one group: limits, tries, leases, outcomes; who hands groups over is `dbos`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from sternpost.backends.work_queue.groups import GroupRef, Settled, SqlGroups, Waiting
from sternpost.backends.work_queue.limits import Limits
from sternpost.backends.work_queue.outcomes import OutcomeWriter
from sternpost.base.clock import Clock
from sternpost.base.errors import SternpostError
from sternpost.base.ids import JobId
from sternpost.base.threads import in_thread
from sternpost.contracts.work_queue import Finished, ItemOutcome, TryLater, WorkJob, WorkKind

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
_RENEW_EVERY = 20  # looks
_UNKNOWN_KIND_NS = 60_000_000_000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 300.0
_LONGEST_ERROR = 500
_FAIR_TURN_S = 10.0  # a group works at least so long before it makes room for another job's


@dataclass(slots=True)
class _Turn:
    """One group in work; `is_over` is set when it starts no more items, for itself or for others' sake."""

    ref: GroupRef
    began_s: float
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class GroupWork:
    """The work of one worker. `stopping` is set when nothing more is to be started.

    at_once: how many groups it may have. on_change: called when a group was given back.
    """

    groups: SqlGroups
    kinds: dict[str, WorkKind]
    clock: Clock
    at_once: int
    on_change: Callable[[], None]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _outcomes: OutcomeWriter = field(init=False)
    _limits: dict[str, Limits] = field(default_factory=dict[str, Limits])
    _turns: list[_Turn] = field(default_factory=list[_Turn])

    def __post_init__(self) -> None:
        self._outcomes = OutcomeWriter(self.groups, self.clock)

    @property
    def is_full(self) -> bool:
        return len(self._turns) >= self.at_once

    def make_room(self, starving: Collection[JobId]) -> None:
        """Let a job that has several groups here, or has had its turn, give one up for one that has none."""
        if not self.is_full or any(turn.is_over.is_set() for turn in self._turns):
            return
        counts = Counter(turn.ref.job_id for turn in self._turns)
        if not set(starving) - set(counts):
            return
        longest = min(self._turns, key=lambda turn: (-counts[turn.ref.job_id], turn.began_s))
        if counts[longest.ref.job_id] > 1 or self._now_s() - longest.began_s > _FAIR_TURN_S:
            longest.is_over.set()

    async def run(self, ref: GroupRef) -> None:
        """Do what is due of a group and give it back; harmless for a group that is done or another's."""
        turn = _Turn(ref, self._now_s())
        self._turns.append(turn)
        try:
            await self._run(turn)
        finally:
            self._turns.remove(turn)
            self.on_change()

    async def _run(self, turn: _Turn) -> None:
        ref = turn.ref
        job = await in_thread(self.groups.hold, ref)
        while job is not None:
            kind = self.kinds.get(job.kind)
            waiting = await in_thread(self.groups.waiting, ref, job)
            if not waiting:
                await in_thread(self.groups.release, ref, None)
                return
            now_ns = self.clock.now_ns()
            due = [one for one in waiting if kind is not None and self._due_ns(kind, one) <= now_ns]
            if kind is None or not due or turn.is_over.is_set() or self.stopping.is_set():
                await in_thread(self.groups.release, ref, self._next_ns(kind, waiting, now_ns))
                return
            await self._do(turn, job, kind, due)
            job = await in_thread(self.groups.hold, ref)

    def _due_ns(self, kind: WorkKind, one: Waiting) -> int:
        limits = self._limits.get(kind.name)
        return max(one.due_ns, limits.held_until_ns(one.item)) if limits is not None else one.due_ns

    def _next_ns(self, kind: WorkKind | None, waiting: Sequence[Waiting], now_ns: int) -> int:
        if kind is None:
            return now_ns + _UNKNOWN_KIND_NS
        return min(self._due_ns(kind, one) for one in waiting)

    async def _do(self, turn: _Turn, job: WorkJob, kind: WorkKind, due: Sequence[Waiting]) -> None:
        watch = asyncio.create_task(self._keep_lease(turn))
        try:
            async with asyncio.TaskGroup() as tasks:
                for one in due:
                    tasks.create_task(self._item(turn, job, kind, one))
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _item(self, turn: _Turn, job: WorkJob, kind: WorkKind, one: Waiting) -> None:
        """Do an item; it keeps its place until its outcome is durable, so that a kill repeats no more."""
        limits = self._limits.setdefault(kind.name, Limits(kind))
        async with limits.slot(one.item):
            is_held = limits.held_until_ns(one.item) > self.clock.now_ns()
            if is_held or turn.is_over.is_set() or self.stopping.is_set():
                return
            outcome = await self._try(kind, one, limits)
            if outcome is not None:
                await self._outcomes.write(job, kind, outcome)

    async def _try(self, kind: WorkKind, one: Waiting, limits: Limits) -> Settled | None:
        """Try an item; None when nothing is to be written of it."""
        item, now_ns = one.item, self.clock.now_ns
        wait_s = min(_FIRST_WAIT_S * 2 ** (item.attempt - 1), _LONGEST_WAIT_S)
        try:
            result = await kind.handle(item)
        except TryLater as later:
            until_ns = now_ns() + int(later.after_s * 1e9)
            if later.holds_lane:
                limits.hold(item, until_ns)
                if not later.is_failure:
                    return None
            if not later.is_failure:
                return Settled(one.number, ItemOutcome(item.key, "waiting", item.attempt - 1, None), until_ns)
            text, wait_s = "tried again later", later.after_s
        except SternpostError as error:
            text = error.message[:_LONGEST_ERROR]
        except Exception as error:
            logger.exception("an item of job %s failed", item.job.job_id)
            text = type(error).__name__
        else:
            finished = result if isinstance(result, Finished) else Finished(result, None)
            done = ItemOutcome(item.key, "done", item.attempt, finished.result)
            return Settled(one.number, done, change=finished.change)
        if kind.max_attempts and item.attempt >= kind.max_attempts:
            return Settled(one.number, ItemOutcome(item.key, "failed", item.attempt, None, text))
        again = ItemOutcome(item.key, "waiting", item.attempt, None, text)
        return Settled(one.number, again, now_ns() + int(wait_s * 1e9))

    async def _keep_lease(self, turn: _Turn) -> None:
        """Look whether the group is still ours, e.g. not cancelled, and renew the lease in time."""
        looks = 0
        while True:  # until the group is given back: its items in progress need the lease, too
            await asyncio.sleep(_LOOK_S)
            looks += 1
            try:
                is_ours = await in_thread(self._look, turn.ref, is_renewed=looks % _RENEW_EVERY == 0)
            except SternpostError:
                continue  # tables that are away say nothing; the lease lasts a minute
            if not is_ours:
                turn.is_over.set()

    def _look(self, ref: GroupRef, *, is_renewed: bool) -> bool:
        if is_renewed and self.groups.hold(ref) is None:
            return False
        return self.groups.is_held(ref)

    def _now_s(self) -> float:
        return self.clock.monotonic_ns() / 1e9
