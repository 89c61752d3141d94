"""The flow of an embeddings call: the stages of a chat, but never a different model than requested."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sternpost.base.errors import BadRequest, SternpostError
from sternpost.contracts.span import SpanStatus
from sternpost.dialects import vectors
from sternpost.dialects.openai_chat import embeddings
from sternpost.dialects.protocols import RequestHead, Vectors
from sternpost.dialects.registry import EMBEDDERS
from sternpost.gateway.exchange import InboundCall, OutboundReply
from sternpost.gateway.flows.run_call import answer_plan, begin, is_dry_run, run_call
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import admit, named_models, price, record, route
from sternpost.gateway.stages.attempt import Attempt, first_of
from sternpost.gateway.stages.failures import AttemptFailed, not_an_answer, unsupported, unusable
from sternpost.gateway.stages.post import post
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.stages.replies import answer_headers
from sternpost.gateway.state.traffic import Plan

_AT_ONCE: Final = 8


async def handle_embeddings(request: InboundCall, services: GatewayServices) -> OutboundReply:
    """Serve one embeddings call. Every error becomes a reply in OpenAI's shape, every outcome one record."""
    return await run_call(record.open_call(request, services), _embed)


async def _embed(call: OpenCall) -> OutboundReply:
    head = begin(call, embeddings.read_head)
    plan = route.plan_for(head.model, call.owner, call.services.traffic())
    plan = call.plan = comparable(plan, call.warnings)
    named_models.check(head.fields, call.owner, plan)
    admit.reserve(call, plan)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    done: dict[str, dict[int, Vectors]] = {}
    answer = await first_of(
        call,
        plan,
        lambda attempt, left_s: _attempt_once(
            attempt, head, plan, left_s, done.setdefault(attempt.planned.name, {})
        ),
    )
    return await _deliver(call, answer)


def comparable(plan: Plan, warnings: list[str]) -> Plan:
    """Leave the targets whose vectors can stand beside each other: those of the first target's model.

    Raises: BadRequest when the first target has no embeddings in a shape we know.
    """
    first = plan.targets[0]
    if first.provider.dialect not in EMBEDDERS:
        raise BadRequest(
            f"{first.name!r} cannot be used for embeddings through Sternpost;"
            f" name a model of a provider whose dialect is one of {', '.join(EMBEDDERS)}",
            param="model",
        )
    kept = [
        planned
        for planned in plan.targets
        if planned.target.model == first.target.model and planned.provider.dialect in EMBEDDERS
    ]
    if len(kept) == len(plan.targets):
        return plan
    warnings += [f"not_comparable:{planned.name}" for planned in plan.targets if planned not in kept]
    return replace(plan, targets=tuple(kept))


@dataclass(frozen=True, slots=True)
class _Answer:
    attempt: Attempt
    vectors: Vectors


async def _attempt_once(
    attempt: Attempt, head: RequestHead, plan: Plan, left_s: float, answers: dict[int, Vectors]
) -> _Answer:
    """Ask for the vectors in as many requests as it takes, but for those that an earlier attempt got."""
    planned = attempt.planned
    most_texts = EMBEDDERS[planned.provider.dialect].most_texts(planned.target.model, planned.provider.quirks)
    parts = vectors.split(head, most_texts)
    until_s = asyncio.get_running_loop().time() + left_s
    await _Asking(attempt, plan, until_s, parts, answers).run()
    return _Answer(attempt, vectors.join([answers[place] for place in range(len(parts))]))


@dataclass(slots=True)
class _Asking:
    """The requests of one attempt, several at once.

    After a failure no more begin; those on their way are waited for, so that none is paid for twice.
    """

    attempt: Attempt
    plan: Plan
    until_s: float  # the loop's clock
    parts: Sequence[RequestHead]
    answers: dict[int, Vectors]  # by place among the parts
    failures: list[SternpostError | AttemptFailed] = field(
        default_factory=list[SternpostError | AttemptFailed]
    )

    async def run(self) -> None:
        """Raises: the first failure."""
        missing = [place for place in range(len(self.parts)) if place not in self.answers]
        waiting = iter(missing)
        if len(missing) == 1:
            await self._work(waiting)
        else:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(missing))):
                    group.create_task(self._work(waiting))
        if self.failures:
            raise self.failures[0]

    async def _work(self, waiting: Iterator[int]) -> None:
        for place in waiting:
            if self.failures:
                return
            own = replace(self.attempt, http_status=0)
            try:
                self.answers[place] = await self._ask(own, self.parts[place])
            except (SternpostError, AttemptFailed) as error:
                self._note(own)
                self.failures.append(error)
            else:
                self._note(own)

    def _note(self, own: Attempt) -> None:
        """Keep on the record what the first failure came with, else the last answer."""
        if not self.failures:
            self.attempt.http_status = own.http_status
            self.attempt.upstream_request_id = own.upstream_request_id

    async def _ask(self, attempt: Attempt, part: RequestHead) -> Vectors:
        planned, call = attempt.planned, attempt.call
        embedder, quirks = EMBEDDERS[planned.provider.dialect], planned.provider.quirks
        try:
            written = embedder.write(part, planned.target.model, quirks)
        except BadRequest as error:
            raise unsupported(error) from error
        call.dropped = written.dropped
        path = embedder.path(planned.target.model, quirks)
        left_s = max(0.001, self.until_s - asyncio.get_running_loop().time())
        body = await post(attempt, path, written.body, plan=self.plan, left_s=left_s)
        try:
            answer = embedder.read(body, part, quirks)
        except BadRequest as error:
            is_same = planned.codec is call.codec
            raise not_an_answer(body, planned.provider, error.message, is_same_dialect=is_same) from error
        if len(self.parts) > 1 and answer.count != len(vectors.inputs_of(part)):
            raise unusable(planned.provider, "it holds a different number of vectors than requested.")
        call.is_billed = True
        return answer


async def _deliver(call: OpenCall, answer: _Answer) -> OutboundReply:
    """Price, record, then answer. The record counts the vectors and leaves them out."""
    attempt, vectors = answer.attempt, answer.vectors
    planned = attempt.planned
    attempt.close(SpanStatus.OK)
    cost = price.of(planned, vectors.summary, call.started_ns, call.services)
    call.notes["vector_count"] = str(vectors.count)
    if vectors.dimensions:
        call.notes["gen_ai.embeddings.dimension.count"] = str(vectors.dimensions)
    await call.finish(Outcome(SpanStatus.OK, 200, answered_by=planned, summary=vectors.summary, cost=cost))
    headers = answer_headers(call, planned.name, attempt.upstream_request_id, cost=cost, body=vectors.shown)
    return OutboundReply(200, headers, vectors.shown)
