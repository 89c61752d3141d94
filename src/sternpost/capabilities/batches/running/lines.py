"""Runs lines as ordinary calls through the gateway; limits, prices and records are its own."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Connection

from sternpost.base.clock import Clock
from sternpost.base.errors import BodyTooLarge, ModelCallDelayed, ModelCallError, NotFound
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.files.bodies import FileBodies
from sternpost.capabilities.batches.files.line_format import LineRefused, Request, answered, unanswered
from sternpost.capabilities.batches.files.requests import read_request
from sternpost.capabilities.batches.records import Batch, BatchId, Line, LineResult, QueueSettings
from sternpost.capabilities.batches.rules import MAX_TRIES, back_off_s, next_off_peak_ns
from sternpost.capabilities.batches.settling import EXPIRED
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.call import Principal
from sternpost.contracts.model_client import CallFor, ModelClient, RawAnswer
from sternpost.contracts.work_queue import Finished, TryLater, WorkItem, WorkJob

_DEFAULT_WAIT_S = 5.0
_AWAY_S = 2.0  # between two looks whether the gateway is back
_MAX_KNOWN = 200


@dataclass(slots=True)
class BatchLines:
    """Does the lines of batches. One per worker."""

    models: ModelClient
    store: WorkStore
    bodies: FileBodies
    settings: Callable[[], QueueSettings]
    clock: Clock
    chance: Callable[[], float] = random.random
    _known: dict[BatchId, Batch] = field(default_factory=dict[BatchId, Batch])

    async def handle(self, item: WorkItem) -> Finished:
        """Call the gateway for one line. Raises: TryLater."""
        batch, line = await self._batch(item), _line_of(item)
        now_ns = self.clock.now_ns()
        if now_ns >= batch.expires_ns:
            return _finished(unanswered(line.number, line.custom_id, *EXPIRED))
        self._await_off_peak(batch, now_ns)
        try:
            request = await in_thread(read_request, self.bodies, batch, line)
        except (LineRefused, NotFound) as error:
            return _fail(line, "unreadable_line", f"the line can't be read any more: {error}")
        try:
            answer = await self.models.raw(request.url, request.body, _caller(batch, line))
        except BodyTooLarge as error:
            return _fail(line, "answer_too_large", error.message)
        except ModelCallDelayed as error:
            raise self._later(batch, max(error.retry_after_s, _AWAY_S)) from error
        except ModelCallError as error:
            self._try_again(item, None)
            return _fail(line, "gateway_unreachable", error.message)
        return self._judge(batch, item, request, answer)

    def apply(self, connection: Connection, job: WorkJob, changes: Sequence[object]) -> None:
        """Write how lines ended, in the transaction of the queue's outcomes."""
        found = cast("Sequence[LineResult]", changes)
        self.store.settle_in(connection, _batch_id(job), found, self.clock.now_ns())

    def _judge(self, batch: Batch, item: WorkItem, request: Request, answer: RawAnswer) -> Finished:
        if answer.retry == "later":
            wait_s = _DEFAULT_WAIT_S if answer.retry_after_s is None else answer.retry_after_s
            raise self._later(batch, wait_s)
        if answer.retry == "again":
            self._try_again(item, answer.retry_after_s)
        result = answered(
            int(item.key),
            request,
            status=answer.status,
            body=answer.body,
            request_id=answer.facts.request_id,
            trace_id=answer.facts.trace_id,
            cost_nanousd=answer.facts.cost_nanousd,
        )
        return _finished(result)

    def _await_off_peak(self, batch: Batch, now_ns: int) -> None:
        window = self.settings().off_peak
        opens_ns = now_ns if window is None else next_off_peak_ns(window, now_ns)
        if opens_ns > now_ns:
            raise self._later(batch, (opens_ns - now_ns) / 1e9)

    def _later(self, batch: Batch, wait_s: float) -> TryLater:
        """Hold the lines of the same model, but not beyond the end of the batch."""
        left_s = (batch.expires_ns - self.clock.now_ns()) / 1e9
        return TryLater(max(0.0, min(wait_s, left_s)), holds_lane=True)

    def _try_again(self, item: WorkItem, wait_s: float | None) -> None:
        """Raises: TryLater while the line has tries left."""
        if item.attempt < MAX_TRIES:
            chosen_s = back_off_s(item.attempt, self.chance()) if wait_s is None else wait_s
            raise TryLater(chosen_s, is_failure=True)

    async def _batch(self, item: WorkItem) -> Batch:
        batch_id = _batch_id(item.job)
        found = self._known.get(batch_id)
        if found is None:
            found = await in_thread(self.store.batch, batch_id)
            if found is None:
                raise NotFound(f"there is no batch {batch_id!r}")
            if len(self._known) >= _MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[batch_id] = found  # what a line needs of it never changes
        return found


def _caller(batch: Batch, line: Line) -> CallFor:
    return CallFor(
        Principal(
            batch.project_id,
            batch.key_id,
            batch.key_name,
            batch.allowed_models,
            environment=batch.environment,
        ),
        "batch",
        idempotency_key=f"{batch.batch_id}-{line.number}",
        facts={"batch_id": batch.batch_id, "batch_custom_id": line.custom_id},
    )


def _line_of(item: WorkItem) -> Line:
    payload = item.payload
    offset, size_bytes = cast("int", payload["offset"]), cast("int", payload["size"])
    return Line(int(item.key), str(payload["id"]), "", item.lane, offset, size_bytes)


def _batch_id(job: WorkJob) -> BatchId:
    return BatchId(str(job.facts["batch_id"]))


def _fail(line: Line, code: str, message: str) -> Finished:
    return _finished(unanswered(line.number, line.custom_id, code, message))


def _finished(result: LineResult) -> Finished:
    return Finished({}, result)
