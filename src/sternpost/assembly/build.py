"""Builds a serving process: settings -> backends, parts, gateway; opens and closes them in order."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from sternpost.assembly.blobs import open_blobs
from sternpost.assembly.doors import open_access
from sternpost.assembly.in_force import Configuration, InForce
from sternpost.assembly.intake import hello_of, intake_apart, upload_secret
from sternpost.assembly.journal import open_journal
from sternpost.assembly.live_services import LiveServices
from sternpost.assembly.part import Part, PartState, Probe, Serving
from sternpost.assembly.parts import needed_scopes, plugs
from sternpost.assembly.reloading import Readings
from sternpost.assembly.tables import open_tables
from sternpost.assembly.trace_engine import open_trace_store
from sternpost.backends.counters.memory import MemoryCounters
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.pending.folder import PendingFolder
from sternpost.backends.trace_store.bounded import BoundedTraceStore
from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.base.clock import SystemClock
from sternpost.base.reads import ReadGate
from sternpost.base.settings import Settings
from sternpost.base.threads import in_thread
from sternpost.capabilities.configuration.service import ConfigurationService, Telling
from sternpost.capabilities.events.follower import Follower
from sternpost.contracts.tables import Tables
from sternpost.contracts.trace_store import TraceStore
from sternpost.gateway.services import CallObserver, GatewayServices
from sternpost.gateway.stored_responses.background import BackgroundReplies
from sternpost.ingest.flow import OtlpIntake
from sternpost.providers.offline.client import OfflineClient


@dataclass(frozen=True, slots=True)
class App:
    """A serving process, open."""

    open: Serving
    parts: Sequence[Part]
    probes: Sequence[Probe]  # of what is open, and of the parts
    services: LiveServices
    intake: OtlpIntake


@asynccontextmanager
async def open_app(
    settings: Settings, environment: Mapping[str, str], in_force: InForce, observer: CallObserver
) -> AsyncGenerator[App]:
    """Open everything; at the end drain the journal's queue and close in reverse order.

    The trace store need not be up: calls are served and their records wait in the journal.
    Raises: ConfigurationError, StoreUnavailable when the tables can't be opened.
    """
    async with AsyncExitStack() as stack:
        opened = await _open_foundation(stack, settings, environment, in_force)
        parts = [await in_thread(plug.serve, opened) for plug in plugs() if plug.serve is not None]
        for part in parts:
            if part.close is not None:
                stack.callback(part.close)
        services = await _open_gateway(stack, opened, parts, observer)
        stack.push_async_callback(opened.apart.close)
        _go_with_changes(opened, services)
        opened.changes.keep_current([one for part in parts for one in part.snapshots])
        await in_thread(opened.changes.load)
        for task in [task for part in parts for task in part.tasks]:
            await stack.enter_async_context(_running(task.run, task.name))
        await stack.enter_async_context(_running(opened.changes.run, "events"))
        yield App(
            opened,
            parts,
            [
                *_probes(opened),
                *_snapshot_probes(opened, parts),
                *(probe for part in parts for probe in part.probes),
            ],
            services,
            OtlpIntake(
                opened.journal,
                opened.in_force,
                opened.clock,
                max_body_bytes=settings.max_body_bytes,
                apart=opened.apart,
                secret=await in_thread(upload_secret, opened.tables, opened.clock.now_ns()),
            ),
        )


async def _open_foundation(
    stack: AsyncExitStack, settings: Settings, environment: Mapping[str, str], in_force: InForce
) -> Serving:
    clock = SystemClock()
    tables = await in_thread(open_tables, settings)
    stack.callback(tables.close)
    log = SqlEventLog(tables, clock)
    access = await in_thread(
        open_access,
        settings,
        tables,
        log,
        clock,
        needed=needed_scopes,
        environments=lambda: in_force.current.environments,
    )
    journal = open_journal(settings)
    stack.callback(journal.close)
    store = BoundedTraceStore(open_trace_store(settings), query_timeout_s=settings.query_timeout_s)
    stack.callback(store.close)
    readings = Readings(settings, in_force)
    first = await in_thread(readings.current)  # read now: a start tells what is wrong with it
    telling = Telling(tables, log, is_teller=True)
    client = AiohttpClient()
    stack.push_async_callback(client.close)
    reads = ReadGate(store.cancel, per_caller=settings.reads_per_key, timeout_s=settings.query_timeout_s)
    stack.push_async_callback(reads.close)
    return Serving(
        settings=settings,
        environment=environment,
        clock=clock,
        in_force=in_force,
        tables=tables,
        log=log,
        journal=journal,
        store=store,
        blobs=open_blobs(settings),
        client=client,
        reads=reads,
        configuration=ConfigurationService(readings.read, first, telling, clock),
        readings=readings,
        apart=intake_apart(hello_of(settings, in_force.current)),
        changes=Follower(log),
        access=access,
    )


async def _open_gateway(
    stack: AsyncExitStack, opened: Serving, parts: Sequence[Part], observer: CallObserver
) -> LiveServices:
    """Let each part fill in what it gives to calls; resume replies made in the background."""
    now = opened.in_force.current
    background = BackgroundReplies(PendingFolder(opened.settings.home / "background"))
    services = GatewayServices(
        check_key=opened.access.check_caller,
        traffic=lambda: now.traffic,
        counters=MemoryCounters(),
        journal=opened.journal,
        client=opened.client,
        clients={"offline": OfflineClient()},
        price=now.prices.price,
        clock=opened.clock,
        observer=observer,
        follow=background.follow,
        max_body_bytes=opened.settings.max_body_bytes,
    )
    for part in parts:
        services = part.gateway(services)
    live = LiveServices(services, now)
    live.give_to(background.use)
    stack.push_async_callback(background.close)
    await background.resume()
    return live


def _go_with_changes(opened: Serving, services: LiveServices) -> None:
    """Let calls and the intake process go over to each configuration that is put in force."""
    loop = asyncio.get_running_loop()

    def renew(configuration: Configuration) -> None:
        services.renew(configuration)
        opened.apart.renew(hello_of(opened.settings, configuration))

    def renew_soon(configuration: Configuration) -> None:
        loop.call_soon_threadsafe(renew, configuration)

    opened.in_force.on_change(renew_soon)


def _probes(opened: Serving) -> list[Probe]:
    """Return how the journal, the stores and the intake process are asked."""

    def journal() -> PartState:
        state = opened.journal.state()
        return PartState(state.is_writable, state.reason, state.pending_bytes)

    return [
        Probe("journal", journal),
        Probe("tables", partial(_tables_state, opened.tables)),
        Probe("trace_store", partial(_store_state, opened.store)),
        Probe("intake", lambda: PartState(*opened.apart.state())),
    ]


def _snapshot_probes(opened: Serving, parts: Sequence[Part]) -> list[Probe]:
    """Return how each snapshot is asked whether it shows what was committed."""

    def ask(name: str) -> PartState:
        state = opened.changes.state(name)
        return PartState(state.is_current, state.reason)

    own = {probe.name for part in parts for probe in part.probes}
    names = [one.name for part in parts for one in part.snapshots if one.name not in own]
    return [Probe(name, partial(ask, name), is_from_memory=True) for name in names]


def _tables_state(tables: Tables) -> PartState:
    return PartState(True) if tables.ping() else PartState(False, "can't be reached")


def _store_state(store: TraceStore) -> PartState:
    reason = store.trouble()
    return PartState(not reason, reason)


@asynccontextmanager
async def _running(run: Callable[[], Coroutine[None, None, None]], name: str) -> AsyncGenerator[None]:
    """Keep work going beside calls while the block runs."""
    task = asyncio.create_task(run(), name=f"sternpost-{name}")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
