"""What the caller asks for: the head of the body; the messages stay bytes unless a dialect must change."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from windlass.base.collection import collection_paused
from windlass.base.errors import BodyTooLarge
from windlass.contracts.dialect import RequestHead, WrittenRequest
from windlass.gateway.stages.context import read_attributes
from windlass.gateway.stages.record import OpenCall
from windlass.gateway.traffic import PlannedTarget

_LARGE_BYTES = 256_000  # about 10,000 objects, from where the collector makes itself felt


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
    if planned.codec is call.codec:
        quirks = planned.provider.quirks
        return call.codec.edit(head, model=planned.target.model, quirks=quirks, facts=planned.facts)
    if len(call.request.body) <= _LARGE_BYTES:
        return _translate(call, planned)
    with collection_paused():
        return _translate(call, planned)


def _translate(call: OpenCall, planned: PlannedTarget) -> WrittenRequest:
    if call.chat is None:
        call.chat = call.codec.read_request(call.request.body)
    chat = replace(call.chat, model=planned.target.model)
    return planned.codec.write_request(chat, quirks=planned.provider.quirks, facts=planned.facts)


def headers_for(call: OpenCall, planned: PlannedTarget) -> Mapping[str, str]:
    """Return the target's headers and those of the caller that may pass."""
    asked = call.request.headers
    passing = {name: asked[name] for name in planned.codec.forwarded_headers if name in asked}
    return {**planned.headers, **passing} if passing else planned.headers
