"""The lines of batch files, in and out, as OpenAI's batch guide describes them; no files are touched here.

Source: https://platform.openai.com/docs/guides/batch
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sternpost.base.money import NanoUsd, usd_text
from sternpost.capabilities.batches.records import LineFault, LineResult
from sternpost.capabilities.batches.rules import ENDPOINTS
from sternpost.contracts.call import Dialect

_MAX_ID_CHARACTERS = 512

DIALECTS: Final[Mapping[str, Dialect]] = {
    "/v1/chat/completions": "openai_chat",
    "/v1/responses": "openai_responses",
    "/v1/embeddings": "openai_chat",
    "/v1/messages": "anthropic",
}


class LineRefused(Exception):
    """A line that can't be run; `fault` says why and where."""

    def __init__(self, fault: LineFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Request:
    """What one line asks."""

    custom_id: str
    url: str
    model: str
    body: bytes


class _Line(msgspec.Struct):
    custom_id: Any = None
    method: Any = None
    url: Any = None
    body: msgspec.Raw = msgspec.Raw()


class _Body(msgspec.Struct):
    model: Any = None
    stream: Any = None


class _Error(msgspec.Struct):
    message: Any = None
    code: Any = None
    type: Any = None


class _Failure(msgspec.Struct):
    error: _Error | None = None


_LINE = msgspec.json.Decoder(_Line)
_BODY = msgspec.json.Decoder(_Body)
_FAILURE = msgspec.json.Decoder(_Failure)


def read_line(text: bytes, number: int, endpoint: str) -> Request:
    """Read one line. Raises: LineRefused, whose fault names the line and the field."""
    try:
        line = _LINE.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refused("invalid_json_line", f"line {number} is not a JSON object: {error}", number) from error
    if not isinstance(line.custom_id, str) or not line.custom_id:
        raise _refused(
            "missing_custom_id",
            f"line {number} has no `custom_id`; give each line its own",
            number,
            "custom_id",
        )
    if len(line.custom_id) > _MAX_ID_CHARACTERS:
        raise _refused(
            "invalid_custom_id",
            f"the `custom_id` of line {number} is longer than {_MAX_ID_CHARACTERS} characters",
            number,
            "custom_id",
        )
    if line.method not in {None, "POST"}:
        raise _refused("invalid_method", f"line {number} must have the method POST", number, "method")
    if line.url is None:
        raise _refused("missing_url", f"line {number} has no `url`; write {endpoint}", number, "url")
    if line.url != endpoint:
        shown = line.url if isinstance(line.url, str) and line.url in ENDPOINTS else "another url"
        raise _refused(
            "invalid_url", f"line {number} asks for {shown}; this batch is for {endpoint}", number, "url"
        )
    return Request(line.custom_id, endpoint, _model(line.body, number), bytes(line.body))


def _model(body: msgspec.Raw, number: int) -> str:
    try:
        head = _BODY.decode(bytes(body) or b"null")
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"the `body` of line {number} is not a JSON object"
        raise _refused("invalid_body", message, number, "body") from error
    if not isinstance(head.model, str) or not head.model:
        raise _refused("missing_model", f"the body of line {number} names no `model`", number, "body.model")
    if head.stream:
        raise _refused(
            "stream_not_possible",
            f"line {number} requests a stream; remove `stream`, batches don't support it",
            number,
            "body.stream",
        )
    return head.model


def _refused(code: str, message: str, number: int, param: str | None = None) -> LineRefused:
    return LineRefused(LineFault(code, message, number, param))


def answered(
    number: int,
    request: Request,
    *,
    status: int,
    body: bytes,
    request_id: str,
    trace_id: str = "",
    cost_nanousd: NanoUsd | None = None,
) -> LineResult:
    """Make the result of a line that was answered; an error answer goes to the error file."""
    is_done = 200 <= status < 300
    error = _Error() if is_done else _error_of(body)
    response = {"status_code": status, "request_id": request_id, "body": _as_json(body)}
    cost = {"cost_usd": None if cost_nanousd is None else usd_text(cost_nanousd)} if is_done else {}
    return LineResult(
        number=number,
        state="done" if is_done else "failed",
        row=_row(number, request.custom_id, response, None, {**cost, "trace_id": trace_id or None}),
        http_status=status,
        error_code="" if is_done else _word(error.code) or _word(error.type) or str(status),
        error=_word(error.message)[:2000],
        trace_id=trace_id,
        cost_nanousd=cost_nanousd if is_done else None,
    )


def unanswered(number: int, custom_id: str, code: str, message: str) -> LineResult:
    """Make the result of a line that got no answer."""
    state = {"batch_expired": "expired", "batch_cancelled": "cancelled"}.get(code, "failed")
    return LineResult(
        number=number,
        state="expired" if state == "expired" else "cancelled" if state == "cancelled" else "failed",
        row=_row(number, custom_id, None, {"code": code, "message": message}, {}),
        error_code=code,
        error=message,
    )


def error_code_of(body: bytes) -> str:
    """Return the code of an error answer in any of our dialects; empty: it has none."""
    error = _error_of(body)
    return _word(error.code) or _word(error.type)


def _row(
    number: int, custom_id: str, response: object, error: object, extension: Mapping[str, object]
) -> bytes:
    row = {
        "id": f"batch_req_{number}",
        "custom_id": custom_id,
        "response": response,
        "error": error,
        "sternpost": extension,
    }
    return msgspec.json.encode(row) + b"\n"


def _as_json(body: bytes) -> object:
    """Keep a body's bytes, but for line breaks, which would end the row; what is no JSON is text."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body[:2000].decode("utf-8", "replace")
    return value if b"\n" in body or b"\r" in body else msgspec.Raw(body)


def _error_of(body: bytes) -> _Error:
    try:
        return _FAILURE.decode(body).error or _Error()
    except (msgspec.DecodeError, RecursionError):
        return _Error()


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
