"""The flow of a token count: the provider counts where it can, else an estimate that is marked as one."""

from dataclasses import dataclass, replace

from sternpost.base.errors import BadRequest, UpstreamRefused
from sternpost.base.money import NanoUsd
from sternpost.base.threads import CALLS
from sternpost.contracts.call import Dialect
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import Cost, CostStatus
from sternpost.dialects.protocols import Codec, RequestHead, TokenCounter, WrittenRequest
from sternpost.dialects.registry import CALLERS_COUNTERS, COUNTERS
from sternpost.dialects.usage.token_estimate import estimate
from sternpost.gateway.exchange import InboundCall, OutboundReply
from sternpost.gateway.flows.run_call import answer_plan, begin, is_dry_run, run_call
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import admit, named_models, record, route
from sternpost.gateway.stages.attempt import Attempt, first_of
from sternpost.gateway.stages.failures import AttemptFailed, not_an_answer, unsupported
from sternpost.gateway.stages.post import post
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.stages.replies import answer_headers
from sternpost.gateway.stages.restrict_to_origin import restrict_to_origin
from sternpost.gateway.state.traffic import Plan, PlannedTarget

_FREE = Cost(CostStatus.FREE, NanoUsd(0))
_OF_OPENAI: Dialect = "openai_responses"
_NO_SUCH_MODEL = "model_not_found"
_INLINE_BYTES = 20_000  # some 2 ms of estimating; above it the event loop is kept free


async def handle_count_tokens(request: InboundCall, services: GatewayServices) -> OutboundReply:
    """Serve one count. Every error becomes a reply in the caller's dialect, every outcome one record."""
    return await run_call(record.open_call(request, services), _count)


async def _count(call: OpenCall) -> OutboundReply:
    dialect = call.request.dialect
    head = begin(call, CALLERS_COUNTERS[dialect].read_head)
    # A host that speaks Anthropic's dialect beside its own need not count in it.
    spoken = dialect if dialect == _OF_OPENAI else None
    plan = route.plan_for(head.model, call.owner, call.services.traffic(), spoken=spoken)
    named_models.check(head.fields, call.owner, plan)
    plan = call.plan = await restrict_to_origin(call, head, plan)
    admit.reserve(call, plan)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    answer = await first_of(call, plan, lambda attempt, left_s: _attempt_once(attempt, head, plan, left_s))
    return await _deliver(call, answer)


@dataclass(frozen=True, slots=True)
class _Answer:
    attempt: Attempt
    body: bytes
    tokens: int
    is_estimated: bool = False


async def _attempt_once(attempt: Attempt, head: RequestHead, plan: Plan, left_s: float) -> _Answer:
    planned = attempt.planned
    counter = _counter_of(planned)
    if counter is None:
        return await _estimated(attempt)
    model = _counted_model(counter, planned)
    written = _write(counter, attempt, head, model)
    attempt.call.dropped = written.dropped
    path = counter.path(model, planned.provider.quirks)
    body = b""
    try:
        body = await post(attempt, path, written.body, plan=plan, left_s=left_s)
        tokens = counter.read(body)
    except AttemptFailed as failed:
        if failed.kind not in counter.uncounted or _is_model_unknown(failed):
            raise
        attempt.fail(failed)
        return await _estimated(attempt)
    except BadRequest as error:
        is_same = planned.codec is attempt.call.codec
        raise not_an_answer(body, planned.provider, error.message, is_same_dialect=is_same) from error
    shown = body if planned.codec is attempt.call.codec else _show(attempt, tokens)
    return _Answer(attempt, shown, tokens)


def _counter_of(planned: PlannedTarget) -> TokenCounter | None:
    """Choose how the provider is asked: OpenAI counts in its Responses API alone."""
    found = COUNTERS.get(planned.codec.name)
    elsewhere = planned.codec.traits.counts_elsewhere
    if found is None and elsewhere in planned.provider.also_speaks:
        return COUNTERS[elsewhere]
    return found


def _counted_model(counter: TokenCounter, planned: PlannedTarget) -> str:
    model = planned.target.model
    return planned.provider.deployments.get(model, model) if counter.counts_by_base_model else model


def _write(counter: TokenCounter, attempt: Attempt, head: RequestHead, model: str) -> WrittenRequest:
    call, planned = attempt.call, attempt.planned
    quirks, facts = planned.provider.quirks, planned.facts
    if planned.codec is call.codec:
        return CALLERS_COUNTERS[call.codec.name].edit(head, model=model, quirks=quirks, facts=facts)
    chat = replace(call.codec.read_request(call.request.body), model=model)
    try:
        return counter.write(chat, quirks=quirks, facts=facts)
    except BadRequest as error:
        raise unsupported(error) from error


def _is_model_unknown(failed: AttemptFailed) -> bool:
    return isinstance(failed.error, UpstreamRefused) and failed.error.wire_code == _NO_SUCH_MODEL


async def _estimated(attempt: Attempt) -> _Answer:
    call = attempt.call
    if len(call.request.body) > _INLINE_BYTES:
        tokens = await CALLS.run(_estimate, call.codec, call.request.body)
    else:
        tokens = _estimate(call.codec, call.request.body)
    return _Answer(attempt, _show(attempt, tokens), tokens, is_estimated=True)


def _estimate(codec: Codec, body: bytes) -> int:
    return estimate(codec.read_request(body))


def _show(attempt: Attempt, tokens: int) -> bytes:
    return CALLERS_COUNTERS[attempt.call.codec.name].show(tokens)


async def _deliver(call: OpenCall, answer: _Answer) -> OutboundReply:
    """Record, then answer; nobody charges for a count."""
    attempt = answer.attempt
    call.notes["counted_tokens"] = str(answer.tokens)
    if answer.is_estimated:
        call.warnings.append("estimated")
    else:
        attempt.close(SpanStatus.OK)
    await call.finish(Outcome(SpanStatus.OK, 200, answered_by=attempt.planned, cost=_FREE))
    name = attempt.planned.name
    headers = answer_headers(call, name, attempt.upstream_request_id, cost=_FREE, body=answer.body)
    if answer.is_estimated:
        headers.append((b"x-sternpost-estimated", b"1"))
    return OutboundReply(200, headers, answer.body)
