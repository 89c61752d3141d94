"""Builds files and batches: their service for the serving process, their runner for the worker."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from sternpost.assembly.config_file import LoadedConfig
from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.journal import open_journal
from sternpost.assembly.storage import storage_floor
from sternpost.assembly.traffic import load_catalog, load_off_peak, load_prices, load_traffic
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.model_client.loopback import LoopbackModelClient
from sternpost.backends.model_client.worker_token import TokenWriter, shared_secret
from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import SternpostError
from sternpost.base.ids import KeyId, ProjectId
from sternpost.base.settings import Settings
from sternpost.capabilities.batches.bodies import FolderBodies
from sternpost.capabilities.batches.config import SECTION
from sternpost.capabilities.batches.jobs import BatchWork
from sternpost.capabilities.batches.line_format import DIALECTS
from sternpost.capabilities.batches.queue_lane import QueueLane
from sternpost.capabilities.batches.quotas import FileQuotas, UploadRoom
from sternpost.capabilities.batches.reading import InputReader
from sternpost.capabilities.batches.records import QueueSettings
from sternpost.capabilities.batches.service import BatchService
from sternpost.capabilities.batches.settling import Settler
from sternpost.capabilities.batches.store import BatchStore
from sternpost.capabilities.batches.targets import VendorTarget
from sternpost.capabilities.batches.vendor_anthropic import AnthropicBatches
from sternpost.capabilities.batches.vendor_api import VendorHttp
from sternpost.capabilities.batches.vendor_lane import VendorLane
from sternpost.capabilities.batches.vendor_openai import OpenAiBatches
from sternpost.capabilities.batches.vendor_results import ResultTaker
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.capabilities.cost.service import PriceBook
from sternpost.contracts.call import CallRecord, Principal
from sternpost.contracts.journal import CallEntry, Journal
from sternpost.contracts.tables import Tables
from sternpost.contracts.usage import Cost, Usage
from sternpost.dialects.json_text.raw_object import split_object
from sternpost.gateway.stages import named_models, route
from sternpost.gateway.state.traffic import Plan, Traffic

_FOLDER = "files"
_ENCODER = msgspec.msgpack.Encoder()


def batch_service(settings: Settings, config: ConfigFile, tables: Tables, clock: Clock) -> BatchService:
    """Raises: ConfigurationError for an invalid window."""
    quotas = FileQuotas(settings.project_files_bytes, settings.key_files_bytes)
    bodies = FolderBodies(settings.home / _FOLDER, min_free_bytes=storage_floor(settings))
    store = BatchStore(tables, SqlEventLog(tables, clock))
    return BatchService(
        store, bodies, clock, load_off_peak(config), UploadRoom(quotas), settings.max_file_bytes
    )


def run_batches(
    settings: Settings,
    loaded: LoadedConfig,
    environment: Mapping[str, str],
    tables: Tables,
    stop: threading.Event,
) -> None:
    """Run batches in their own loop until stopped. Raises: ConfigurationError, StoreUnavailable."""
    asyncio.run(_run(settings, loaded, environment, tables, stop))


async def _run(
    settings: Settings,
    loaded: LoadedConfig,
    environment: Mapping[str, str],
    tables: Tables,
    stop: threading.Event,
) -> None:
    clock, client = SystemClock(), AiohttpClient()
    async with _late_journal(settings) as keep:
        try:
            work = _work(settings, loaded, environment, tables, client, keep, clock)
            await work.run(stop)
        finally:
            await client.close()


def _work(
    settings: Settings,
    loaded: LoadedConfig,
    environment: Mapping[str, str],
    tables: Tables,
    client: AiohttpClient,
    keep: "_LateJournal",
    clock: Clock,
) -> BatchWork:
    catalog = load_catalog(loaded, environment)
    models = _Models(load_traffic(loaded, catalog))
    queue = _queue_settings(settings, loaded.config)
    store, bodies, bell = WorkStore(tables, SqlEventLog(tables, clock)), _bodies(settings), asyncio.Event()
    settler = Settler(store, clock)
    tokens = TokenWriter(shared_secret(tables, clock.now_ns()), clock)
    calls = LoopbackModelClient(client, queue.gateway_url, tokens, clock)
    http = VendorHttp(client)
    prices = _Prices(load_prices(loaded.config, catalog))
    return BatchWork(
        worker=f"{socket.gethostname()}:{settings.home.resolve()}",
        store=store,
        bodies=bodies,
        reader=InputReader(store, bodies, models, queue, clock),
        queue=QueueLane(calls, store, bodies, settler, queue, clock, bell),
        vendors=VendorLane(
            apis={"openai": OpenAiBatches(http), "anthropic": AnthropicBatches(http)},
            http=http,
            store=store,
            bodies=bodies,
            models=models,
            taker=ResultTaker(store, bodies, settler, prices, keep, clock),
            settings=queue,
            clock=clock,
        ),
        clock=clock,
        bell=bell,
    )


def _bodies(settings: Settings) -> FolderBodies:
    """Results were paid for: they may take what uploads may not."""
    return FolderBodies(settings.home / _FOLDER, min_free_bytes=settings.journal_min_free_bytes)


def _queue_settings(settings: Settings, config: ConfigFile) -> QueueSettings:
    entry = config.section(SECTION)
    host = settings.host if settings.host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
    return QueueSettings(
        gateway_url=settings.gateway_url or f"http://{host}:{settings.port}",
        concurrency=entry.concurrency,
        off_peak=load_off_peak(config),
        uses_vendors=entry.use_providers,
        poll_s=entry.poll_s,
        max_lines=entry.max_lines,
        max_line_bytes=settings.max_body_bytes,
    )


@dataclass(frozen=True, slots=True)
class _Models:
    """Implements `batches.targets.Models` by the gateway's own rules of names."""

    traffic: Traffic

    def choose(self, url: str, model: str, principal: Principal) -> VendorTarget | None:
        return _vendor_target(self._plan(url, model, principal))

    def refuse_others(self, url: str, model: str, body: bytes, principal: Principal) -> None:
        named_models.check(split_object(body), principal, self._plan(url, model, principal))

    def target(self, provider: str, model: str, url: str) -> VendorTarget | None:
        nobody = Principal(ProjectId(""), KeyId(""), "")
        try:
            return _vendor_target(self._plan(url, f"{provider}/{model}", nobody))
        except SternpostError:
            return None

    def _plan(self, url: str, model: str, principal: Principal) -> Plan:
        spoken = None if url == "/v1/embeddings" else DIALECTS[url]
        return route.choose(model, principal, self.traffic, spoken=spoken)


