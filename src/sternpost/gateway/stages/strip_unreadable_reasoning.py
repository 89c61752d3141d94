"""The request without the reasoning its target could not read or the fields it refused; sends nothing."""

from dataclasses import replace
from typing import Final

from sternpost.base.errors import SternpostError, UpstreamRefused
from sternpost.dialects.errors import refused_fields
from sternpost.dialects.openai_responses import resealed
from sternpost.dialects.protocols import RequestHead
from sternpost.dialects.thinking import unread_thinking
from sternpost.gateway.stages.failures import AttemptFailed
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.stages.request import betas_in
from sternpost.gateway.state.traffic import PlannedTarget

SEALED: Final = resealed.DROPPED


def without_refused(
    failed: AttemptFailed, call: OpenCall, planned: PlannedTarget, head: RequestHead
) -> RequestHead | None:
    """Return what to ask instead of what was refused; None when nothing of it can be left out."""
    without = without_unread(failed.error, call, planned, head)
    if without is not None or failed.kind != "bad_request" or not isinstance(failed.error, UpstreamRefused):
        return without
    error = failed.error
    named = refused_fields.named_in(error.message, error.wire_code, error.param)
    if not named:
        return None
    has_beta = any(omission.beta for omission in named) and bool(betas_in(call))
    if has_beta or refused_fields.without(call.sent_body, named) is not None:
        return replace(head, omitted=named)
    return None


def without_unread(
    error: SternpostError, call: OpenCall, planned: PlannedTarget, head: RequestHead
) -> RequestHead | None:
    """Return what to ask instead; None when something else was refused, or nothing can be left out."""
    if not isinstance(error, UpstreamRefused):
        return None
    is_same_dialect = planned.codec is call.codec
    if is_same_dialect and resealed.is_refused(error.wire_code, error.message):
        return resealed.without_sealed(head)
    if not planned.codec.traits.signs_reasoning or not unread_thinking.is_refused(error.message):
        return None
    has_thoughts = (
        unread_thinking.THOUGHT.search(head.fields["messages"]) is not None
        if is_same_dialect
        else call.chat is not None and unread_thinking.has_thoughts(call.chat)
    )
    return replace(head, is_thoughtless=True) if has_thoughts else None
