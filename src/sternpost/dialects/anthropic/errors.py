"""Errors as Anthropic writes them, as an answer and inside a stream."""

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.anthropic.names import ERROR_TYPE_BY_STATUS, ERROR_TYPES
from sternpost.dialects.protocols import WireError


def write_error(error: WireError) -> bytes:
    """Write `{"type": "error", "error": {type, message}, "request_id"}`."""
    inner: dict[str, Json] = {"type": _type_of(error), "message": error.message, **error.details}
    body: dict[str, Json] = {"type": "error", "error": inner, "request_id": error.request_id or None}
    return msgspec.json.encode(body)


def write_error_event(error: WireError) -> bytes:
    return b"event: error\ndata: " + write_error(error) + b"\n\n"


def _type_of(error: WireError) -> str:
    if error.error_type in ERROR_TYPES:
        return error.error_type
    known = ERROR_TYPE_BY_STATUS.get(error.status)
    return known or ("api_error" if error.status >= 500 else "invalid_request_error")
