"""Failed attempts: the cause of each and what the caller reads; not what is tried next."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from sternpost.base.errors import (
    BadRequest,
    CredentialsUnavailable,
    SternpostError,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from sternpost.contracts.call import FallbackCause
from sternpost.contracts.chat import StreamFault
from sternpost.contracts.provider import SIGNED, Provider
from sternpost.dialects.errors.failures import fault_in, kind_of, wait_of
from sternpost.dialects.protocols import FailureKind, UpstreamFailure
from sternpost.gateway.stages.addresses import hide_address, hide_addresses

CAUSES: Mapping[FailureKind, FallbackCause | None] = {
    "bad_request": None,
    "unsupported": "unsupported",
    "too_large": None,
    "context_too_long": "context_too_long",
    "policy": "policy",
    "auth": "down",  # our key at that provider; another provider may serve the caller
    "quota": "rate_limited",
    "permission": "down",
    "not_found": "not_found",
    "rate_limited": "rate_limited",
    "timeout": "timeout",
    "overloaded": "down",
    "server": "down",
}
_CODE_OF_KIND: Mapping[FailureKind, str] = {  # what OpenAI's callers look for; other dialects send no code
    "context_too_long": "context_length_exceeded",
    "policy": "content_filter",
    "quota": "insufficient_quota",
    "rate_limited": "rate_limit_exceeded",
}
_COUNTED = re.compile(rb'"usage|"eval_count"')  # an answer that names what it costs


# Of a thing that is not there, at a path that is.
_ABOUT_A_THING: Final = re.compile(
    r"model|deployment|response|conversation|item|file|batch|profile|resource|container", re.IGNORECASE
)
_RETRYABLE = frozenset[FailureKind]({"rate_limited", "overloaded", "timeout", "server"})


class AttemptFailed(Exception):
    """One attempt at one target failed; `error` is what the caller reads if no other attempt succeeds."""

    def __init__(
        self,
        kind: FailureKind,
        error: SternpostError,
        *,
        is_retryable: bool,
        retry_after_s: float | None = None,
        is_unreachable: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.kind: FailureKind = kind
        self.error = error
        self.is_retryable = is_retryable
        self.retry_after_s = retry_after_s
        self.is_unreachable = is_unreachable

    @property
    def is_sent(self) -> bool:
        """Whether anything may have reached the provider."""
        if self.kind == "unsupported":
            return False
        return self.error.is_sent if isinstance(self.error, UpstreamError) else True

    @property
    def error_type(self) -> str:
        is_told = isinstance(self.error, UpstreamRefused) or self.kind == "unsupported"
        return self.kind if is_told else self.error.code


def from_error(
    error: AttemptFailed | UpstreamUnreachable | UpstreamTimedOut | CredentialsUnavailable,
    *,
    is_answered: bool,
) -> AttemptFailed:
    if isinstance(error, AttemptFailed):
        return error
    if isinstance(error, CredentialsUnavailable):
        return AttemptFailed("auth", error, is_retryable=False)
    if isinstance(error, UpstreamTimedOut):
        return AttemptFailed("timeout", error, is_retryable=True)
    return AttemptFailed("server", error, is_retryable=True, is_unreachable=not is_answered)


def with_place(failed: AttemptFailed, url: str, model: str) -> AttemptFailed:
    """Say of a path that a host does not have where it was asked: the address in the file may be wrong."""
    error = failed.error
    if not isinstance(error, UpstreamRefused) or error.http_status not in (404, 405):
        return failed
    if model in error.message or _ABOUT_A_THING.search(error.message):
        return failed
    parts = urlsplit(url)
    place = f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
    error.message = f"{error.message.rstrip('. ')} (asked at {place}; check the provider's base_url)"
    return failed


def from_answer(failure: UpstreamFailure, provider: Provider, *, is_same_dialect: bool) -> AttemptFailed:
    """Pass an error answer on, unless it is about our own key: that is no fault of the caller."""
    if failure.kind == "auth":
        error = key_refused(provider)
    else:
        error = UpstreamRefused(
            hide_address(failure.message, provider),
            http_status=failure.status if failure.status >= 400 else 502,
            wire_code=failure.code or ("" if is_same_dialect else _CODE_OF_KIND.get(failure.kind, "")),
            error_type=failure.error_type if is_same_dialect else "",
            param=failure.param,
            retry_after_s=failure.retry_after_s,
            details=hide_addresses(failure.details, provider) if is_same_dialect else None,
        )
    return AttemptFailed(
        failure.kind, error, is_retryable=failure.is_retryable, retry_after_s=failure.retry_after_s
    )


def key_refused(provider: Provider) -> UpstreamRefused:
    if provider.auth in SIGNED:
        refused = "refused the credentials Sternpost has for it; check that they are valid"
    else:
        place = "its `api_key` in sternpost.yaml" if provider.is_key_written else provider.key_variable
        refused = f"refused the key Sternpost has for it{f'; check {place}' if place else ''}"
    return UpstreamRefused(
        f"the provider {provider.name!r} {refused}",
        http_status=502,
        wire_code="provider_key_refused",
    )


def from_fault(fault: StreamFault, provider: Provider, *, is_same_dialect: bool) -> AttemptFailed:
    """Turn an error inside a stream that has shown nothing yet into the answer it should have been."""
    kind, wait_s = kind_of(fault), wait_of(fault)
    told = refused_in_stream(fault, provider, is_same_dialect=is_same_dialect)
    error = key_refused(provider) if kind == "auth" else told
    return AttemptFailed(kind, error, is_retryable=kind in _RETRYABLE, retry_after_s=wait_s)


def refused_in_stream(fault: StreamFault, provider: Provider, *, is_same_dialect: bool) -> UpstreamRefused:
    return UpstreamRefused(
        hide_address(fault.message, provider),
        http_status=fault.status,
        wire_code=fault.code or ("" if is_same_dialect else _CODE_OF_KIND.get(kind_of(fault), "")),
        error_type=fault.error_type,
        retry_after_s=wait_of(fault),
        details=hide_addresses(fault.details, provider) if is_same_dialect else None,
    )


def unsupported(error: BadRequest) -> AttemptFailed:
    """Say that a target does not support a requested parameter; another one may."""
    return AttemptFailed("unsupported", error, is_retryable=False)


def not_an_answer(body: bytes, provider: Provider, reason: str, *, is_same_dialect: bool) -> AttemptFailed:
    """Say what a 200 carried instead of an answer: an error, as some hosts send it, or nothing we know."""
    fault = fault_in(body)
    if fault is None:
        return unusable(provider, reason, is_paid=_COUNTED.search(body) is not None)
    return from_fault(fault, provider, is_same_dialect=is_same_dialect)


def unusable(provider: Provider, reason: str, *, is_paid: bool = False) -> AttemptFailed:
    """Say that a 200 carried something that is not an answer.

    is_paid: it counts tokens; the same provider would count them again.
    """
    error = UpstreamRefused(
        f"the provider {provider.name!r} returned an invalid response: {reason}",
        http_status=502,
        wire_code="unreadable_answer",
    )
    return AttemptFailed("server", error, is_retryable=not is_paid)
