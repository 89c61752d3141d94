"""The flow of a chat call, one stage per line; the stages are in `stages/`."""

from sternpost.gateway.exchange import InboundCall, OutboundReply
from sternpost.gateway.flows.run_call import answer_plan, begin, is_dry_run, run_call
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import admit, attempt, deliver, named_models, record, route
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.stages.restrict_to_origin import restrict_to_origin


async def handle_chat(request: InboundCall, services: GatewayServices) -> OutboundReply:
    """Serve one chat call, streamed or not. Every error becomes a reply in the caller's dialect.

    Every outcome of a call with a known key, failures included, writes exactly one call record, and
    writes it before the answer is final. Cancel the awaiting task when the caller leaves, or, with the
    request's `stop` set, when Sternpost stops.
    """
    return await run_call(record.open_call(request, services), _chat)


async def _chat(call: OpenCall) -> OutboundReply:
    head = begin(call, call.codec.read_head)  # whose call it is; the messages stay bytes
    plan = route.plan_for(head.model, call.owner, call.services.traffic(), spoken=call.request.dialect)
    named_models.check(head.fields, call.owner, plan)
    plan = call.plan = await restrict_to_origin(call, head, plan)  # a stored id has one home
    admit.reserve(call, plan)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    answer = await attempt.first_good(call, head, plan)  # time-outs, retries, fallback
    if isinstance(answer, attempt.WholeAnswer):
        return await deliver.whole(call, answer)
    return deliver.stream(call, answer, plan)  # its body now owns the record and the lease
