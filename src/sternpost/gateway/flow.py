"""The story of a call, one stage per line; each stage is told in `stages/`."""

from sternpost.gateway.edge import answer_plan, is_dry_run, settle
from sternpost.gateway.exchange import InboundCall, OutboundReply
from sternpost.gateway.rig import Rig
from sternpost.gateway.stages import (
    admit,
    ask,
    attempt,
    authenticate,
    deliver,
    named_models,
    pin,
    record,
    route,
)
from sternpost.gateway.stages.record import OpenCall


async def handle_chat(request: InboundCall, rig: Rig) -> OutboundReply:
    """Serve one chat call, streamed or not. Every error becomes a reply in the caller's dialect.

    Every outcome of a call with a known key, failures included, writes exactly one call record, and
    writes it before the answer is final. Cancel the awaiting task when the caller leaves, or, with the
    request's `stop` set, when Sternpost stops.
    """
    return await settle(record.open_call(request, rig), _chat)


async def _chat(call: OpenCall) -> OutboundReply:
    rig = call.rig
    principal = authenticate.enter(call)
    head = ask.read(call)
    plan = route.choose(head.model, principal, rig.traffic(), spoken=call.request.dialect)
    named_models.check(head.fields, principal, plan)
    plan = call.plan = await pin.narrow(plan, head, call.codec, principal, rig)  # kept ids have one home
    call.lease = admit.reserve(principal, call.attributes.user_id, plan, rig)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    answer = await attempt.first_good(call, head, plan)  # time-outs, retries, fallback
    if isinstance(answer, attempt.WholeAnswer):
        return await deliver.whole(call, answer)
    return deliver.stream(call, answer, plan)  # its body now owns the record and the lease
