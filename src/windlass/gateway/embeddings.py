"""The story of an embeddings call: the stages of a chat, and never another model than the one asked for."""

import asyncio
from dataclasses import dataclass, replace

from windlass.base.errors import BadRequest
from windlass.contracts.dialect import RequestHead, Vectors
from windlass.contracts.span import SpanStatus
from windlass.dialects import vectors
from windlass.dialects.openai_chat import embeddings
from windlass.dialects.registry import EMBEDDERS
from windlass.gateway.edge import answer_plan, is_dry_run, settle
from windlass.gateway.exchange import InboundCall, OutboundReply
from windlass.gateway.rig import Rig
from windlass.gateway.stages import admit, ask, attempt, authenticate, price, record, route
from windlass.gateway.stages.attempt import Attempt
from windlass.gateway.stages.failures import unsupported, unusable
from windlass.gateway.stages.post import post
from windlass.gateway.stages.record import OpenCall, Outcome
from windlass.gateway.stages.replies import answer_headers
from windlass.gateway.traffic import Plan


async def handle_embeddings(request: InboundCall, rig: Rig) -> OutboundReply:
    """Serve one embeddings call. Every error becomes a reply in OpenAI's shape, every outcome one record."""
    return await settle(record.open_call(request, rig), _embed)


async def _embed(call: OpenCall) -> OutboundReply:
    rig = call.rig
    call.principal = authenticate.check(call.request.headers, rig)
    head = ask.read_with(call, embeddings.read_head)
    plan = call.plan = comparable(route.choose(head.model, call.principal, rig.traffic()), call.warnings)
    call.lease = admit.reserve(call.principal, call.attributes.user_id, plan, rig)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    done: dict[str, list[Vectors]] = {}
    answer = await attempt.first_of(
        call,
        plan,
        lambda trial, left_s: _try(trial, head, plan, left_s, done.setdefault(trial.planned.name, [])),
    )
    return await _deliver(call, answer)


def comparable(plan: Plan, warnings: list[str]) -> Plan:
    """Leave the targets whose vectors can stand beside each other: those of the first target's model.

    Raises: BadRequest when the first target has no embeddings in a shape we know.
    """
    first = plan.targets[0]
    if first.provider.dialect not in EMBEDDERS:
        raise BadRequest(
            f"{first.name!r} has no embeddings that Windlass knows how to ask for;"
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
    trial: Attempt
    vectors: Vectors


async def _try(
    trial: Attempt, head: RequestHead, plan: Plan, left_s: float, answers: list[Vectors]
) -> _Answer:
    """Ask for the vectors in as many requests as it takes; go on behind those that an earlier try got."""
    planned = trial.planned
    embedder, quirks = EMBEDDERS[planned.provider.dialect], planned.provider.quirks
    clock = asyncio.get_running_loop().time
    until_s = clock() + left_s
    parts = vectors.split(head, embedder.most_texts(planned.target.model, quirks))
    for part in parts[len(answers) :]:  # one after the other: they share a rate limit
        try:
            written = embedder.write(part, planned.target.model, quirks)
        except BadRequest as error:
            raise unsupported(error) from error
        trial.call.dropped = written.dropped
        path = embedder.path(planned.target.model, quirks)
        left_s = max(0.001, until_s - clock())
        body = await post(trial, path, written.body, plan=plan, left_s=left_s)
        try:
            answers.append(embedder.read(body, part, quirks))
        except BadRequest as error:
            raise unusable(planned.provider, error.message) from error
        trial.call.is_billed = True
    return _Answer(trial, vectors.join(answers))


async def _deliver(call: OpenCall, answer: _Answer) -> OutboundReply:
    """Price, record, then answer. The record counts the vectors and leaves them out."""
    trial, vectors = answer.trial, answer.vectors
    planned = trial.planned
    trial.close(SpanStatus.OK)
    cost = price.of(planned, vectors.summary, call.started_ns, call.rig)
    call.facts["vector_count"] = str(vectors.count)
    if vectors.dimensions:
        call.facts["gen_ai.embeddings.dimension.count"] = str(vectors.dimensions)
    await call.finish(Outcome(SpanStatus.OK, 200, answered_by=planned, summary=vectors.summary, cost=cost))
    headers = answer_headers(call, planned.name, trial.upstream_request_id, cost=cost, body=vectors.shown)
    return OutboundReply(200, headers, vectors.shown)
