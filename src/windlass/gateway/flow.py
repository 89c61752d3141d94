"""The story of a call, one stage per line; each stage is told in `stages/`."""

import asyncio
import logging
from typing import cast

from windlass.base.errors import Stopping, WindlassError
from windlass.contracts.span import SpanStatus
from windlass.contracts.usage import Cost
from windlass.gateway.exchange import InboundCall, OutboundReply
from windlass.gateway.rig import Rig
from windlass.gateway.stages import admit, ask, attempt, authenticate, deliver, pin, price, record, route
from windlass.gateway.stages.record import OpenCall, Outcome
from windlass.gateway.stages.replies import error_reply, error_type_of, plan_reply
from windlass.gateway.traffic import Plan

_LOG = logging.getLogger(__name__)


async def handle_chat(request: InboundCall, rig: Rig) -> OutboundReply:
    """Serve one chat call, streamed or not. Every error becomes a reply in the caller's dialect.

    Every outcome of a call with a known key, failures included, writes exactly one call record, and
    writes it before the answer is final. Cancel the awaiting task when the caller leaves, or, with the
    request's `stop` set, when Windlass stops.
    """
    call = record.open_call(request, rig)
    try:
        call.principal = authenticate.check(request.headers, rig)
        head = ask.read(call)
        plan = route.choose(head.model, call.principal, rig.traffic(), spoken=request.dialect)
        plan = call.plan = pin.narrow(plan, head, call.codec, call.principal, rig)
        call.lease = admit.reserve(call.principal, call.attributes.user_id, plan, rig)
        if request.headers.get("x-windlass-dry-run", "0") not in {"0", "false", ""}:
            return await _answer_plan(call, plan)
        answer = await attempt.first_good(call, head, plan)  # time-outs, retries, fallback
        if isinstance(answer, attempt.WholeAnswer):
            return await deliver.whole(call, answer)
        return deliver.stream(call, answer, plan)  # its body now owns the record and the lease
    except WindlassError as error:
        return await _refuse(call, error)
    except asyncio.CancelledError:
        cost = price.of_unfinished(call.attempts)
        if request.stop.is_set:
            cast("asyncio.Task[object]", asyncio.current_task()).uncancel()
            return await _refuse(call, Stopping("Windlass is stopping; send the request again"), cost)
        call.abandon(Outcome(SpanStatus.CANCELLED, 499, cost=cost))
        raise
    except Exception:  # noqa: BLE001  # the edge of a request
        _LOG.exception("a call failed for a reason of ours (%s)", call.request_id)
        return await _refuse(call, WindlassError("Windlass failed on this call; see its log"))


async def _answer_plan(call: OpenCall, plan: Plan) -> OutboundReply:
    """Answer a dry run: what would have been called, after the same checks."""
    call.warnings.append("dry_run")
    await call.finish(Outcome(SpanStatus.OK, 200))
    return plan_reply(call, plan)


async def _refuse(call: OpenCall, error: WindlassError, cost: Cost | None = None) -> OutboundReply:
    reply = error_reply(call, error)
    await call.finish(
        Outcome(
            SpanStatus.ERROR, reply.status, cost=cost, error_type=error_type_of(error), error=error.message
        )
    )
    return reply
