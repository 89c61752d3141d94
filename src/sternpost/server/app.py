"""The whole server as one ASGI app: `/v1` raw in front, then the API, then the web app."""

from functools import partial
from importlib.resources import files
from pathlib import Path

from fastapi import Depends, FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sternpost import __version__
from sternpost.api.services import connect, missing
from sternpost.assembly.build import App
from sternpost.assembly.config_report import digests
from sternpost.assembly.parts import plugs
from sternpost.base.errors import HostRefused, SternpostError
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.gateway.http.asgi import AZURE, GatewayApp
from sternpost.server import operations, problems
from sternpost.server.gate import Gate
from sternpost.server.hosts import Hosts
from sternpost.server.langfuse import LangfuseApp
from sternpost.server.metrics import GatewayMetrics
from sternpost.server.openai_app import OpenAiApp
from sternpost.server.openai_app import refusal as openai_refusal
from sternpost.server.operations import Operations, StatusService
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

    def __init__(self, app: App, metrics: GatewayMetrics, *, base_url: str) -> None:
        settings, access = app.open.settings, app.open.access
        metrics.watch(app.open.journal.state, app.intake)
        for collector in [one for part in app.parts for one in part.collectors]:
            metrics.registry.register(collector)
        self._gateway = GatewayApp(app.services.current)
        app.services.give_to(self._gateway.use)
        self._otlp: ASGIApp = OtlpApp(
            app.intake, access.key_ring.check, max_body_bytes=settings.max_body_bytes
        )
        self._hosts = Hosts(settings)
        self._api: ASGIApp = Gate(
            build_api(app, base_url=base_url),
            access.guard,
            problems.refusal,
            open_paths={_SIGN_IN: _SIGN_IN_BYTES},
            headers=_API_HEADERS,
        )
        self._langfuse: ASGIApp = LangfuseApp(
            app.intake,
            TraceMedia(app.open.blobs),
            access.key_ring.check,
            max_body_bytes=settings.max_body_bytes,
        )
        self._openai = OpenAiApp(
            [one for part in app.parts for one in part.openai], _services(app, base_url), access.guard
        )
        self._operations: ASGIApp = Operations(app, metrics)
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
            return self._openai if self._openai.serves(path) else self._gateway
        if LangfuseApp.serves(path):
            return self._langfuse
        if path.startswith("/api/"):
            return self._api
        if path in Operations.PATHS:
            return self._operations
        return self._web


def _refuse(path: str, error: SternpostError) -> Response:
    """Write an error that no part of the server answers, in a shape that the callers of a path read."""
    return openai_refusal(error) if path.startswith(("/v1/", AZURE)) else problems.refusal(error)


def build_api(app: App, *, base_url: str) -> FastAPI:
    """Build the management API with its OpenAPI schema at /api/openapi.json."""
    api = FastAPI(
        title="Sternpost",
        version=__version__,
        openapi_url="/api/openapi.json",
        openapi_tags=[{"name": plug.name, "description": plug.summary} for plug in plugs()],
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        dependencies=[Depends(refuse_unkeepable_text)],
    )
    problems.install(api)
    routers = [*(one for part in app.parts for one in part.routers), operations.router]
    services = _services(app, base_url)
    assert not (unknown := missing(routers, services)), f"no part brings {', '.join(unknown)}"
    for router in routers:
        api.include_router(router)
    connect(api, services, app.open.access.guard)
    return api


def _services(app: App, base_url: str) -> list[object]:
    """Return what routes may ask for: what parts bring, and what all of them read with."""
    url = app.open.settings.public_url or base_url
    return [
        *(one for part in app.parts for one in part.services),
        app.open.reads,
        StatusService(url, app.probes, partial(digests, app.open)),
    ]
