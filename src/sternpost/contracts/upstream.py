"""How bytes reach a model provider; which provider and which bytes belong to `providers` and `dialects`."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    connect_s: float
    total_s: float
    upload: AsyncIterator[bytes] | None = None  # a body that is still arriving, instead of `body`
    is_url_exact: bool = False  # the URL's escapes go on as they are, neither added nor resolved


class UpstreamReply(Protocol):
    """An open reply; `status` and `headers` (names in lower case) are known, the body is still arriving."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    async def read(self, max_bytes: int) -> bytes:
        """Read the whole body. Raises: UpstreamUnreachable, UpstreamTimedOut, BodyTooLarge."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the body as it arrives, each chunk once.

        Cancelling a wait for a chunk loses nothing: the next wait continues where it stopped.
        Raises: UpstreamUnreachable when the connection breaks, UpstreamTimedOut.
        """
        ...

    def close(self) -> None:
        """Drop the connection at once unless the body was read to its end; never waits."""
        ...


class UpstreamClient(Protocol):
    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        """Send and wait for the status line.

        Retries once by itself when a kept-alive connection breaks before any byte of the answer, unless
        the body is an upload: what was read of it is gone.
        Raises: UpstreamUnreachable, UpstreamTimedOut.
        """
        ...

    async def close(self) -> None: ...


class Signer(Protocol):
    """Proves to one provider who sends, where a key in a header is not enough."""

    async def sign(self, request: UpstreamRequest) -> Mapping[str, str]:
        """Return the headers that prove it, over exactly this method, URL, headers and body.

        Raises: CredentialsUnavailable.
        """
        ...

    async def renew(self) -> bool:
        """Get new credentials after a refusal; False when that would change nothing."""
        ...
