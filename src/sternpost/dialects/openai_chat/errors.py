"""Errors as OpenAI writes them, as an answer and inside a stream."""

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.openai_chat.names import ERROR_TYPE_BY_STATUS, ERROR_TYPES, QUOTA_CODES
from sternpost.dialects.protocols import WireError


def write_error(error: WireError) -> bytes:
    """Write `{"error": {message, type, param, code}}`."""
    inner: dict[str, Json] = {
        "message": error.message,
        "type": type_of(error),
        "param": error.param,
        "code": error.code or None,
        **error.details,
    }
    return msgspec.json.encode({"error": inner})


def write_error_event(error: WireError) -> bytes:
    return b"data: " + write_error(error) + b"\n\n"


def type_of(error: WireError) -> str:
    """Return the provider's own type where OpenAI knows it, else what stands for the status."""
    if error.error_type in ERROR_TYPES:
        return error.error_type
    if error.code in QUOTA_CODES:
        return "insufficient_quota"
    known = ERROR_TYPE_BY_STATUS.get(error.status)
    return known or ("server_error" if error.status >= 500 else "invalid_request_error")