def _vendor_target(plan: Plan) -> VendorTarget | None:
    """A route with fallbacks keeps them: only the gateway can try them."""
    planned = plan.targets[0]
    api = planned.provider.batch_api
    if len(plan.targets) > 1 or not api:
        return None
    return VendorTarget(
        planned.provider, planned.target.model, api, planned.codec, planned.facts, planned.headers
    )


@dataclass(frozen=True, slots=True)
class _Prices:
    """Implements `batches.targets.PriceLine`."""

    book: PriceBook

    def __call__(
        self, target: VendorTarget, answered_model: str, usage: Usage | None, started_ns: int
    ) -> Cost:
        base_model = target.provider.deployments.get(target.model)
        return self.book.price(
            provider=target.provider.name,
            model=base_model or answered_model or target.model,
            fallback_model=base_model or target.model,
            usage=usage,
            started_ns=started_ns,
            is_free=target.provider.is_free,
        )


@dataclass(slots=True)
class _LateJournal:
    """A journal of the worker's own, begun with the first record: most workers never need one."""

    settings: Settings
    _journal: Journal | None = field(default=None)

    async def __call__(self, record: CallRecord) -> None:
        if self._journal is None:
            self._journal = open_journal(self.settings)
        await self._journal.append(_ENCODER.encode(CallEntry(record)), "synced")

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


@asynccontextmanager
async def _late_journal(settings: Settings) -> AsyncGenerator[_LateJournal]:
    journal = _LateJournal(settings)
    try:
        yield journal
    finally:
        journal.close()
