"""Hands an answer to the caller and settles the call; not how bytes get onto the socket."""

from sternpost.contracts.span import SpanStatus
from sternpost.gateway.exchange import OutboundReply
from sternpost.gateway.stages import price
from sternpost.gateway.stages.attempt import OpenAnswer, WholeAnswer
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.stages.replies import answer_headers
from sternpost.gateway.stages.stream import CallStream
from sternpost.gateway.state.traffic import Plan


async def whole(call: OpenCall, answer: WholeAnswer) -> OutboundReply:
    """Price, record, then answer."""
    planned, attempt = answer.attempt.planned, answer.attempt
    attempt.close(SpanStatus.OK)
    cost = price.of(planned, answer.summary, call.started_ns, call.services)
    kept_bytes = call.services.kept_bytes
    await call.finish(
        Outcome(
            status=SpanStatus.OK,
            http_status=200,
            answered_by=planned,
            summary=answer.summary,
            cost=cost,
            reply_body=answer.body[:kept_bytes],
            is_reply_cut=len(answer.body) > kept_bytes,
        )
    )
    headers = answer_headers(call, planned.name, attempt.upstream_request_id, cost=cost, body=answer.shown)
    return OutboundReply(200, headers, answer.shown)


def stream(call: OpenCall, answer: OpenAnswer, plan: Plan) -> OutboundReply:
    """Hand the call over to the body of its reply."""
    attempt = answer.attempt
    headers = answer_headers(call, attempt.planned.name, attempt.upstream_request_id)
    return OutboundReply(200, headers, CallStream(call, answer, plan.limits.idle_s))
