"""What is required of browsers: their cookie's name, the origin of their requests, how often they try."""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from sternpost.base.errors import PermissionRefused, RateLimited

_COOKIE: Final = "sternpost_session"
_OWN_SITES: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Site:
    """How browsers reach this server. port: what it listens on itself."""

    public_url: str = ""
    port: int = 0

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name the session's cookie.

        `__Host-` binds it to this host over https (RFC 6265bis, section 4.1.3). Cookies know no ports: over
        plain http the name keeps two servers of one host apart.
        """
        return host_cookie() if self.is_https else port_cookie(self.port)

    def refuse_foreign(self, headers: Mapping[str, str]) -> None:
        """Refuse a change that a page of another site or port asks a browser for. Raises: PermissionRefused.

        Clients that are no browsers send neither header.
        """
        site = headers.get("sec-fetch-site", "")
        if site in _OWN_SITES:
            return
        origin = headers.get("origin", "")
        own = {headers.get("host", ""), urlsplit(self.public_url).netloc}
        if site or (origin and urlsplit(origin).netloc not in own - {""}):
            raise PermissionRefused(
                "this change was requested by a page of another site; only Sternpost's own pages may do that"
            )

    def sender(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the address that sends a request: the peer's, or what a trusted proxy says of it.

        The proxy's word is the last of `X-Forwarded-For`; anyone may have written what comes before it.
        """
        said = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return said if said and self.public_url and _is_near(peer) else peer


def host_cookie() -> str:
    """Name the cookie over https."""
    return f"__Host-{_COOKIE}"


def port_cookie(port: int) -> str:
    """Name the cookie over plain http."""
    return f"{_COOKIE}_{port}" if port else _COOKIE


@dataclass(slots=True)
class SignInAttempts:
    """Counts failed sign-ins per address: `most` within `window_s`, for at most `addresses` addresses."""

    most: int = 10
    window_s: float = 300.0
    addresses: int = 10_000
    _failed: OrderedDict[str, list[float]] = field(default_factory=OrderedDict[str, list[float]])

    def check(self, address: str, now_s: float) -> None:
        """Raises: RateLimited for an address that failed too often."""
        failed = [at_s for at_s in self._failed.get(_network(address), ()) if now_s - at_s < self.window_s]
        if len(failed) >= self.most:
            wait_s = self.window_s - (now_s - failed[0])
            raise RateLimited(
                f"{self.most} sign-ins failed from this address; try again in {math.ceil(wait_s)} s",
                retry_after_s=wait_s,
            )

    def failed(self, address: str, now_s: float) -> None:
        """Count a failure; the address that failed longest ago is forgotten when there are too many."""
        network = _network(address)
        kept = self._failed.pop(network, [])[-self.most + 1 :]
        self._failed[network] = [*kept, now_s]
        while len(self._failed) > self.addresses:
            self._failed.popitem(last=False)


def _network(address: str) -> str:
    """Return what one subscriber has: an IPv4 address, or 64 bits of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _is_near(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_private  # loopback, too
    except ValueError:
        return False
