"""Signs requests to Amazon Bedrock with the account's AWS credentials; sends nothing itself.

The extra `bedrock` brings botocore, whose own chain finds the credentials: a profile, the environment, shared
files, SSO, roles, the machine's metadata. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/
reference_sigv-create-signed-request.html
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from sternpost.base.errors import BadRequest, CredentialsUnavailable
from sternpost.base.threads import CALLS
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest

_SERVICE: Final = "bedrock"
_SIGNED: Final = frozenset({"content-type"})  # and the host; a proxy on the way may change the others
_SIGNED_PREFIXES: Final = ("x-amz-", "x-amzn-")
_RENEWAL_S: Final = 60.0  # a refusal for lack of rights comes with every call, and no renewal mends it


class SigV4Signer:
    """Implements `contracts.upstream.Signer`. botocore refreshes what expires ten minutes or more ahead."""

    def __init__(self, provider: Provider, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._name = provider.name
        self._region = provider.options.get("region", "")
        self._profile = provider.options.get("profile")
        self._monotonic = monotonic
        self._found: Any = None  # botocore's Credentials, which has no types
        self._lock = asyncio.Lock()
        self._may_renew_at = 0.0

    async def sign(self, request: UpstreamRequest) -> Mapping[str, str]:
        """Sign method, address, body and the few headers nobody changes on the way.

        Raises: CredentialsUnavailable; BadRequest for a body that has not arrived yet.
        """
        if request.upload is not None:
            raise BadRequest(
                f"the provider {self._name!r} wants every byte signed, so a large body that is no JSON can't"
                " pass; send it with `content-type: application/json`"
            )
        if not self._region:
            raise CredentialsUnavailable(
                f"the provider {self._name!r} has no region to sign for; write `region` in sternpost.yaml"
            )
        return _signed(request, await self._credentials(), self._region)

    async def renew(self) -> bool:
        """Look for other credentials, at most once a minute; False when there are none."""
        async with self._lock:
            if self._found is None or self._monotonic() < self._may_renew_at:
                return False
            self._may_renew_at = self._monotonic() + _RENEWAL_S
            before = self._found
            try:
                self._found = await CALLS.run(self._find)
            except CredentialsUnavailable:
                return False
            return await CALLS.run(self._is_other, before)

    async def _credentials(self) -> Any:
        """Return what can sign now; only looking for it and refreshing it leave the event loop."""
        found = self._found
        if found is not None and not _is_due(found):
            return found.get_frozen_credentials()
        async with self._lock:
            if self._found is None:
                self._found = await CALLS.run(self._find)
            return await CALLS.run(self._freeze, self._found)

    def _find(self) -> Any:
        found = self._asking(lambda: _botocore(self._name).Session(profile=self._profile).get_credentials())
        if found is None:
            raise CredentialsUnavailable(
                f"no AWS credentials were found for the provider {self._name!r}; set AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY, name a `profile`, or set AWS_BEARER_TOKEN_BEDROCK"
            )
        return found

    def _freeze(self, found: Any) -> Any:
        return self._asking(found.get_frozen_credentials)

    def _is_other(self, before: Any) -> bool:
        return self._freeze(self._found) != self._freeze(before)

    def _asking(self, question: Callable[[], Any]) -> Any:
        """Ask botocore. A failure is told by its kind only: its words may quote files and accounts."""
        try:
            return question()
        except CredentialsUnavailable:
            raise
        except Exception as error:  # botocore's plug-ins raise anything
            raise CredentialsUnavailable(
                f"the AWS credentials of the provider {self._name!r} can't be had"
                f" ({error.__class__.__name__}); check with: aws sts get-caller-identity"
            ) from error


def _botocore(name: str) -> Any:
    """Return botocore's sessions. Raises: CredentialsUnavailable without the extra."""
    try:
        import botocore.session as sessions  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise CredentialsUnavailable(
            f"the provider {name!r} needs botocore to sign requests; install it with:"
            " pip install 'sternpost[bedrock]'"
        ) from error
    return sessions


def _is_due(found: Any) -> bool:
    refresh_needed: Callable[[], bool] | None = getattr(found, "refresh_needed", None)
    return refresh_needed is not None and refresh_needed()


def _signed(request: UpstreamRequest, credentials: Any, region: str) -> Mapping[str, str]:
    from botocore.auth import SigV4Auth  # noqa: PLC0415  # found before, or there were no credentials
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    headers = {name: value for name, value in request.headers.items() if _is_signed(name)}
    wire: Any = AWSRequest(method=request.method, url=request.url, data=request.body, headers=headers)
    signing: Any = SigV4Auth(credentials, _SERVICE, region)
    signing.add_auth(wire)
    return {name.lower(): value for name, value in wire.headers.items() if name.lower() not in headers}


def _is_signed(name: str) -> bool:
    return name in _SIGNED or name.startswith(_SIGNED_PREFIXES)
