"""Gets access tokens for Vertex AI by google-auth: a service account's, or what Google's defaults find.

Knows no dialect, and no address but those that google-auth knows.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType
from typing import Protocol

from sternpost.base.errors import CredentialsUnavailable
from sternpost.base.threads import CALLS
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_EARLY_S = 300.0  # a token that ends within this time is renewed before it is used
_UNKNOWN_LIFE_S = 600.0
_PATIENCE_S = 30.0  # how long a call waits for a token


class _Credentials(Protocol):
    """What is used of `google.auth.credentials.Credentials`, which has no types of its own."""

    token: str | None
    expiry: datetime | None  # in UTC, but without saying so

    def refresh(self, request: object) -> None: ...


@dataclass(frozen=True, slots=True)
class _Google:
    """The modules of google-auth, an optional extra."""

    auth: ModuleType
    exceptions: ModuleType
    transport: ModuleType
    accounts: ModuleType


@dataclass(frozen=True, slots=True)
class _Token:
    headers: Mapping[str, str]
    ends_at: float  # seconds since 1970


class VertexSigner:
    """Implements `contracts.upstream.Signer`. Tokens are fetched in a thread, one fetch at a time."""

    def __init__(self, provider: Provider, now: Callable[[], float] = time.time) -> None:
        self._name = provider.name
        self._file = provider.options.get("credentials_file", "")
        self._now = now
        self._credentials: _Credentials | None = None
        self._token = _Token({}, 0.0)
        self._lock = asyncio.Lock()

    async def sign(self, request: UpstreamRequest) -> Mapping[str, str]:
        """Return the token, and the project that pays where the credentials name one."""
        if self._is_stale():
            await self._refresh(self._token)
        return self._token.headers

    async def renew(self) -> bool:
        """Fetch a new token after a refusal; False when it can't be had."""
        try:
            await self._refresh(self._token)
        except CredentialsUnavailable:
            return False
        return True

    def _is_stale(self) -> bool:
        return self._now() > self._token.ends_at - _EARLY_S

    async def _refresh(self, old: _Token) -> None:
        """Fetch a token; whoever waited for another's fetch takes what that brought."""
        try:
            async with asyncio.timeout(_PATIENCE_S), self._lock:
                if self._token is old:
                    self._token = await CALLS.run(self._fetch)
        except TimeoutError as error:
            raise self._unavailable("Google's token server did not answer in time") from error

    def _fetch(self) -> _Token:
        """Fetch a token; blocks. Raises: CredentialsUnavailable."""
        google = self._library()
        try:
            credentials = self._credentials or self._load(google)
            credentials.refresh(google.transport.Request())
        except google.exceptions.GoogleAuthError as error:
            raise self._unavailable(_words(error)) from error
        except (OSError, ValueError) as error:  # a file that is not there, or is no service account's
            raise self._unavailable(f"{self._file or 'its credentials'} can't be read") from error
        self._credentials = credentials
        expiry = credentials.expiry
        ends_at = expiry.replace(tzinfo=UTC).timestamp() if expiry else self._now() + _UNKNOWN_LIFE_S
        headers = {"authorization": f"Bearer {credentials.token}"}
        if project := getattr(credentials, "quota_project_id", None):  # of a person's credentials
            headers["x-goog-user-project"] = str(project)
        return _Token(headers, ends_at)

    def _library(self) -> _Google:
        try:
            return _Google(
                import_module("google.auth"),
                import_module("google.auth.exceptions"),
                import_module("google.auth.transport.requests"),
                import_module("google.oauth2.service_account"),
            )
        except ImportError as error:
            raise CredentialsUnavailable(
                f"the provider {self._name!r} needs Google's library for credentials;"
                " install it with: pip install 'sternpost[vertex]'"
            ) from error

    def _load(self, google: _Google) -> _Credentials:
        if self._file:
            return google.accounts.Credentials.from_service_account_file(self._file, scopes=_SCOPES)
        return google.auth.default(scopes=_SCOPES)[0]

    def _unavailable(self, reason: str) -> CredentialsUnavailable:
        return CredentialsUnavailable(
            f"the provider {self._name!r} has no access to Google Cloud: {reason}; set `credentials_file`"
            " in sternpost.yaml or GOOGLE_APPLICATION_CREDENTIALS to a service account's file,"
            " or run `gcloud auth application-default login`"
        )


def _words(error: Exception) -> str:
    """Return Google's own words without what follows them: the answer of a server, with addresses."""
    words = str(error.args[0]) if error.args else ""
    return words.partition("\n")[0].partition("(")[0].strip().rstrip(".")[:200] or type(error).__name__
