"""Bedrock's errors: read as an answer and as a frame of a stream, written for AWS's SDKs; retries nothing."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.dialects.bedrock.event_stream import EventFrame
from sternpost.dialects.bedrock.names import KIND_BY_EXCEPTION, STATUS_BY_KIND
from sternpost.dialects.errors import failures
from sternpost.dialects.errors.retry_after import read_retry_after
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.protocols import FailureKind, UpstreamFailure, WireError

_ARN: Final = re.compile(r"arn:aws[\w-]*:[^\s\"',]+")  # it names the account
_TOO_LONG: Final = re.compile(
    r"input is too long|prompt is too long|too many (?:input )?tokens", re.IGNORECASE
)
_BAD_KEY: Final = re.compile(r"api key|bearer token|authentication failed|security token", re.IGNORECASE)
_NO_ACCESS: Final = re.compile(r"access to the model|model access", re.IGNORECASE)
_CODE_BY_KIND: Final[Mapping[FailureKind, str]] = {
    "context_too_long": "context_length_exceeded",
    "quota": "insufficient_quota",
}
_RETRYABLE: Final = frozenset[FailureKind]({"rate_limited", "timeout", "overloaded", "server"})


def read_failure(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> UpstreamFailure:
    """Read an error answer: the exception's name stands in a header, its words in `message`."""
    values = _object(body)
    name = _name(headers, values)
    if not name and not _message(values):
        return failures.read_failure(status, headers, body, now_s)  # of a proxy, not of Bedrock
    kind = _kind(name, status, _message(values))
    return UpstreamFailure(
        kind=kind,
        status=status,
        message=_scrub(_message(values)) or f"The provider answered {status} without a message.",
        error_type=name,
        is_retryable=kind in _RETRYABLE,
        retry_after_s=read_retry_after(headers, now_s),
    )


def fault_of(frame: EventFrame) -> StreamFault:
    """Read an `exception` or `error` frame; its status is the one the same error has as an answer."""
    words = _message(_object(frame.payload)) or frame.message
    kind = _kind(frame.name, 500, words)
    return StreamFault(
        error_type=frame.name or kind,
        message=_scrub(words) or "The provider reported an error inside the stream.",
        status=STATUS_BY_KIND.get(kind, 502),
        code=_CODE_BY_KIND.get(kind, ""),
    )


def write_error(error: WireError) -> bytes:
    """Write an error of ours where AWS's SDKs look for its words and its name."""
    return msgspec.json.encode({"message": error.message, "code": error.code})


def _kind(name: str, status: int, message: str) -> FailureKind:
    plain = name.lower().removesuffix("exception")
    kind = KIND_BY_EXCEPTION.get(plain)
    if kind == "permission" and _NO_ACCESS.search(message):
        return "not_found"  # its words are for the caller: the account has not been given this model
    if kind == "permission" and _BAD_KEY.search(message):
        return "auth"
    if kind not in {None, "bad_request"}:
        return kind or "server"
    if _TOO_LONG.search(message) and (kind == "bad_request" or status < 500):
        return "context_too_long"
    asked = 400 if kind == "bad_request" else status
    return failures.classify(asked, error_type="", code="", message=message)


def _name(headers: Mapping[str, str], values: Mapping[str, Json]) -> str:
    """Return the exception's name: before the colon, behind the namespace."""
    lower = {key.lower(): value for key, value in headers.items()}
    written = lower.get("x-amzn-errortype") or text_or_empty(values.get("__type"))
    return written.partition(":")[0].rpartition("#")[2].strip().encode("ascii", "replace").decode()


def _message(values: Mapping[str, Json]) -> str:
    return text_or_empty(values.get("message")) or text_or_empty(values.get("Message"))


def _object(body: bytes) -> Mapping[str, Json]:
    values = failures.decoded(body)
    return values if isinstance(values, Mapping) else {}


def _scrub(text: str) -> str:
    return failures.scrub(_ARN.sub("[arn]", text))
