"""The flow of a call to a provider's own paths: metered and recorded, bytes untouched, attempted once."""

import asyncio

from sternpost.base.errors import CredentialsUnavailable, UpstreamTimedOut, UpstreamUnreachable
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.dialects.protocols import RequestHead
from sternpost.gateway.exchange import InboundCall, OutboundReply, PassThroughRequest, too_large
from sternpost.gateway.flows.run_call import answer_plan, begin, is_dry_run, run_call
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import admit, authenticate, pass_through_request, record, route
from sternpost.gateway.stages.attempt import Attempt, request_id_of
from sternpost.gateway.stages.context import read_attributes
from sternpost.gateway.stages.failures import key_refused
from sternpost.gateway.stages.pass_through_body import PassThroughBody
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.stages.replies import passage_headers
from sternpost.gateway.state.traffic import Plan


async def handle_pass_through(
    request: InboundCall, asked: PassThroughRequest, services: GatewayServices
) -> OutboundReply:
    """Pass one request on. Errors of ours are in OpenAI's shape, the provider's come as they are."""
    return await run_call(record.open_call(request, services), lambda call: _pass_on(call, asked))


async def _pass_on(call: OpenCall, asked: PassThroughRequest) -> OutboundReply:
    begin_pass_through(call, asked, pass_through_request.needed_scope(asked.method, asked.path))
    model = pass_through_request.model_of(asked.path, asked.body)
    call.head = head_naming(model)
    plan = call.plan = route.to_provider(asked.provider, model, call.owner, call.services.traffic())
    admit.reserve(call, plan)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    attempt = Attempt(call, plan.targets[0], call.services.clock.now_ns())
    return answer(attempt, await _send(attempt, asked, plan), method=asked.method, plan=plan)


def begin_pass_through(call: OpenCall, asked: PassThroughRequest, needed: KeyScope) -> None:
    """Record what is asked for, then check who asks and how much. Raises: RequestError."""
    call.notes |= {"http.request.method": asked.method, "url.path": asked.path[:500]}
    call.attributes = read_attributes(call.request.headers, {}, "")  # on records of refusals, too

    def read_head(_: bytes) -> RequestHead:
        _check_size(call, asked)
        return head_naming("")

    begin(call, read_head, needed)


def head_naming(model: str) -> RequestHead:
    """Return a head that names the model as the caller does, on records of refusals too; "" for none."""
    return RequestHead(model, is_stream=False, wants_stream_usage=False, end_user="", metadata={}, fields={})


def answer(
    attempt: Attempt, reply: UpstreamReply, *, method: str, plan: Plan, is_kept: bool = False
) -> OutboundReply:
    """Pass an answer on; its body owns the record and the lease from now on. is_kept: in the trace."""
    headers = passage_headers(attempt.call, attempt.planned, attempt.upstream_request_id)
    headers += pass_through_request.returned_headers(reply.headers)
    body = PassThroughBody(attempt, reply, method=method, idle_s=plan.limits.idle_s, is_kept=is_kept)
    return OutboundReply(reply.status, headers, body)


def _check_size(call: OpenCall, asked: PassThroughRequest) -> None:
    length = call.request.headers.get("content-length", "")
    is_announced = length.isdecimal() and int(length) > call.services.max_body_bytes
    if is_announced or (asked.upload and asked.upload.is_too_large):
        raise too_large(call.services.max_body_bytes)


async def _send(attempt: Attempt, asked: PassThroughRequest, plan: Plan) -> UpstreamReply:
    """Send once: only the caller knows what a second attempt would repeat."""
    call, planned = attempt.call, attempt.planned
    client = call.services.clients.get(planned.provider.name, call.services.client)
    try:
        reply = await client.send(request_of(attempt, asked, plan))
    except (UpstreamUnreachable, UpstreamTimedOut, CredentialsUnavailable) as error:
        attempt.close(SpanStatus.ERROR, error_type=error.code, error=error.message, is_sent=error.is_sent)
        _check_size(call, asked)  # what broke may be our own end of the upload
        raise
    except asyncio.CancelledError:
        attempt.close(SpanStatus.CANCELLED)
        raise
    finally:
        sent_bytes = asked.upload.size_bytes if asked.upload else len(asked.body)
        call.notes["request_bytes"] = str(sent_bytes)
    attempt.http_status = reply.status
    attempt.upstream_request_id = request_id_of(reply.headers)
    if reply.status == 401:  # about the key of Sternpost, which its body may quote
        reply.close()
        refused = key_refused(planned.provider)
        attempt.close(SpanStatus.ERROR, error_type="auth", error=refused.message)
        raise refused
    return reply


def request_of(attempt: Attempt, asked: PassThroughRequest, plan: Plan) -> UpstreamRequest:
    """Write the request to a target. Raises: BadRequest for a path that would leave its address."""
    call, planned = attempt.call, attempt.planned
    headers = pass_through_request.provider_headers(call.request.headers, planned.headers)
    if asked.upload and "content-length" in call.request.headers:
        headers["content-length"] = call.request.headers["content-length"]
    presented = authenticate.presented_key(call.request.headers)
    query = pass_through_request.provider_query(asked.query, planned.provider, planned.codec)
    return UpstreamRequest(
        method=asked.method,
        url=pass_through_request.provider_url(
            pass_through_request.base_for(planned.provider, planned.codec, asked.path),
            asked.path,
            query,
            presented,
        ),
        headers=headers,
        body=asked.body,
        connect_s=plan.limits.connect_s,
        total_s=plan.limits.total_s,
        upload=asked.upload,
        is_url_exact=True,
    )
