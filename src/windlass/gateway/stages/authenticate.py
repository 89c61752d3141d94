"""Whose call it is; how keys are kept belongs to `capabilities/access`."""

from collections.abc import Mapping

from windlass.base.errors import KeyRefused
from windlass.contracts.call import Principal
from windlass.gateway.rig import Rig


def check(headers: Mapping[str, str], rig: Rig) -> Principal:
    """Return the owner of the presented key. Raises: KeyRefused."""
    presented = presented_key(headers)
    if not presented:
        raise KeyRefused("no API key was sent; send `Authorization: Bearer wl-...` or `x-api-key: wl-...`")
    return rig.check_key(presented)


def presented_key(headers: Mapping[str, str]) -> str:
    """Find the key where the OpenAI, Anthropic, Azure and Google SDKs put it; empty: there is none."""
    bearer = headers.get("authorization", "")
    if bearer[:7].lower() == "bearer ":
        return bearer[7:].strip()
    return headers.get("x-api-key") or headers.get("api-key") or headers.get("x-goog-api-key", "")
