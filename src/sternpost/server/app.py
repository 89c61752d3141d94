"""The whole server as one ASGI app: `/v1` raw in front, then the API, then the web app."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sternpost import __version__
from sternpost.assembly.build import House
from sternpost.base.errors import HostRefused, SternpostError
from sternpost.base.ids import KeyId
from sternpost.capabilities.access.browser import Site
from sternpost.capabilities.access.guard import Guard
from sternpost.capabilities.access.routes import access_routes
from sternpost.capabilities.batches.routes import batch_routes
from sternpost.capabilities.cost.routes import cost_router
from sternpost.capabilities.events.routes import event_routes
from sternpost.capabilities.models.routes import models_router
from sternpost.capabilities.traces.media.routes import media_router
from sternpost.capabilities.traces.routes import traces_router
from sternpost.contracts.call import Principal
from sternpost.gateway.http.asgi import AZURE, GatewayApp
from sternpost.server import openai_app, problems
from sternpost.server.gate import Gate
from sternpost.server.hosts import Hosts
from sternpost.server.langfuse import LangfuseApp
from sternpost.server.metrics import GatewayMetrics
from sternpost.server.needed_scopes import Scopes, needed_by_api, needed_by_files
from sternpost.server.operations import Operations, Status, parts_of
from sternpost.server.otlp import OtlpApp
from sternpost.server.texts import refuse_unkeepable_text
from sternpost.server.ui import WebApp

_SIGN_IN, _SIGN_IN_BYTES = "/api/session", 16_000
# What the API says is of the moment and for one reader, and no page.
_API_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
UI_FOLDER = Path(str(files("sternpost"))) / "_ui"


class SternpostApp:
    """Sends each request to the part that serves it; nothing stands between a call and the gateway."""

    def __init__(self, house: House, metrics: GatewayMetrics, *, base_url: str) -> None:
        metrics.watch(house.journal.state, house.intake.counts, house.settings.home)
        self._gateway = GatewayApp(house.rig)
        self._otlp: ASGIApp = OtlpApp(
            house.intake, house.key_ring.check, max_body_bytes=house.settings.max_body_bytes
        )
        self._hosts = Hosts(house.settings)
        self._api: ASGIApp = Gate(
            build_api(house, base_url=base_url),
            _guard(house, needed_by_api),
            problems.refusal,
            open_paths={_SIGN_IN: _SIGN_IN_BYTES},
            headers=_API_HEADERS,
        )
        self._langfuse: ASGIApp = LangfuseApp(
            house.intake.langfuse, house.key_ring.check, max_body_bytes=house.settings.max_body_bytes
        )
        caller_of = _caller_of(_guard(house, needed_by_files))
        self._openai: ASGIApp = openai_app.build_openai_app(
            house.batches, caller_of, max_file_bytes=house.settings.max_file_bytes
        )
        self._operations: ASGIApp = Operations(house, metrics)
        self._web: ASGIApp = WebApp(UI_FOLDER)

    def interrupt_calls(self) -> int:
        """End open calls with an error their callers understand; return how many there were."""
        return self._gateway.interrupt_calls()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            self._hosts.check(scope["headers"])
        except HostRefused as error:
            await _refuse(scope["path"], error)(scope, receive, send)
            return
        await self._part(scope["path"])(scope, receive, send)

    def _part(self, path: str) -> ASGIApp:
        if path in OtlpApp.PATHS:
            return self._otlp
        if path.startswith(("/v1/", AZURE)):
            return self._openai if openai_app.serves(path) else self._gateway
        if LangfuseApp.serves(path):
            return self._langfuse
        if path.startswith("/api/"):
            return self._api
        if path in Operations.PATHS:
            return self._operations
        return self._web


def _refuse(path: str, error: SternpostError) -> Response:
    """Write an error that no part of the server answers, in a shape that the callers of a path read."""
    return openai_app.refusal(error) if path.startswith(("/v1/", AZURE)) else problems.refusal(error)


def build_api(house: House, *, base_url: str) -> FastAPI:
    """Build the management API with its OpenAPI schema at /api/openapi.json."""
    guard = _guard(house, needed_by_api)
    principal_of = _caller_of(guard)
    api = FastAPI(
        title="Sternpost",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        dependencies=[Depends(refuse_unkeepable_text)],
    )
    problems.install(api)

    api.include_router(access_routes(house.access, guard, guard.site))
    api.include_router(traces_router(house.traces, principal_of, house.reads))
    api.include_router(cost_router(house.costs, principal_of, house.reads))
    api.include_router(media_router(house.media, principal_of))
    api.include_router(batch_routes(house.batches, principal_of))
    api.include_router(models_router(house.models, guard))
    api.include_router(event_routes(house.events, house.streams, principal_of))
    api.include_router(_status_router(house, guard, base_url))
    return api


def _guard(house: House, needed: Callable[[str, str], Scopes | None]) -> Guard:
    site = Site(house.settings.public_url, house.settings.port)
    return Guard(house.access, house.key_ring.check, needed, site)


def _caller_of(guard: Guard) -> Callable[[Request], Awaitable[Principal]]:
    """Identify who calls by key, or by a session's cookie: the CLI and the web app have no key."""

    async def principal_of(request: Request) -> Principal:
        caller = await guard(request)
        name = caller.user.name if caller.user else ""
        return Principal(
            caller.project_id,
            caller.key_id or KeyId(""),
            caller.key_name or name,
            caller.models,
            caller.scopes,
            "key" if caller.key_id else "session",
        )

    return principal_of


def _status_router(house: House, guard: Guard, base_url: str) -> APIRouter:
    router = APIRouter(tags=["operations"], dependencies=[Depends(guard)])

    @router.get("/api/status", summary="Say which version runs and how its parts are")
    async def show_status() -> Status:
        return Status(__version__, house.settings.public_url or base_url, await parts_of(house))

    _ = show_status  # registered by its decorator
    return router
