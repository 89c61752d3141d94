"""Signs requests to Azure OpenAI with a Microsoft Entra token; keys in a header are not its business."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import CredentialsUnavailable
from sternpost.base.threads import CALLS
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest

_LOG = logging.getLogger(__name__)
_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
# Source: https://learn.microsoft.com/azure/ai-services/openai/azure-government and the same for 21Vianet.
_SCOPE_BY_ENDING: Final = {
    ".azure.us": "https://cognitiveservices.azure.us/.default",
    ".azure.cn": "https://cognitiveservices.azure.cn/.default",
}
_EARLY_S = 300.0  # tokens live 60 to 90 minutes; a new one is asked for while the old one still serves
_RENEW_AGE_S = 60.0  # a token younger than this was refused for what it may do, not for its age
_TIMEOUT_S = 30.0
_QUIET_S = 10.0  # after a failure, so that every call does not start another chain of look-ups


class Token(Protocol):
    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int:
        """Seconds since 1970."""
        ...


class TokenSource(Protocol):
    """What every credential of azure-identity is."""

    def get_token(self, *scopes: str) -> Token: ...


@dataclass(frozen=True, slots=True)
class _Held:
    text: str
    expires_s: float
    taken_s: float


class EntraSigner:
    """Implements `contracts.upstream.Signer`. One token at a time is fetched, in a thread, whoever waits."""

    def __init__(
        self, name: str, scope: str, open_source: Callable[[], TokenSource], clock: Clock | None = None
    ) -> None:
        self._name = name
        self._scope = scope
        self._open_source = open_source
        self._clock = clock or SystemClock()
        self._source: TokenSource | None = None
        self._held: _Held | None = None
        self._fetching: asyncio.Task[_Held] | None = None
        self._failure: CredentialsUnavailable | None = None
        self._quiet_until_s = 0.0

    async def sign(self, request: UpstreamRequest) -> dict[str, str]:
        """Return the bearer header. Raises: CredentialsUnavailable."""
        held, now_s = self._held, self._now_s()
        if held is None or now_s >= held.expires_s:
            held = await self._fetched(now_s)
        elif now_s >= held.expires_s - _EARLY_S and now_s >= self._quiet_until_s:
            self._fetch()  # the old one serves meanwhile
        return {"authorization": f"Bearer {held.text}"}

    async def renew(self) -> bool:
        """Drop a token that was refused, unless it is so young that its age can't be why."""
        held = self._held
        if held is None or self._now_s() - held.taken_s < _RENEW_AGE_S:
            return False
        self._held = None
        return True

    async def _fetched(self, now_s: float) -> _Held:
        if self._failure is not None and now_s < self._quiet_until_s:
            raise self._failure
        task = self._fetch()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await asyncio.shield(task)  # a caller who leaves must not fail those who wait
        except TimeoutError as error:
            raise CredentialsUnavailable(
                f"no Entra token for the provider {self._name!r} within {_TIMEOUT_S:.0f} s; "
                "check that Sternpost reaches login.microsoftonline.com or its managed identity"
            ) from error

    def _fetch(self) -> "asyncio.Task[_Held]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.get_running_loop().create_task(self._take())
            self._fetching.add_done_callback(_observed)
        return self._fetching

    async def _take(self) -> _Held:
        try:
            token = await CALLS.run(self._ask)
        except Exception as error:
            self._quiet_until_s = self._now_s() + _QUIET_S
            self._failure = self._explained(error)
            _LOG.warning("%s (%s)", self._failure.message, error.__class__.__name__)
            raise self._failure from error
        self._failure = None
        self._held = _Held(token.token, float(token.expires_on), self._now_s())
        return self._held

    def _ask(self) -> Token:
        if self._source is None:
            self._source = self._open_source()
        return self._source.get_token(self._scope)

    def _explained(self, error: Exception) -> CredentialsUnavailable:
        """Say what to do. The library's own words name tenants and clients, so they stay out."""
        if isinstance(error, CredentialsUnavailable):
            return error
        return CredentialsUnavailable(
            f"no Microsoft Entra credential gave a token for the provider {self._name!r}; run `az login`, or"
            " set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or use a managed identity with"
            " the role Cognitive Services OpenAI User, or give the provider an `api_key`"
        )

    def _now_s(self) -> float:
        return self._clock.now_ns() / 1e9


def entra_signer(provider: Provider) -> EntraSigner:
    """Make the signer of one provider; credentials are looked for at its first request."""
    host = urlsplit(provider.base_url).hostname or ""
    scope = next((scope for end, scope in _SCOPE_BY_ENDING.items() if host.endswith(end)), _SCOPE)
    return EntraSigner(provider.name, scope, lambda: _default_source(provider.name))


def _default_source(name: str) -> TokenSource:
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise CredentialsUnavailable(
            f"the provider {name!r} has no key, and Entra tokens need azure-identity; install it with "
            "`pip install 'sternpost[azure]'`, or give the provider an `api_key`"
        ) from error
    return DefaultAzureCredential()


def _observed(task: "asyncio.Task[_Held]") -> None:
    """Take note of a failure nobody waited for; it was logged where it happened."""
    if not task.cancelled():
        task.exception()
