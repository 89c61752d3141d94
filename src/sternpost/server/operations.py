"""Health, readiness and metrics for machines; people read the same in the UI."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sternpost.assembly.build import House
from sternpost.assembly.storage import look_at_storage
from sternpost.base.threads import PROBES
from sternpost.capabilities.traces.writing.drain_report import read_report
from sternpost.capabilities.traces.writing.set_aside import FOLDER_NAME, count_set_aside
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
    """What `/api/status` says: `parts` are the journal, the tables, the trace store and the drain between."""

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
    tables, store, drain = await asyncio.gather(
        _ask(lambda: "" if house.tables.ping() else "can't be reached"),
        _ask(house.store.trouble),
        PROBES.run(drain_state, house.settings.home),
    )
    return {
        "journal": PartState(journal.is_writable, journal.reason, journal.pending_bytes),
        "tables": tables,
        "trace_store": store,
        "drain": drain,
    }


def drain_state(home: Path) -> PartState:
    """Say whether what the journal holds reaches the trace store, as the worker of this machine told last."""
    report = read_report(home)
    if report is not None and not report.is_store_up:
        return PartState(False, report.reason)
    count = count_set_aside(home / FOLDER_NAME)
    if not count:
        return PartState(True)
    return PartState(True, f"{count} records can't be stored and are kept in the folder {FOLDER_NAME!r}")


async def _ask(trouble: Callable[[], str]) -> PartState:
    """Ask for half a second: a probe gives up after one, and a store that hangs must not stop calls."""
    try:
        reason = await asyncio.wait_for(PROBES.run(trouble), _PATIENCE_S)
    except TimeoutError:
        return PartState(False, f"does not answer within {_PATIENCE_S} s")
    return PartState(not reason, reason)


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
