"""What parts serve below /v1 that is no call, as an app of its own with errors in OpenAI's shape."""

import logging
import math
from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sternpost.api.asking import Identify
from sternpost.api.services import connect
from sternpost.assembly.part import OpenAiPaths
from sternpost.base.errors import BadRequest, MethodRefused, NotFound, RateLimited, SternpostError
from sternpost.base.ids import new_id
from sternpost.dialects.protocols import WireError
from sternpost.dialects.registry import CODECS
from sternpost.server.gate import Gate
from sternpost.server.problems import FASTAPI_UNREADABLE, UNREADABLE
from sternpost.server.texts import refuse_unkeepable_text

logger = logging.getLogger(__name__)

_MOST_BYTES = 64_000  # a batch with the largest metadata that OpenAI allows has 10,000


class OpenAiApp:
    """Serves what parts add to OpenAI's API. `identify` raises KeyRefused."""

    def __init__(self, paths: Sequence[OpenAiPaths], services: Sequence[object], identify: Identify) -> None:
        self._roots = frozenset(one.prefix for one in paths)
        streamed = frozenset(one.prefix for one in paths if one.is_streamed)
        app = _build([one.router for one in paths])
        connect(app, services, identify)
        self._app = Gate(app, identify, refusal, streamed_paths=streamed, most_bytes=_MOST_BYTES)
        self._below = tuple(f"{root}/" for root in self._roots)

    def serves(self, path: str) -> bool:
        """Say whether a path belongs to this app."""
        return path in self._roots or path.startswith(self._below)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _build(routers: Sequence[APIRouter]) -> FastAPI:
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(refuse_unkeepable_text)],
    )
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(SternpostError, _on_sternpost_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_crash)
    return app


async def _on_sternpost_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, SternpostError)
    return refusal(error)


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0] if error.errors() else {"loc": ("body",), "msg": "can't be read"}
    param = ".".join(str(step) for step in first["loc"] if step not in {"body", "query"})
    return refusal(BadRequest(f"{param or 'the request'}: {first['msg']}", param=param or None))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:
        return refusal(
            MethodRefused(f"{request.method} is not allowed on {path!r}"), dict(error.headers or {})
        )
    if error.status_code == 404:
        return refusal(
            NotFound(f"there is no {path!r} here; see the documentation for what Sternpost serves")
        )
    return refusal(BadRequest(UNREADABLE if error.detail == FASTAPI_UNREADABLE else str(error.detail)))


async def _on_crash(request: Request, error: Exception) -> Response:
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    return refusal(SternpostError("Sternpost hit an internal error; see its log"))


def refusal(error: SternpostError, more: dict[str, str] | None = None) -> Response:
    """Write an error of ours in OpenAI's shape."""
    request_id = new_id("req")
    param = error.param if isinstance(error, BadRequest) else None
    wire = WireError(error.status, error.code, error.message, param=param, request_id=request_id)
    headers = {"x-request-id": request_id, **(more or {})}
    if isinstance(error, RateLimited):
        headers["retry-after"] = str(math.ceil(error.retry_after_s))
    return Response(CODECS["openai_chat"].write_error(wire), error.status, headers, "application/json")
