"""Builds a serving process: settings -> backends, providers, services; opens and closes them in order."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from sternpost.assembly.batches import batch_service, token_reader
from sternpost.assembly.blobs import open_blobs
from sternpost.assembly.config_file import LoadedConfig
from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.intake import intake_apart
from sternpost.assembly.journal import open_journal
from sternpost.assembly.list_prices import ListPrices
from sternpost.assembly.signing import signing_clients
from sternpost.assembly.tables import open_tables
from sternpost.assembly.trace_engine import open_trace_store
from sternpost.assembly.traffic import load_catalog, load_prices, load_traffic
from sternpost.backends.counters.memory import MemoryCounters
from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.pending.folder import PendingFolder
from sternpost.backends.trace_store.bounded import BoundedTraceStore
from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.base.clock import Clock, SystemClock
from sternpost.base.reads import ReadGate
from sternpost.base.settings import Settings
from sternpost.base.threads import in_thread
from sternpost.capabilities.access.key_ring import KeyRing
from sternpost.capabilities.access.records import FirstStart
from sternpost.capabilities.access.service import AccessService, access_service
from sternpost.capabilities.batches.service import BatchService
from sternpost.capabilities.cost.explanations import CostExplanations
from sternpost.capabilities.cost.service import PriceBook
from sternpost.capabilities.events.follower import Follower
from sternpost.capabilities.events.service import EventService
from sternpost.capabilities.events.stream import EventStreams
from sternpost.capabilities.models.service import Models
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.capabilities.traces.service import Traces
from sternpost.contracts.journal import Journal
from sternpost.contracts.provider import Catalog
from sternpost.contracts.tables import Tables
from sternpost.contracts.trace_store import TraceStore
from sternpost.gateway.services import CallObserver, Rig
from sternpost.gateway.state.origins import ReplyOrigins
from sternpost.gateway.stored_responses.background import BackgroundReplies
from sternpost.ingest.apart import IntakeApart
from sternpost.ingest.flow import OtlpIntake
from sternpost.providers.offline.client import OfflineClient


@dataclass(frozen=True, slots=True)
class House:
    """Every service of a serving process, open. `first_start` is set once in the life of a data folder."""

    settings: Settings
    tables: Tables
    store: TraceStore
    journal: Journal
    access: AccessService
    events: EventService
    streams: EventStreams
    key_ring: KeyRing
    prices: PriceBook
    costs: CostExplanations
    models: Models
    traces: Traces
    reads: ReadGate
    media: TraceMedia
    batches: BatchService
    intake: OtlpIntake
    rig: Rig
    first_start: FirstStart | None


@asynccontextmanager
async def open_house(
    settings: Settings,
    loaded: LoadedConfig,
    environment: Mapping[str, str],
    observer: CallObserver,
) -> AsyncGenerator[House]:
    """Open everything; at the end drain the journal's queue and close in reverse order.

    The trace store need not be up: calls are served and their records wait in the journal.
    Raises: ConfigurationError, StoreUnavailable when the tables can't be opened.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        doors = await _open_doors(stack, settings, clock)
        tokens = await in_thread(token_reader, doors.tables, doors.key_ring, clock)
        journal = _open_journal(stack, settings)
        store = _open_store(stack, settings)
        catalog = load_catalog(loaded, environment)
        prices = load_prices(loaded.config, catalog)
        client = _open_client(stack)
        traffic = load_traffic(loaded, catalog)
        traces = Traces(store, journal, clock, query_timeout_s=settings.query_timeout_s)
        apart = _open_apart(stack, settings, loaded.config, catalog)
        background = BackgroundReplies(PendingFolder(settings.home / "background"))
        rig = Rig(
            check_key=tokens.check,
            traffic=lambda: traffic,
            counters=MemoryCounters(),
            journal=journal,
            client=client,
            clients={"offline": OfflineClient(), **signing_clients(catalog, client)},
            price=prices.price,
            clock=clock,
            observer=observer,
            origins=ReplyOrigins(find_maker=traces.find_maker),
            follow=background.follow,
            max_body_bytes=settings.max_body_bytes,
        )
        await stack.enter_async_context(_resumed(background, rig))
        streams = await _follow_changes(stack, doors)
        yield House(
            settings=settings,
            tables=doors.tables,
            store=store,
            journal=journal,
            access=doors.access,
            events=doors.events,
            streams=streams,
            key_ring=doors.key_ring,
            prices=prices,
            costs=CostExplanations(store, prices, clock, query_timeout_s=settings.query_timeout_s),
            models=Models(catalog, traffic.routes, ListPrices(prices, clock).of),
            traces=traces,
            reads=_open_reads(stack, store, settings),
            media=TraceMedia(open_blobs(settings)),
            batches=batch_service(settings, loaded.config, doors.tables, clock),
            intake=OtlpIntake(journal, prices, clock, max_body_bytes=settings.max_body_bytes, apart=apart),
            rig=rig,
            first_start=doors.first_start,
        )


