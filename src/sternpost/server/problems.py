"""Errors of the management API as problem details (RFC 9457); the gateway writes its own in each dialect."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sternpost.base.errors import BadRequest, RateLimited, SternpostError, StoreUnavailable
from sternpost.base.ids import new_id

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
FASTAPI_UNREADABLE: Final = "There was an error parsing the body"  # its words, also for deep nesting
UNREADABLE: Final = "the body can't be read: it is not JSON, not UTF-8 or nested too deeply"
_STORE_BACK_S = 2.0  # a store that is away or being brought up to date is asked again soon
_TEXT = {"type": "string"}
_FAULT = {
    "type": "object",
    "required": ["field", "message"],
    "properties": {"field": _TEXT, "message": _TEXT},
}
_SCHEMA: Final = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        **dict.fromkeys(("type", "title", "code", "detail", "request_id", "param"), _TEXT),
        "status": {"type": "integer"},
        "faults": {"type": "array", "items": _FAULT},
    },
}
_ANY_ERROR: Final = {
    "description": "What went wrong (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {"default": _ANY_ERROR}  # of every operation, in OpenAPI


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    extra: Mapping[str, object] | None = None,
    retry_after_s: float = 0,
) -> Response:
    """Build an answer of type application/problem+json with an id to quote."""
    request_id = new_id("req")
    body = {
        "type": f"urn:sternpost:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
        **(extra or {}),
    }
    headers = {"x-request-id": request_id}
    if retry_after_s:
        headers["retry-after"] = str(max(1, round(retry_after_s)))
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as problem details, and name their schema in its OpenAPI document."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        document.setdefault("components", {}).setdefault("schemas", {}).setdefault("Problem", _SCHEMA)
        return document

    app.openapi = described
    app.add_exception_handler(SternpostError, _on_sternpost_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_crash)


async def _on_sternpost_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, SternpostError)
    return refusal(error)


def refusal(error: SternpostError) -> Response:
    """Write an error of ours."""
    extra = {"param": error.param} if isinstance(error, BadRequest) and error.param else None
    retry_after_s = error.retry_after_s if isinstance(error, RateLimited) else 0
    if isinstance(error, StoreUnavailable):
        retry_after_s = _STORE_BACK_S
    return problem(error.status, error.code, error.message, extra=extra, retry_after_s=retry_after_s)


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"field": ".".join(str(step) for step in fault["loc"]), "message": fault["msg"]}
        for fault in error.errors()
    ]
    first = f"{faults[0]['field']}: {faults[0]['message']}" if faults else "the request can't be read"
    return problem(422, "invalid_request", first, extra={"faults": faults})


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = UNREADABLE if error.detail == FASTAPI_UNREADABLE else str(error.detail)
    detail = f"nothing is served at {request.url.path!r}" if error.status_code == 404 else said
    return problem(error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"), detail)


async def _on_crash(request: Request, error: Exception) -> Response:
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    return problem(
        500, "internal_error", "Sternpost hit an internal error; the log has the details under this request."
    )
