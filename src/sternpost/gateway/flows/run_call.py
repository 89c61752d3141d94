"""Begins, runs and settles every kind of call: whatever happens, it is answered and recorded once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from sternpost.base.collection import clear_traceback
from sternpost.base.errors import SternpostError, Stopping
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span import SpanStatus
from sternpost.dialects.protocols import RequestHead
from sternpost.gateway.exchange import OutboundReply
from sternpost.gateway.stages import authenticate, price
from sternpost.gateway.stages.context import read_attributes
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.stages.replies import error_reply, error_type_of, plan_reply
from sternpost.gateway.state.traffic import Plan

_LOG = logging.getLogger(__name__)


async def run_call(call: OpenCall, story: Callable[[OpenCall], Awaitable[OutboundReply]]) -> OutboundReply:
    """Run a flow; an error becomes a reply in the caller's dialect and the end of its record."""
    try:
        return await story(call)
    except SternpostError as error:
        clear_traceback(error)
        return await _refuse(call, error)
    except asyncio.CancelledError:
        cut = call.cut or Outcome(SpanStatus.CANCELLED, 499, cost=price.of_unanswered(call, "cancelled"))
        if call.request.stop.is_set:
            cast("asyncio.Task[object]", asyncio.current_task()).uncancel()
            return await _refuse(call, Stopping("Sternpost is stopping; send the request again"), cut)
        call.abandon(cut)
        raise
    except Exception:  # noqa: BLE001  # the edge of a request
        _LOG.exception("a call failed because of an internal error (%s)", call.request_id)
        return await _refuse(
            call, SternpostError("Sternpost hit an internal error on this call; see its log")
        )


def begin(
    call: OpenCall, read_head: Callable[[bytes], RequestHead], needed: KeyScope = KeyScope.CALLS
) -> RequestHead:
    """Let a call in by its key, then read the top level of its body, once.

    Raises: KeyRefused, PermissionRefused, RequestError for a body that can't be read or was not.
    """
    authenticate.enter(call, needed)
    request = call.request
    if request.fault is not None:
        raise request.fault
    head = call.head = read_head(request.body)
    call.attributes = read_attributes(request.headers, head.metadata, head.end_user)
    return head


def is_dry_run(call: OpenCall) -> bool:
    """Whether the caller only asks what would be called."""
    return call.request.headers.get("x-sternpost-dry-run", "0") not in {"0", "false", ""}


async def answer_plan(call: OpenCall, plan: Plan) -> OutboundReply:
    """Answer a dry run: what would have been called, after the same checks."""
    call.warnings.append("dry_run")
    await call.finish(Outcome(SpanStatus.OK, 200, cost=price.NOT_SENT))
    return plan_reply(call, plan)


async def _refuse(call: OpenCall, error: SternpostError, cut: Outcome | None = None) -> OutboundReply:
    reply = error_reply(call, error)
    known = cut or Outcome(SpanStatus.ERROR, 0, cost=price.of_unanswered(call, "no_answer"))
    await call.finish(
        replace(
            known,
            status=SpanStatus.ERROR,
            http_status=reply.status,
            error_type=error_type_of(error),
            error=error.message,
        )
    )
    return reply
