"""What the caller asks for: the head of the body; the messages stay bytes unless a dialect must change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from windlass.base.errors import BodyTooLarge
from windlass.contracts.call import Dialect
from windlass.contracts.dialect import RequestHead, WrittenRequest
from windlass.gateway.stages.context import read_attributes
from windlass.gateway.stages.record import OpenCall
from windlass.gateway.traffic import PlannedTarget

_SIGNS_CALLS: Final[Dialect] = "gemini"


def read(call: OpenCall) -> RequestHead:
    """Parse the top level of the body, once. Raises: BadRequest, BodyTooLarge."""
    return read_with(call, call.codec.read_head)


def read_with(call: OpenCall, read_head: Callable[[bytes], RequestHead]) -> RequestHead:
    """Parse the top level of a body that is no chat's. Raises: BadRequest, BodyTooLarge."""
    request = call.request
    if request.is_too_large:
        raise BodyTooLarge(
            f"the request is longer than {call.rig.max_body_bytes} bytes;"
            " send less or raise WINDLASS_MAX_BODY_BYTES"
        )
    head = call.head = read_head(request.body)
    call.attributes = read_attributes(request.headers, head.metadata, head.end_user)
    return head


def write(call: OpenCall, head: RequestHead, planned: PlannedTarget) -> WrittenRequest:
    """Write the body for a target: an edit of the caller's bytes, or a translation.

    Raises: BadRequest for what the target's dialect can't carry.
    """
    quirks = planned.provider.quirks
    if planned.codec is call.codec:
        return call.codec.edit(head, model=planned.target.model, quirks=quirks, facts=planned.facts)
    if call.chat is None:
        call.chat = replace(call.codec.read_request(call.request.body), betas=_betas(call))
    chat = replace(call.chat, model=planned.target.model)
    if planned.codec.name == _SIGNS_CALLS and call.principal is not None:
        project_id = call.principal.project_id
        chat = replace(chat, messages=call.rig.signatures.restore(project_id, chat.messages))
    return planned.codec.write_request(chat, quirks=quirks, facts=planned.facts)


def _betas(call: OpenCall) -> tuple[str, ...]:
    """Return the betas of an Anthropic caller, which another dialect may have to write elsewhere."""
    asked = call.request.headers.get("anthropic-beta", "") if call.codec.name == "anthropic" else ""
    return tuple(dict.fromkeys(beta for word in asked.split(",") if (beta := word.strip())))


def headers_for(call: OpenCall, planned: PlannedTarget) -> Mapping[str, str]:
    """Return the target's headers and those of the caller that may pass."""
    asked = call.request.headers
    passing = {name: asked[name] for name in planned.codec.forwarded_headers if name in asked}
    return {**planned.headers, **passing} if passing else planned.headers
