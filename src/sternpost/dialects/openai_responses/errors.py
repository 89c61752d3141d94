"""Errors of the Responses API inside a stream; as an answer they are those of OpenAI chat."""

from collections.abc import Mapping

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.openai_chat.errors import type_of
from sternpost.dialects.protocols import WireError


def frame(kind: str, number: int, fields: Mapping[str, Json]) -> bytes:
    """Write one event with its number."""
    body: dict[str, Json] = {"type": kind, "sequence_number": number, **fields}
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"


def write_failure(error: WireError, number: int, response: Mapping[str, Json]) -> bytes:
    """Write the `error` event and the `response.failed` that end a broken stream.

    number: of the first of the two. response: what of the answer stands. The error stands in the event as
    documented, and once more as an object, since SDKs raise on that alone.
    """
    code = error.code or "server_error"
    told: dict[str, Json] = {"code": code, "message": error.message, "param": error.param}
    told["error"] = {"type": type_of(error), **told, **error.details}
    failed = {
        **response,
        "status": "failed",
        "incomplete_details": None,
        "error": {"code": code, "message": error.message},
    }
    return frame("error", number, told) + frame("response.failed", number + 1, {"response": failed})
