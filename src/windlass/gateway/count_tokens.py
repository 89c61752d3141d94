"""The story of a token count: the provider counts where it can, else an estimate that says what it is."""

from dataclasses import dataclass, replace

import msgspec

from windlass.base.errors import BadRequest
from windlass.base.money import NanoUsd
from windlass.base.threads import in_thread
from windlass.contracts.span import SpanStatus
from windlass.contracts.usage import Cost, CostStatus
from windlass.dialects.anthropic import count_tokens
from windlass.dialects.bedrock import count_tokens as bedrock_count
from windlass.dialects.gemini import count_tokens as gemini_count
from windlass.dialects.protocols import RequestHead
from windlass.gateway.edge import answer_plan, is_dry_run, settle
from windlass.gateway.exchange import InboundCall, OutboundReply
from windlass.gateway.rig import Rig
from windlass.gateway.stages import admit, ask, attempt, authenticate, record, route
from windlass.gateway.stages.attempt import Attempt
from windlass.gateway.stages.failures import TryFailed, unusable
from windlass.gateway.stages.post import post
from windlass.gateway.stages.record import OpenCall, Outcome
from windlass.gateway.stages.replies import answer_headers
from windlass.gateway.traffic import Plan

_FREE = Cost(CostStatus.FREE, NanoUsd(0))
_UNCOUNTED = frozenset({"bad_request", "permission", "not_found"})
_INLINE_BYTES = 20_000  # some 2 ms of estimating; above it the event loop is kept free


async def handle_count_tokens(request: InboundCall, rig: Rig) -> OutboundReply:
    """Serve one count. Every error becomes a reply in Anthropic's shape, every outcome one record."""
    return await settle(record.open_call(request, rig), _count)


async def _count(call: OpenCall) -> OutboundReply:
    rig = call.rig
    call.principal = authenticate.check(call.request.headers, rig)
    head = ask.read_with(call, count_tokens.read_head)
    plan = call.plan = route.choose(head.model, call.principal, rig.traffic())
    call.lease = admit.reserve(call.principal, call.attributes.user_id, plan, rig)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    answer = await attempt.first_of(call, plan, lambda trial, left_s: _try(trial, head, plan, left_s))
    return await _deliver(call, answer)


@dataclass(frozen=True, slots=True)
class _Answer:
    trial: Attempt
    body: bytes
    tokens: int
    is_estimated: bool = False


async def _try(trial: Attempt, head: RequestHead, plan: Plan, left_s: float) -> _Answer:
    call, planned = trial.call, trial.planned
    if planned.codec.name == "gemini":
        return await _count_at_gemini(trial, plan, left_s)
    if planned.provider.dialect == "bedrock":
        return await _try_bedrock(trial, plan, left_s)
    if planned.provider.dialect != "anthropic":
        tokens = await _estimate(call.request.body)
        return _Answer(trial, msgspec.json.encode({"input_tokens": tokens}), tokens, is_estimated=True)
    quirks = planned.provider.quirks
    written = count_tokens.edit(head, model=planned.target.model, quirks=quirks, facts=planned.facts)
    call.dropped = written.dropped
    body = await post(trial, count_tokens.path_of(quirks), written.body, plan=plan, left_s=left_s)
    try:
        return _Answer(trial, body, count_tokens.read_count(body))
    except BadRequest as error:
        raise unusable(planned.provider, error.message) from error


async def _count_at_gemini(trial: Attempt, plan: Plan, left_s: float) -> _Answer:
    call, planned = trial.call, trial.planned
    chat = replace(call.codec.read_request(call.request.body), model=planned.target.model)
    written = gemini_count.write(chat, quirks=planned.provider.quirks, facts=planned.facts)
    path = gemini_count.path(planned.target.model)
    body = await post(trial, path, written, plan=plan, left_s=left_s)
    try:
        tokens = gemini_count.read(body)
    except BadRequest as error:
        raise unusable(planned.provider, error.message) from error
    return _Answer(trial, msgspec.json.encode({"input_tokens": tokens}), tokens)


async def _try_bedrock(trial: Attempt, plan: Plan, left_s: float) -> _Answer:
    """Ask Bedrock, which counts for some models and with a right of its own; else estimate."""
    call, planned = trial.call, trial.planned
    model = planned.provider.deployments.get(planned.target.model, planned.target.model)
    request = replace(call.codec.read_request(call.request.body), model=model)
    asked = bedrock_count.write(request, planned.facts)
    try:
        body = await post(trial, bedrock_count.path(model), asked, plan=plan, left_s=left_s)
        tokens, is_estimated = bedrock_count.read(body), False
    except TryFailed as failed:
        if failed.kind not in _UNCOUNTED:
            raise
        tokens, is_estimated = await _estimate(call.request.body), True
    except BadRequest as error:
        raise unusable(planned.provider, error.message) from error
    return _Answer(trial, msgspec.json.encode({"input_tokens": tokens}), tokens, is_estimated=is_estimated)


async def _estimate(body: bytes) -> int:
    if len(body) > _INLINE_BYTES:
        return await in_thread(count_tokens.estimate, body)
    return count_tokens.estimate(body)


async def _deliver(call: OpenCall, answer: _Answer) -> OutboundReply:
    """Record, then answer; nobody charges for a count."""
    trial = answer.trial
    call.facts["counted_tokens"] = str(answer.tokens)
    if answer.is_estimated:
        call.warnings.append("estimated")
    else:
        trial.close(SpanStatus.OK)
    await call.finish(Outcome(SpanStatus.OK, 200, answered_by=trial.planned, cost=_FREE))
    name = trial.planned.name
    headers = answer_headers(call, name, trial.upstream_request_id, cost=_FREE, body=answer.body)
    if answer.is_estimated:
        headers.append((b"x-windlass-estimated", b"1"))
    return OutboundReply(200, headers, answer.body)
