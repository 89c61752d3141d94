"""Health, readiness and metrics for machines; people read the same in the UI."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sternpost.assembly.build import House
from sternpost.assembly.storage import look_at_storage
from sternpost.base.threads import PROBES
from sternpost.server import metrics as prometheus
from sternpost.server.metrics import GatewayMetrics
from sternpost.server.resource_metrics import ResourceCollector

_PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True)
class PartState:
    is_up: bool
    reason: str = ""
    pending_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """What `/api/status` says: `parts` are the journal, the tables and the trace store."""

    version: str
    base_url: str
    parts: Mapping[str, PartState]


class Operations:
    """Serves /healthz, /readyz and /metrics."""

    PATHS: ClassVar = frozenset({"/healthz", "/readyz", "/metrics"})

    def __init__(self, house: House, metrics: GatewayMetrics) -> None:
        self._house = house
        self._metrics = metrics
        self._resources = ResourceCollector(house.reads.counts)
        metrics.registry.register(self._resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer(scope["path"]))(scope, receive, send)

    async def _answer(self, path: str) -> Response:
        if path == "/metrics":
            self._resources.storage = await PROBES.run(look_at_storage, self._house.settings)
            return Response(self._metrics.text(), media_type=prometheus.MEDIA_TYPE)
        if path == "/healthz":
            return _json({"status": "alive"})
        # Ready means that calls are accepted; a store that is away is named and does not stop them.
        return _json({"status": "ready", "parts": await parts_of(self._house)})


async def parts_of(house: House) -> Mapping[str, PartState]:
    """Ask every part how it is, all at once."""
    journal = house.journal.state()
    tables, store = await asyncio.gather(_ask(house.tables.ping), _ask(house.store.ping))
    return {
        "journal": PartState(journal.is_writable, journal.reason, journal.pending_bytes),
        "tables": tables,
        "trace_store": store,
    }


async def _ask(ping: Callable[[], bool]) -> PartState:
    """Ask for half a second: a probe gives up after one, and a store that hangs must not stop calls."""
    try:
        is_up = await asyncio.wait_for(PROBES.run(ping), _PATIENCE_S)
    except TimeoutError:
        return PartState(False, f"does not answer within {_PATIENCE_S} s")
    return PartState(is_up, "" if is_up else "can't be reached")


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
