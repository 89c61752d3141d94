"""The upstream protocol over aiohttp: pooled connections, one retry of a stale one; no retries of answers.

What was sent as a key never comes back: it is redacted in headers and bodies of every answer.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from typing import NoReturn
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from sternpost.base.collection import clear_traceback
from sternpost.base.errors import BodyTooLarge, UpstreamError, UpstreamTimedOut, UpstreamUnreachable
from sternpost.base.redaction import Redactor, Secrets, secrets_sent
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest

_MAX_CACHED = 512
_READ_BUFFER_BYTES = 2**17
_MAX_HEADER_BYTES = 32_768


class _Flight:
    """Whether the connection of one request had carried another before, and whether it went out twice."""

    __slots__ = ("is_repeated", "is_reused")

    def __init__(self) -> None:
        self.is_reused = False
        self.is_repeated = False


_FLIGHT: ContextVar[_Flight] = ContextVar("flight")


class _Connector(aiohttp.TCPConnector):
    """Notes reuse: only a connection that idled can have been closed before the request reached it."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # aiohttp's own annotation
            limit=limit, keepalive_timeout=30.0, ttl_dns_cache=30
        )
        self._used: WeakSet[object] = WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        if protocol in self._used:
            _FLIGHT.get().is_reused = True
        elif protocol is not None:
            self._used.add(protocol)
        return connection


class AiohttpClient:
    """One connection pool for all providers; made lazily so that it belongs to the serving loop."""

    def __init__(self, *, pool_size: int = 2000, uses_proxy_environment: bool = False) -> None:
        self._pool_size = pool_size
        self._uses_proxy_environment = uses_proxy_environment
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}
        self._timeouts: dict[tuple[float, float], aiohttp.ClientTimeout] = {}

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        flight = _Flight()
        token = _FLIGHT.set(flight)
        try:
            return _Reply(await self._send(request, flight), secrets_sent(request.headers))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            _raise(error, is_sent=flight.is_repeated)
        finally:
            _FLIGHT.reset(token)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, request: UpstreamRequest, flight: _Flight) -> aiohttp.ClientResponse:
        try:
            return await self._send_once(request)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # The race of RFC 9112 section 9.3.1: the host closed an idle connection as the request left.
            is_stale = flight.is_reused and not isinstance(error, aiohttp.ClientConnectorError)
            if request.upload is not None or not is_stale:
                raise
            flight.is_repeated = True
            return await self._send_once(request)

    async def _send_once(self, request: UpstreamRequest) -> aiohttp.ClientResponse:
        session = self._session or self._open()
        return await session.request(
            request.method,
            URL(request.url, encoded=True) if request.is_url_exact else self._url(request.url),
            data=request.upload or request.body or None,
            headers=request.headers,
            timeout=self._timeout(request.connect_s, request.total_s),
            allow_redirects=False,
        )

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=self._pool_size),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._uses_proxy_environment,
            read_bufsize=_READ_BUFFER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
        )
        return self._session

    def _url(self, text: str) -> URL:
        url = self._urls.get(text)
        if url is None:
            if len(self._urls) >= _MAX_CACHED:
                self._urls.clear()
            url = self._urls[text] = URL(text)
        return url

    def _timeout(self, connect_s: float, total_s: float) -> aiohttp.ClientTimeout:
        key = (connect_s, total_s)
        timeout = self._timeouts.get(key)
        if timeout is None:
            if len(self._timeouts) >= _MAX_CACHED:
                self._timeouts.clear()
            timeout = self._timeouts[key] = aiohttp.ClientTimeout(total=total_s, connect=connect_s)
        return timeout


class _Reply:
    __slots__ = ("_headers", "_response", "_secrets", "status")

    def __init__(self, response: aiohttp.ClientResponse, secrets: Secrets) -> None:
        self._response = response
        self._secrets = secrets
        self._headers: dict[str, str] | None = None
        self.status = response.status

    @property
    def headers(self) -> Mapping[str, str]:
        if self._headers is None:
            named = {name.lower(): value for name, value in self._response.headers.items()}
            self._headers = self._secrets.redact_headers(named)
        return self._headers

    async def read(self, max_bytes: int) -> bytes:
        content = self._response.content
        blocks: list[bytes] = []
        size_bytes = 0
        try:
            while block := await content.readany():
                size_bytes += len(block)
                if size_bytes > max_bytes:
                    self.close()
                    raise BodyTooLarge(f"the provider's answer is longer than {max_bytes} bytes")
                blocks.append(block)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.close()
            _raise(error)
        return self._secrets.redact(blocks[0] if len(blocks) == 1 else b"".join(blocks))

    def chunks(self) -> AsyncIterator[bytes]:
        return _Chunks(self._response, self._secrets)

    def close(self) -> None:
        self._response.close()


class _Chunks:
    """Not a generator: a wait for a chunk may be cancelled and repeated without losing bytes."""

    __slots__ = ("_content", "_only_secret", "_redactor", "_response")

    def __init__(self, response: aiohttp.ClientResponse, secrets: Secrets) -> None:
        self._response = response
        self._content = response.content
        self._redactor = Redactor(secrets) if secrets else None
        self._only_secret = secrets.only

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                block = await self._content.readany()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._response.close()
                _raise(error)
            if shown := self._shown(block):
                return shown
            if not block:
                raise StopAsyncIteration

    def _shown(self, block: bytes) -> bytes:
        """Return what may be shown after this block; the empty one is the end."""
        redactor, secret = self._redactor, self._only_secret
        if redactor is None:
            return block
        # Nearly every chunk: whole frames without the key.
        if secret is not None and not redactor.is_holding and block[-1:] == b"\n" and block.find(secret) < 0:
            return block
        return redactor.feed(block) if block else redactor.finish()


def _raise(error: Exception, *, is_sent: bool = True) -> NoReturn:
    """Map aiohttp's errors; messages name no URL, because callers read them.

    is_sent: whether the request had gone out before the failure, if that is one of connecting.
    """
    clear_traceback(error)  # aiohttp's reader keeps it
    if words := _not_connected(error):
        raise UpstreamUnreachable(words, is_sent=is_sent) from error
    raise _mapped(error) from error


def _not_connected(error: Exception) -> str:
    """Say why no connection was made; "" when there was one, over which something may have been sent."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connecting to the provider took too long"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "the TLS handshake with the provider failed; check its certificate"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the provider's host name could not be resolved; check its base_url"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno  # asyncio's own words name the address
        reason = os.strerror(number).lower() if number else error.os_error.__class__.__name__
        return f"could not connect to the provider: {reason}"
    if isinstance(error, aiohttp.InvalidURL):
        return "the provider's base_url is not a valid URL; correct it in sternpost.yaml"
    return ""


def _mapped(error: Exception) -> UpstreamError:
    if isinstance(error, TimeoutError):
        return UpstreamTimedOut("the provider did not finish its answer in time")
    if isinstance(error, ValueError):  # aiohttp refuses to write what is no valid address or header
        return UpstreamUnreachable(
            "the request to the provider can't be written; check its key, headers and base_url"
        )
    return UpstreamUnreachable("the connection to the provider broke before its answer was complete")