def _open_journal(stack: AsyncExitStack, settings: Settings) -> Journal:
    journal = open_journal(settings)
    stack.callback(journal.close)
    return journal


def _open_client(stack: AsyncExitStack) -> AiohttpClient:
    client = AiohttpClient()
    stack.push_async_callback(client.close)
    return client


def _open_store(stack: AsyncExitStack, settings: Settings) -> TraceStore:
    store = BoundedTraceStore(open_trace_store(settings), query_timeout_s=settings.query_timeout_s)
    stack.callback(store.close)
    return store


def _open_apart(
    stack: AsyncExitStack, settings: Settings, config: ConfigFile, catalog: Catalog
) -> IntakeApart:
    apart = intake_apart(settings, config, catalog)
    stack.push_async_callback(apart.close)
    return apart


def _open_reads(stack: AsyncExitStack, store: TraceStore, settings: Settings) -> ReadGate:
    reads = ReadGate(store.cancel, per_caller=settings.reads_per_key, timeout_s=settings.query_timeout_s)
    stack.push_async_callback(reads.close)
    return reads


@dataclass(frozen=True, slots=True)
class _Doors:
    """The tables, and who may come in."""

    tables: Tables
    events: EventService
    access: AccessService
    first_start: FirstStart | None
    key_ring: KeyRing


async def _open_doors(stack: AsyncExitStack, settings: Settings, clock: Clock) -> _Doors:
    tables = await in_thread(open_tables, settings)
    stack.callback(tables.close)
    log = SqlEventLog(tables, clock)
    events = EventService(log, SqlCursors(tables, clock))
    access = access_service(tables, log, session_days=settings.session_days, clock=clock)
    first_start = await in_thread(access.ensure_first_start)
    key_ring = KeyRing(access.store, clock)
    await in_thread(key_ring.load)
    stack.callback(key_ring.close)
    return _Doors(tables, events, access, first_start, key_ring)


async def _follow_changes(stack: AsyncExitStack, doors: _Doors) -> EventStreams:
    """Keep keys up to date, and wake whoever waits for events."""
    await stack.enter_async_context(_running(doors.key_ring.run(), "keys"))
    follower = Follower(doors.events.log, [])
    await in_thread(follower.load)
    await stack.enter_async_context(_running(follower.run(), "events"))
    return EventStreams(doors.events, follower)


@asynccontextmanager
async def _resumed(background: BackgroundReplies, rig: Rig) -> AsyncGenerator[None]:
    """Follow replies made in the background while the block runs, those of the process before first."""
    background.rig = rig
    await background.resume()
    try:
        yield
    finally:
        await background.close()


@asynccontextmanager
async def _running(work: Coroutine[None, None, None], name: str) -> AsyncGenerator[None]:
    """Keep a follower of changes going while the block runs."""
    task = asyncio.create_task(work, name=f"sternpost-{name}")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
