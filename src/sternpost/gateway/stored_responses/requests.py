"""Responses that a provider stores: read, cancelled and deleted there by id; no model is called.

What is asked here costs nothing, so it is authenticated and passed on, but neither limited nor recorded.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from sternpost.base.errors import MethodRefused, NotFound, UpstreamRefused
from sternpost.base.ids import new_span_id
from sternpost.capabilities.access.rules import refuse_without
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest
from sternpost.dialects.registry import CODECS
from sternpost.gateway.exchange import Headers, OutboundReply
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import authenticate
from sternpost.gateway.stages.replies import STREAM_HEADERS, header_value
from sternpost.gateway.stages.route import headers_for, url_at
from sternpost.gateway.stored_responses.stream import StoredStream

PREFIX: Final = "/v1/responses/"
_PATH = re.compile(re.escape(PREFIX) + r"([\w-]{1,200})(/input_items|/cancel)?")
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("GET", "DELETE"),
    "/input_items": ("GET",),
    "/cancel": ("POST",),
}
_TIMEOUT_S = 60.0
_STREAM_S = 3600.0  # models may think for long in the background
_CODEC = CODECS["openai_responses"]


async def pass_on(
    method: str, path: str, query: str, headers: Mapping[str, str], services: GatewayServices
) -> OutboundReply:
    """Ask the provider that made the reply.

    Raises: NotFound for an id that no recorded call made, or that another project made, MethodRefused,
    KeyRefused, PermissionRefused for a reply that another key asked for, UpstreamError.
    """
    principal = authenticate.check(headers, services)
    found = _PATH.fullmatch(path)
    if found is None:
        raise NotFound(f"there is no {path!r} here; see the documentation for what Sternpost serves")
    reply_id, part = found[1], found[2] or ""
    if method not in _METHODS[part]:
        raise MethodRefused(f"{method} is not allowed on {path!r}")
    is_stream = method == "GET" and not part and parse_qs(query).get("stream", ["false"])[0] == "true"
    provider = await _maker(reply_id, principal, services)
    base = url_at(provider, "", _CODEC.upstream_path("", is_stream=False))
    request = UpstreamRequest(
        method=method,
        url=f"{base}/{reply_id}{part}" + (f"?{query}" if query else ""),
        headers=headers_for(provider, _CODEC),
        body=b"",
        connect_s=5.0,
        total_s=_STREAM_S if is_stream else _TIMEOUT_S,
    )
    answer = await _ask(request, provider, services, is_stream=is_stream)
    if method == "DELETE":
        services.origins.forget(reply_id)
    return answer


async def _maker(reply_id: str, principal: Principal, services: GatewayServices) -> Provider:
    origin = await services.origins.find(reply_id, principal.project_id)
    is_own = origin is not None and origin.project == principal.project_id
    provider = (
        services.traffic().catalog.providers.get(origin.provider) if origin is not None and is_own else None
    )
    if origin is not None and is_own and origin.key_id != principal.key_id:
        refuse_without(KeyScope.FILES, principal)
    if provider is None:
        raise NotFound(
            "this response is not known here; Sternpost knows those of recorded calls, to the project that"
            " asked for them"
        )
    return provider


def allowed(path: str) -> bytes:
    """Return the methods of a path that was found."""
    found = _PATH.fullmatch(path)
    return ", ".join(_METHODS[(found[2] if found else None) or ""]).encode()


async def _ask(
    request: UpstreamRequest, provider: Provider, services: GatewayServices, *, is_stream: bool
) -> OutboundReply:
    reply = await services.clients.get(provider.name, services.client).send(request)
    target = (b"x-sternpost-target", header_value(provider.name))
    if is_stream and reply.status == 200:
        body_of_events = StoredStream(reply, provider.quirks, f"req_{new_span_id()}")
        return OutboundReply(200, [*STREAM_HEADERS, target], body_of_events)
    try:
        body = await reply.read(services.max_reply_bytes)
    finally:
        reply.close()
    if not 200 <= reply.status < 300:
        failure = _CODEC.read_failure(reply.status, reply.headers, body, services.clock.now_ns() / 1e9)
        raise UpstreamRefused(
            failure.message,
            http_status=failure.status if failure.status >= 400 else 502,
            wire_code=failure.code,
            error_type=failure.error_type,
            param=failure.param,
            retry_after_s=failure.retry_after_s,
        )
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        target,
    ]
    return OutboundReply(reply.status, headers, body)
