"""Builds files and batches: their service for each process, what runs them for the worker."""

from dataclasses import dataclass

import msgspec

from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.in_force import Configuration, InForce
from sternpost.assembly.part import Foundation
from sternpost.assembly.storage import storage_floor
from sternpost.assembly.traffic import load_off_peak
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.model_client.loopback import LoopbackModelClient
from sternpost.backends.model_client.worker_token import TokenWriter, shared_secret
from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.clock import Clock
from sternpost.base.settings import Settings
from sternpost.capabilities.batches.config import SECTION
from sternpost.capabilities.batches.files.bodies import FolderBodies
from sternpost.capabilities.batches.files.quotas import FileQuotas, UploadRoom
from sternpost.capabilities.batches.jobs import BatchWork
from sternpost.capabilities.batches.provider_batches.anthropic import AnthropicBatches
from sternpost.capabilities.batches.provider_batches.api import ProviderHttp
from sternpost.capabilities.batches.provider_batches.look import ProviderBatches
from sternpost.capabilities.batches.provider_batches.openai import OpenAiBatches
from sternpost.capabilities.batches.provider_batches.results import ResultTaker
from sternpost.capabilities.batches.provider_batches.targets import KeepRecord
from sternpost.capabilities.batches.records import OffPeak, QueueSettings
from sternpost.capabilities.batches.running.ending import BatchEnding
from sternpost.capabilities.batches.running.lines import BatchLines
from sternpost.capabilities.batches.running.reading import InputReader
from sternpost.capabilities.batches.running.starting import BatchStart
from sternpost.capabilities.batches.service import BatchService
from sternpost.capabilities.batches.store import BatchStore
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import CallEntry, Journal
from sternpost.contracts.tables import Tables
from sternpost.loop.batches_use_gateway import GatewayTargets, LinePrices

_FOLDER = "files"
_ENCODER = msgspec.msgpack.Encoder()


def batch_service(settings: Settings, in_force: InForce, tables: Tables, clock: Clock) -> BatchService:
    quotas = FileQuotas(settings.project_files_bytes, settings.key_files_bytes)
    bodies = FolderBodies(settings.home / _FOLDER, min_free_bytes=storage_floor(settings))
    store = BatchStore(tables, SqlEventLog(tables, clock), SqlWorkQueue(tables, clock))

    def off_peak() -> OffPeak | None:
        return load_off_peak(in_force.current.loaded.config)

    return BatchService(store, bodies, clock, off_peak, UploadRoom(quotas), settings.max_file_bytes)


def batch_work(open_: Foundation) -> BatchWork:
    """Build what runs batches; tables and configuration are reached at the first line, and read anew."""
    tables, clock, client = open_.tables, open_.clock, AiohttpClient()
    store = WorkStore(tables, open_.log, open_.queue)
    # Results were paid for: they may take what uploads may not.
    bodies = FolderBodies(open_.settings.home / _FOLDER, min_free_bytes=open_.settings.journal_min_free_bytes)
    targets = GatewayTargets(lambda: open_.in_force.current.traffic)
    settings = _SettingsInForce(open_.settings, open_.in_force)
    tokens = TokenWriter(lambda: shared_secret(tables, clock.now_ns()), clock)
    models = LoopbackModelClient(client, _gateway_url(open_.settings), tokens, clock)
    http = ProviderHttp(client)
    keep = _record_keeper(open_.journal)
    return BatchWork(
        store=store,
        start=BatchStart(InputReader(store, bodies, targets, settings, clock)),
        lines=BatchLines(models, store, bodies, settings, clock),
        providers=ProviderBatches(
            apis={"openai": OpenAiBatches(http), "anthropic": AnthropicBatches(http)},
            http=http,
            store=store,
            bodies=bodies,
            models=targets,
            taker=ResultTaker(store, bodies, LinePrices(open_.in_force.price), keep, clock, open_.facts),
            settings=settings,
            clock=clock,
        ),
        ending=BatchEnding(store, bodies, clock),
        clock=clock,
        close=client.close,
    )


def _gateway_url(settings: Settings) -> str:
    host = settings.host if settings.host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
    return settings.gateway_url or f"http://{host}:{settings.port}"


@dataclass(slots=True)
class _SettingsInForce:
    """What `batches:` of the configuration in force says."""

    settings: Settings
    in_force: InForce
    _read_of: Configuration | None = None
    _read: QueueSettings | None = None

    def __call__(self) -> QueueSettings:
        current = self.in_force.current
        if self._read is None or current is not self._read_of:
            self._read = _queue_settings(self.settings, current.loaded.config)
            self._read_of = current
        return self._read


def _queue_settings(settings: Settings, config: ConfigFile) -> QueueSettings:
    entry = config.section(SECTION)
    return QueueSettings(
        concurrency=entry.concurrency,
        off_peak=load_off_peak(config),
        uses_providers=entry.use_providers,
        poll_s=entry.poll_s,
        max_lines=entry.max_lines,
        max_line_bytes=settings.max_body_bytes,
    )


def _record_keeper(journal: Journal) -> KeepRecord:
    async def keep(record: CallRecord) -> None:
        await journal.append(_ENCODER.encode(CallEntry(record)), "synced")

    return keep
