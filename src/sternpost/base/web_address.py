"""Checks addresses and texts that are sent to a host as they are written; not what they lead to."""

from urllib.parse import urlsplit

from sternpost.base.errors import ConfigurationError


def checked_address(name: str, base_url: str) -> str:
    """Return a provider's address as it is used. A refusal never repeats it: it may be a key by mistake.

    Raises: ConfigurationError.
    """
    place = f"providers.{name}.base_url"
    if not base_url.startswith(("http://", "https://", "offline://")):
        raise ConfigurationError(f"{place}: must begin with http:// or https://")
    try:
        parts = urlsplit(base_url)
        is_whole = bool(parts.hostname) and parts.port != 0 and is_plain(base_url)
    except ValueError:  # a port that is none, or half an IPv6 address
        is_whole = False
        parts = urlsplit("")
    if not is_whole:
        raise ConfigurationError(f"{place}: is not a URL; use one such as http://127.0.0.1:9000/v1")
    if parts.username is not None:
        raise ConfigurationError(
            f"{place}: must not hold a user or password, because addresses are shown; use `api_key`, "
            "or `headers` with `authorization`"
        )
    return base_url.rstrip("/")


def is_plain(text: str) -> bool:
    """Say whether a text is printable ASCII without spaces."""
    return text.isascii() and text.isprintable() and " " not in text
