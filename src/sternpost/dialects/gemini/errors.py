"""Classes Gemini's errors by their details, which say more than status and words.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting and https://cloud.google.com/apis/design/errors.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.errors import failures
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import FailureKind, UpstreamFailure

_KEY_REASONS: Final = (
    "API_KEY_",
    "ACCESS_TOKEN_EXPIRED",
)  # it is invalid, expired, or may not call from here
_IS_UNPAID: Final = re.compile(r"prepayment credits are depleted|exceeded its monthly spending cap", re.I)
_RETRYABLE: Final = frozenset[FailureKind]({"rate_limited", "timeout", "overloaded", "server"})


def read_failure(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> UpstreamFailure:
    """Read an error answer: an object, an array of one, or anything that stands before Google.

    A refused key is a 400 here, and the words of every 429 speak of a quota: only the details tell whether
    it is the day's, which no waiting helps against; nor does it where there is no money left.
    """
    failure = failures.read_failure(status, headers, body, now_s)
    error = _error_of(body)
    details = list(_details(error))
    reason = next((found for one in details if (found := text_or_empty(one.get("reason")))), "")
    kind = failure.kind
    if reason.startswith(_KEY_REASONS):
        kind = "auth"
    elif status == 429:
        is_spent = any(map(_is_daily, details)) or _IS_UNPAID.search(failure.message) is not None
        kind = "quota" if is_spent else "rate_limited"
    named = reason or text_or_empty(error.get("status"))
    return replace(
        failure,
        kind=kind,
        code=named.lower() if failure.code.isdigit() and named else failure.code,
        is_retryable=kind in _RETRYABLE if kind != failure.kind else failure.is_retryable,
    )


def _error_of(body: bytes) -> Mapping[str, Json]:
    try:
        value: Json = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    if isinstance(value, list) and value:
        value = value[0]
    error = value.get("error") if isinstance(value, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _details(error: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    details = error.get("details")
    for item in details if isinstance(details, list) else ():
        if isinstance(item, Mapping):
            yield item


def _is_daily(detail: Mapping[str, Json]) -> bool:
    violations = detail.get("violations")
    found = violations if isinstance(violations, list) else ()
    return any("PerDay" in text_or_empty(one.get("quotaId")) for one in found if isinstance(one, Mapping))
