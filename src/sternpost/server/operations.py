"""Health, readiness and metrics for machines; people read the same in the UI."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sternpost import __version__
from sternpost.api.asking import Asker
from sternpost.api.services import the
from sternpost.assembly.build import App
from sternpost.assembly.part import PartState, Probe
from sternpost.assembly.storage import look_at_storage
from sternpost.base.threads import PROBES
from sternpost.server import metrics as prometheus
from sternpost.server.metrics import GatewayMetrics
from sternpost.server.resource_metrics import ResourceCollector

_PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Status:
    """What `/api/status` says: `parts` are the journal, the stores, the drain and what memory holds."""

    version: str
    base_url: str
    parts: Mapping[str, PartState]
    configuration: Mapping[str, str]  # the hash in force in each process of this machine


@dataclass(frozen=True, slots=True)
class StatusService:
    """How Sternpost and its parts are, for people and for the CLI."""

    base_url: str
    probes: Sequence[Probe]
    digests: Callable[[], Mapping[str, str]]  # of the configuration, by process

    async def status(self) -> Status:
        in_force = await PROBES.run(self.digests)
        return Status(__version__, self.base_url, await states_of(self.probes), in_force)


router = APIRouter(tags=["operations"])


@router.get("/api/status", summary="Say which version runs and how its parts are")
async def show_status(_: Asker, service: Annotated[StatusService, Depends(the(StatusService))]) -> Status:
    return await service.status()


class Operations:
    """Serves /healthz, /readyz and /metrics."""

    PATHS: ClassVar = frozenset({"/healthz", "/readyz", "/metrics"})

    def __init__(self, app: App, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._resources = ResourceCollector(app.open.reads.counts)
        metrics.registry.register(self._resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer(scope["path"]))(scope, receive, send)

    async def _answer(self, path: str) -> Response:
        if path == "/metrics":
            self._resources.storage = await PROBES.run(look_at_storage, self._app.open.settings)
            return Response(self._metrics.text(), media_type=prometheus.MEDIA_TYPE)
        if path == "/healthz":
            return _json({"status": "alive", **self._degraded()})
        # Ready means that calls are accepted; a store that is away is named and does not stop them.
        return _json({"status": "ready", "parts": await states_of(self._app.probes)})

    def _degraded(self) -> Mapping[str, Mapping[str, str]]:
        """Say what works with an older state than it should; from memory, so that this answers always."""
        states = {probe.name: probe.ask() for probe in self._app.probes if probe.is_from_memory}
        reasons = {name: state.reason for name, state in states.items() if not state.is_up}
        return {"degraded": reasons} if reasons else {}


async def states_of(probes: Sequence[Probe]) -> Mapping[str, PartState]:
    """Ask every part how it is, all at once."""
    states = await asyncio.gather(*(_ask(probe) for probe in probes))
    return {probe.name: state for probe, state in zip(probes, states, strict=True)}


async def _ask(probe: Probe) -> PartState:
    """Ask for half a second: a probe gives up after one, and a store that hangs must not stop calls."""
    try:
        return await asyncio.wait_for(PROBES.run(probe.ask), _PATIENCE_S)
    except TimeoutError:
        return PartState(False, f"does not answer within {_PATIENCE_S} s")


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
