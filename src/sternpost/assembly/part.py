"""What a capability brings to Sternpost, and what it finds open; which capabilities there are is `parts`'.

A capability plugs in by one file, `assembly/parts/<noun>.py`, whose `PLUG` says how its `Part` is built.
Processes, the API, its scopes and the metrics go over the parts; nothing else lists capabilities by hand.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from threading import Event as Stop
from typing import TYPE_CHECKING, TypeAlias

from sternpost.assembly.in_force import InForce
from sternpost.assembly.reloading import Readings
from sternpost.base.clock import Clock
from sternpost.base.reads import ReadGate
from sternpost.base.settings import Settings
from sternpost.capabilities.access.key_ring import KeyRing
from sternpost.capabilities.access.records import FirstStart
from sternpost.capabilities.access.service import AccessService
from sternpost.capabilities.configuration.service import ConfigurationService
from sternpost.capabilities.events.follower import Follower
from sternpost.contracts.blobs import BlobStore
from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import EventLog, Snapshot, Subscriber
from sternpost.contracts.jobs import Job
from sternpost.contracts.journal import Journal
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.tables import Tables
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.upstream import UpstreamClient
from sternpost.contracts.work_queue import WorkKind
from sternpost.gateway.services import GatewayServices
from sternpost.ingest.apart import IntakeApart

if TYPE_CHECKING:  # the worker has neither, and they cost it 9 MB
    from fastapi import APIRouter
    from prometheus_client.registry import Collector

    from sternpost.capabilities.access.guard import Guard

Scopes: TypeAlias = frozenset[KeyScope]
# (method or "*", path) -> what a key needs there and below; see `parts.needed_scopes`.
ScopeRows: TypeAlias = Mapping[tuple[str, str], Scopes]
Needed: TypeAlias = Callable[[str, str], Scopes | None]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in. `first_start` is set once in the life of a data folder.

    check_caller: knows the keys of applications and the tokens of the worker. Raises: KeyRefused.
    """

    service: AccessService
    key_ring: KeyRing
    guard: "Guard"
    check_caller: Callable[[str], Principal]
    first_start: FirstStart | None = None


@dataclass(frozen=True, slots=True)
class Foundation:
    """What is open before any capability, in each process.

    In the worker nothing is reached before its first use: the tables, the trace store and the configuration
    may be unusable for a while without keeping the journal from being drained.
    """

    settings: Settings
    environment: Mapping[str, str]
    clock: Clock
    in_force: InForce
    tables: Tables
    log: EventLog
    journal: Journal
    store: TraceStore
    blobs: BlobStore


@dataclass(frozen=True, slots=True)
class Serving(Foundation):
    """What a serving process has beside it."""

    client: UpstreamClient
    reads: ReadGate
    configuration: ConfigurationService  # reads the file again; `in_force` is what it says
    readings: Readings
    apart: IntakeApart
    changes: Follower  # of the event log; it learns of the parts' snapshots once all are built
    access: Access


@dataclass(frozen=True, slots=True)
class PartState:
    is_up: bool
    reason: str = ""
    pending_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """How a part of the system is, on `/readyz` and `/api/status`. `ask` may block; it has half a second.

    is_from_memory: it never blocks; `/healthz` names what is not up of these.
    """

    name: str
    ask: Callable[[], PartState]
    is_from_memory: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """Work of the worker that never ends, in a separate thread, until its `stop` is set.

    needs_store: it begins once the trace store has this version's schema. is_watched: the worker is restarted
    when it fails, or does not look at `stop` for a quarter of an hour; another that fails begins again.
    """

    name: str
    run: Callable[[Stop], None]
    needs_store: bool = False
    is_watched: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """Work of a serving process that runs beside its calls, on the event loop, until it is cancelled."""

    name: str
    run: Callable[[], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class OpenAiPaths:
    """Paths below /v1 that OpenAI's SDKs use and that are no calls; errors come in OpenAI's shape.

    is_streamed: the routes of `prefix` itself bound their bodies.
    """

    router: "APIRouter"
    prefix: str
    is_streamed: bool = False


def _unchanged(services: GatewayServices) -> GatewayServices:
    return services


@dataclass(frozen=True, slots=True)
class Part:
    """What a capability brings to one process; every field but the name may be empty.

    gateway: fills what the capability gives to calls into the gateway's services. close: blocking.
    """

    name: str
    routers: "Sequence[APIRouter]" = ()  # serve, from here
    services: Sequence[object] = ()  # that the routes ask for, by type; see `api.services`
    openai: Sequence[OpenAiPaths] = ()
    snapshots: Sequence[Snapshot] = ()
    tasks: Sequence[Task] = ()
    probes: Sequence[Probe] = ()
    collectors: "Sequence[Collector]" = ()
    gateway: Callable[[GatewayServices], GatewayServices] = _unchanged
    jobs: Sequence[Job] = ()  # worker, from here
    work: Sequence[WorkKind] = ()
    subscribers: Sequence[Subscriber] = ()
    loops: Sequence[Loop] = ()
    close: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Plug:
    """How a capability plugs in. Both functions may block; they import what only one process needs inside."""

    name: str  # of the capability's folder, its tag in the API and its page in the docs
    summary: str
    scopes: ScopeRows
    serve: Callable[[Serving], Part] | None = None
    work: Callable[[Foundation], Part] | None = None
