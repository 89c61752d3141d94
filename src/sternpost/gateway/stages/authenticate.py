"""Identifies the caller; how keys are stored belongs to `capabilities/access`."""

import re
from collections.abc import Mapping

from sternpost.base.errors import KeyRefused
from sternpost.capabilities.access.rules import refuse_without
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages.record import OpenCall

# AWS's SDKs send a Bearer token over TLS only; over plain HTTP the key stands where the id of theirs does.
_ACCESS_KEY = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/")


def enter(call: OpenCall, needed: KeyScope = KeyScope.CALLS) -> None:
    """Let a call in by its key; it is known whose it is when it is refused for a scope, so that is recorded.

    Raises: KeyRefused, PermissionRefused.
    """
    principal = call.principal = call.request.principal or _owner(call.request.headers, call.services)
    refuse_without(needed, principal)


def check(
    headers: Mapping[str, str], services: GatewayServices, needed: KeyScope = KeyScope.CALLS
) -> Principal:
    """Return the owner of the presented key, for what is no call. Raises: KeyRefused, PermissionRefused."""
    principal = _owner(headers, services)
    refuse_without(needed, principal)
    return principal


def _owner(headers: Mapping[str, str], services: GatewayServices) -> Principal:
    presented = presented_key(headers)
    if not presented:
        raise KeyRefused("no API key was sent; send `Authorization: Bearer sp-...` or `x-api-key: sp-...`")
    return services.check_key(presented)


def presented_key(headers: Mapping[str, str]) -> str:
    """Find the key where the OpenAI, Anthropic, Azure, Google and AWS SDKs put it; empty: there is none."""
    written = headers.get("authorization", "")
    if written[:7].lower() == "bearer ":
        return written[7:].strip()
    if found := _ACCESS_KEY.match(written):
        return found[1]
    return headers.get("x-api-key") or headers.get("api-key") or headers.get("x-goog-api-key", "")
