"""Reads the body of a call: checks the key, then reads up to the limit and decodes; does not stream it on."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeAlias, cast

from sternpost.base import json_size
from sternpost.base.content_coding import decode
from sternpost.base.errors import RequestError
from sternpost.base.threads import in_thread
from sternpost.contracts.call import Principal
from sternpost.gateway.exchange import too_large
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import authenticate

_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_ENCODING = "content-encoding"
_OF_PACKED = frozenset({_ENCODING, "content-length"})


class InboundBody(NamedTuple):
    """A body, and the headers that describe it as it is now; or why there is none."""

    headers: Mapping[str, str]
    body: bytes = b""
    fault: RequestError | None = None
    principal: Principal | None = None  # whose key it is, where that was asked


async def read(
    headers: Mapping[str, str], receive: _Receive, services: GatewayServices, *, is_json: bool = True
) -> InboundBody | None:
    """Read a body; None when its sender left.

    The key must be known; what it may do, the story judges. What is refused is left unread: the server reads
    it on and drops it, so that its sender sees the answer.
    is_json: whether it is read as JSON, whose size is counted in values, too.
    """
    try:
        principal = services.check_key(authenticate.presented_key(headers))
        body = await _whole(headers, receive, services.max_body_bytes)
        if body is None:
            return None
        if _ENCODING in headers:
            body = await in_thread(decode, body, headers[_ENCODING], services.max_body_bytes)
            headers = {name: value for name, value in headers.items() if name not in _OF_PACKED}
        if is_json and not json_size.is_surely_small(body, json_size.CALL):
            await in_thread(json_size.check, body, json_size.CALL)
    except RequestError as error:
        return InboundBody(headers, fault=error)
    return InboundBody(headers, body, principal=principal)


async def _whole(headers: Mapping[str, str], receive: _Receive, max_bytes: int) -> bytes | None:
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large(max_bytes)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body = cast("bytes", message.get("body", b""))
        if len(body) > max_bytes:
            raise too_large(max_bytes)
        return body
    blocks = bytearray()
    while message["type"] == "http.request":
        blocks += cast("bytes", message.get("body", b""))
        if len(blocks) > max_bytes:
            raise too_large(max_bytes)
        if not message.get("more_body", False):
            return bytes(blocks)
        message = await receive()
    return None
