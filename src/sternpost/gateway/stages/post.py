"""One whole request and response of an attempt that is not a chat; not what the bytes mean."""

from sternpost.base.errors import BodyTooLarge
from sternpost.contracts.upstream import UpstreamRequest
from sternpost.gateway.stages import route
from sternpost.gateway.stages.attempt import Attempt, send
from sternpost.gateway.stages.failures import unusable
from sternpost.gateway.stages.request import headers_for
from sternpost.gateway.state.traffic import Plan


async def post(attempt: Attempt, path: str, body: bytes, *, plan: Plan, left_s: float) -> bytes:
    """Send a body to the target and read its answer to the end.

    path: follows the provider's base URL. Raises: AttemptFailed, UpstreamUnreachable, UpstreamTimedOut.
    """
    call, planned = attempt.call, attempt.planned
    url = route.url_at(planned.provider, planned.target.model, path)
    request = UpstreamRequest(
        method="POST",
        url=url,
        headers=headers_for(call, planned),
        body=body,
        connect_s=plan.limits.connect_s,
        total_s=min(plan.limits.total_s, left_s),
        is_url_exact="%" in url,  # escapes are part of what is signed
    )
    reply = await send(attempt, request)
    try:
        return await reply.read(call.services.max_reply_bytes)
    except BodyTooLarge as error:
        raise unusable(planned.provider, error.message) from error
    finally:
        reply.close()
