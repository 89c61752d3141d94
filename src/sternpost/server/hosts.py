"""Which names callers may use for this server; a page whose name was turned to 127.0.0.1 uses its own."""

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from sternpost.base.errors import HostRefused
from sternpost.base.settings import Settings

_MOST_SEEN: Final = 1000


class Hosts:
    """Judges the `Host` of requests.

    On loopback it must be a name of loopback, the public URL's or one of `STERNPOST_ALLOWED_HOSTS`; on other
    addresses any name goes, unless that setting names some. The port is not looked at: it may be forwarded.
    """

    def __init__(self, settings: Settings) -> None:
        allowed = {name.strip().lower() for name in settings.allowed_hosts.split(",") if name.strip()}
        self._is_open = "*" in allowed or not (allowed or _is_loopback(settings.host))
        public = urlsplit(settings.public_url).hostname or ""
        self._names = allowed | ({public.lower()} if public else set[str]())
        self._seen: set[bytes] = set()

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises: HostRefused. A request without `Host` is no browser's."""
        if self._is_open:
            return
        for name, value in headers:
            if name == b"host":
                if value not in self._seen:
                    self._judge(value)
                return

    def _judge(self, value: bytes) -> None:
        host = _name_in(value.decode("latin-1"))
        if not (host in self._names or _is_loopback(host)):
            raise HostRefused(
                f"this server is not called {host[:100]!r}; use localhost or 127.0.0.1, or add the name to"
                " STERNPOST_ALLOWED_HOSTS"
            )
        if len(self._seen) < _MOST_SEEN:
            self._seen.add(value)


def _name_in(value: str) -> str:
    """Return the host of `host:port` in small letters, without a port or the brackets of IPv6."""
    bare = value.strip().lower()
    if bare.startswith("["):
        return bare[1:].partition("]")[0]
    return bare.rpartition(":")[0] if bare.rpartition(":")[2].isdecimal() and ":" in bare else bare


def _is_loopback(host: str) -> bool:
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # resolvers never ask others for it (RFC 6761)
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
