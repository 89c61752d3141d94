"""Runs lines as ordinary calls through the gateway, a few at a time; limits, prices, records are its own."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sternpost.base.clock import Clock
from sternpost.base.errors import BodyTooLarge, ModelCallDelayed, ModelCallError, NotFound
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.bodies import FileBodies
from sternpost.capabilities.batches.line_format import (
    LineRefused,
    Request,
    answered,
    unanswered,
)
from sternpost.capabilities.batches.reading import read_request
from sternpost.capabilities.batches.records import QUEUE_JOB, Batch, BatchId, Line, QueueSettings
from sternpost.capabilities.batches.rules import MAX_TRIES, back_off_s, is_off_peak
from sternpost.capabilities.batches.settling import Settler
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.call import Principal
from sternpost.contracts.model_client import CallFor, ModelClient, RawAnswer

_LOG = logging.getLogger(__name__)
_PAGE = 64
_DEFAULT_WAIT_S = 5.0


@dataclass(slots=True)
class QueueLane:
    """One per worker. What it remembers of waits and tries is forgotten at a restart, which harms nothing."""

    models: ModelClient
    store: WorkStore
    bodies: FileBodies
    settler: Settler
    settings: QueueSettings
    clock: Clock
    bell: asyncio.Event  # rung when a line has ended, so that the next begins at once
    chance: Callable[[], float] = random.random
    _flying: dict[tuple[BatchId, int], asyncio.Task[None]] = field(
        default_factory=dict[tuple[BatchId, int], asyncio.Task[None]]
    )
    _ready: dict[BatchId, deque[Line]] = field(default_factory=dict[BatchId, deque[Line]])
    _tries: dict[tuple[BatchId, int], int] = field(default_factory=dict[tuple[BatchId, int], int])
    _rests: dict[tuple[BatchId, int], float] = field(default_factory=dict[tuple[BatchId, int], float])
    _holds: dict[tuple[BatchId, str], float] = field(default_factory=dict[tuple[BatchId, str], float])
    _away_until_s: float = 0.0

    def flying(self, batch_id: BatchId) -> int:
        """Return how many lines of a batch are in flight."""
        return sum(key[0] == batch_id for key in self._flying)

    def forget(self, batch_id: BatchId) -> None:
        """Drop what is remembered of a batch that starts no more lines."""
        self._ready.pop(batch_id, None)
        for memory in (self._tries, self._rests, self._holds):
            for key in [key for key in memory if key[0] == batch_id]:
                del memory[key]  # type: ignore[arg-type]  # the keys are of this memory

    async def fill(self, batches: Sequence[Batch]) -> None:
        """Start lines until the concurrency is used, one of each batch in turn."""
        if self._away_until_s > self._now_s():
            return
        if not is_off_peak(self.settings.off_peak, self.clock.now_ns()):
            return
        hungry = deque(batches)
        while hungry and len(self._flying) < self.settings.concurrency:
            batch = hungry.popleft()
            line = await self._next(batch)
            if line is None:
                continue
            key = (batch.batch_id, line.number)
            self._flying[key] = asyncio.create_task(self._run(batch, line), name="sternpost-batch-line")
            hungry.append(batch)

    async def land(self, patience_s: float) -> None:
        """Let lines in flight end; what takes longer is dropped, and sent again by the next worker."""
        tasks = list(self._flying.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=patience_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _next(self, batch: Batch) -> Line | None:
        ready = self._ready.setdefault(batch.batch_id, deque())
        if not ready:
            ready.extend(await self._load(batch))
        while ready:
            line = ready.popleft()
            if self._may_start(batch.batch_id, line):
                return line
        return None

    async def _load(self, batch: Batch) -> Sequence[Line]:
        now_s = self._now_s()
        begun = set(self._flying)  # one that ends while the tables are read was read as waiting
        held = [model for (batch_id, model), until_s in self._holds.items()
                if batch_id == batch.batch_id and until_s > now_s]  # fmt: skip
        busy = self.flying(batch.batch_id) + sum(key[0] == batch.batch_id for key in self._rests)
        found = await in_thread(
            self.store.waiting, batch.batch_id, job=QUEUE_JOB, limit=_PAGE + busy, but=held
        )
        return [line for line in found if (batch.batch_id, line.number) not in begun]

    def _may_start(self, batch_id: BatchId, line: Line) -> bool:
        now_s, key = self._now_s(), (batch_id, line.number)
        if self._rests.get(key, 0.0) <= now_s:
            self._rests.pop(key, None)
        is_held = self._holds.get((batch_id, line.model), 0.0) > now_s
        return not is_held and key not in self._rests and key not in self._flying

    async def _run(self, batch: Batch, line: Line) -> None:
        key = (batch.batch_id, line.number)
        try:
            await self._try(batch, line)
        except Exception:  # noqa: BLE001 - the edge of a line: it is tried again, the others go on
            _LOG.exception("line %d of %s failed because of an internal error", line.number, batch.batch_id)
            await self._again(
                batch, line, "internal_error", "an internal error occurred on this line; see Sternpost's log"
            )
        finally:
            self._flying.pop(key, None)
            self.bell.set()

    async def _try(self, batch: Batch, line: Line) -> None:
        try:
            request = await in_thread(read_request, self.bodies, batch, line)
        except (LineRefused, NotFound) as error:
            await self._fail(batch, line, "unreadable_line", f"the line can't be read any more: {error}")
            return
        try:
            answer = await self._send(batch, line, request)
        except BodyTooLarge as error:
            await self._fail(batch, line, "answer_too_large", error.message)
        except ModelCallDelayed as error:
            self._away_until_s = self._now_s() + error.retry_after_s
        except ModelCallError as error:
            await self._again(batch, line, "gateway_unreachable", error.message)
        else:
            await self._judge(batch, line, request, answer)

    async def _send(self, batch: Batch, line: Line, request: Request) -> RawAnswer:
        caller = CallFor(
            Principal(batch.project_id, batch.key_id, batch.key_name, batch.allowed_models),
            "batch",
            idempotency_key=f"{batch.batch_id}-{line.number}",
            facts={"batch_id": batch.batch_id, "batch_custom_id": line.custom_id},
        )
        return await self.models.raw(request.url, request.body, caller)

    async def _judge(self, batch: Batch, line: Line, request: Request, answer: RawAnswer) -> None:
        if answer.retry == "later":
            wait_s = _DEFAULT_WAIT_S if answer.retry_after_s is None else answer.retry_after_s
            self._holds[batch.batch_id, line.model] = self._now_s() + wait_s
            return
        if answer.retry == "again" and self._tries.get((batch.batch_id, line.number), 0) + 1 < MAX_TRIES:
            self._rest(batch, line, answer.retry_after_s)
            return
        result = answered(
            line.number,
            request,
            status=answer.status,
            body=answer.body,
            request_id=answer.facts.request_id,
            trace_id=answer.facts.trace_id,
            cost_nanousd=answer.facts.cost_nanousd,
        )
        await self.settler.settle(batch.batch_id, result)

    async def _again(self, batch: Batch, line: Line, code: str, message: str) -> None:
        if self._tries.get((batch.batch_id, line.number), 0) + 1 < MAX_TRIES:
            self._rest(batch, line, None)
        else:
            await self._fail(batch, line, code, message)

    async def _fail(self, batch: Batch, line: Line, code: str, message: str) -> None:
        await self.settler.settle(batch.batch_id, unanswered(line.number, line.custom_id, code, message))

    def _rest(self, batch: Batch, line: Line, wait_s: float | None) -> None:
        key = (batch.batch_id, line.number)
        self._tries[key] = self._tries.get(key, 0) + 1
        chosen_s = back_off_s(self._tries[key], self.chance()) if wait_s is None else wait_s
        self._rests[key] = self._now_s() + chosen_s

    def _now_s(self) -> float:
        return self.clock.monotonic_ns() / 1e9
