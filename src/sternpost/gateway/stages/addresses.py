"""Hides where a provider is reached from what its callers read; public links stay."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from sternpost.contracts.message import Json
from sternpost.contracts.provider import Provider

_HIDDEN = "[link]"


def hide_address(text: str, provider: Provider) -> str:
    """Hide the host that the configuration names, and links to it."""
    pattern = _pattern(provider.base_url)
    return text if pattern is None else pattern.sub(_HIDDEN, text)


def hide_addresses(values: Mapping[str, Json], provider: Provider) -> dict[str, Json]:
    """Hide the host in the other fields of an error."""
    return {name: _hidden(value, provider) for name, value in values.items()}


def _hidden(value: Json, provider: Provider) -> Json:
    if isinstance(value, str):
        return hide_address(value, provider)
    if isinstance(value, Mapping):
        return hide_addresses(value, provider)
    return [_hidden(item, provider) for item in value] if isinstance(value, list) else value


@lru_cache(maxsize=256)
def _pattern(base_url: str) -> re.Pattern[str] | None:
    host = urlsplit(base_url).hostname
    if not host:
        return None
    link = rf"(?:\w+://)?(?<![\w.-]){re.escape(host)}(?![\w-])(?::\d+)?(?:/[^\s\"'<>)]*)?"
    return re.compile(link, re.IGNORECASE)
