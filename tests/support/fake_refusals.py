"""A provider that answers 400 to a field or a beta that it does not take, in the words it is asked to use."""

import json
from collections.abc import Mapping

from tests.support import fake_bedrock as bedrock


def refusal(
    dialect: str, headers: Mapping[str, str], body: bytes, options: Mapping[str, str]
) -> tuple[bytes, Mapping[str, str]] | None:
    """Return an error body and its headers while the request has `field`; None once it has it no more."""
    field, words = options["field"], options["words"]
    is_there = f'"{field}"'.encode() in body or field in headers.get("anthropic-beta", "").split(",")
    if not is_there:
        return None
    if dialect == "bedrock":
        return bedrock.error_body(400, words), bedrock.error_headers(400)
    if dialect == "anthropic":
        error = {"type": "invalid_request_error", "message": words}
        return json.dumps({"type": "error", "error": error}).encode(), {}
    told = {"type": "invalid_request_error", "param": options.get("param"), "code": options.get("code")}
    return json.dumps({"error": {"message": words, **told}}).encode(), {}
