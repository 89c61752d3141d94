"""The gateway over real HTTP: its ASGI app under uvicorn, a fake provider behind it, one event loop."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import uvicorn

from sternpost.backends.counters.memory import MemoryCounters
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.base.errors import KeyRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.service import open_price_book
from sternpost.contracts.call import CallRecord, LimitEntry, Principal, Route, Target, TimeLimits
from sternpost.contracts.journal import CallEntry
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope
from sternpost.gateway.http.asgi import GatewayApp
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.state.retries import RetryBudgets
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.support.polling import until

KEYS = {
    "sp-one": Principal(ProjectId("prj"), KeyId("key_1"), "one", scopes=ALL_SCOPES),
    "sp-lab": Principal(ProjectId("prj"), KeyId("key_3"), "lab", models=("lab/*",), scopes=ALL_SCOPES),
    "sp-narrow": Principal(
        ProjectId("prj"), KeyId("key_2"), "narrow", models=("lab/m1", "steady"), scopes=ALL_SCOPES
    ),
    "sp-app": Principal(ProjectId("prj"), KeyId("key_4"), "app", scopes=frozenset({KeyScope.CALLS})),
    "sp-reader": Principal(
        ProjectId("prj"), KeyId("key_5"), "reader", scopes=frozenset({KeyScope.TRACES_READ})
    ),
}
LONG_KEY, TEAM_TOKEN = "sk-lab-0123456789abcdef", "team-0123456789abcdef"
ASK = [{"role": "user", "content": "What is a forklift?"}]


def check_key(presented: str) -> Principal:
    if presented not in KEYS:
        raise KeyRefused("the API key is not known; make one with `sternpost key create`")
    return KEYS[presented]


class Disk:
    """How much room the journal's disk has; a test may fill it."""

    free_bytes = 10**12

    def free(self, folder: Path) -> int:
        return self.free_bytes


@dataclass
class Ear:
    """Counts what the observer is told."""

    ended: int = 0
    refused_keys: int = 0
    lost: int = 0
    refused_retries: int = 0

    def call_ended(self, record: CallRecord) -> None:
        self.ended += 1

    def key_refused(self) -> None:
        self.refused_keys += 1

    def record_lost(self) -> None:
        self.lost += 1

    def retry_refused(self, route: str, provider: str) -> None:
        self.refused_retries += 1


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Gateway:
    """One gateway with its provider; `limits` and `services` may be replaced before a call."""

    url: str
    app: GatewayApp
    services: GatewayServices
    reader: SegmentReader
    ear: Ear
    disk: Disk
    provider: FakeProvider
    session: aiohttp.ClientSession
    kept: list[CallRecord] = field(default_factory=list)

    async def post(self, path: str, body: object, **headers: str) -> Answer:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(self.url + path, data=sent, headers=named) as reply:
            return Answer(reply.status, _lower(reply.headers), await reply.read())

    async def chat(self, model: str, **more: Any) -> Answer:
        headers = more.pop("headers", {})
        return await self.post("/v1/chat/completions", {"model": model, "messages": ASK, **more}, **headers)

    async def message(self, model: str, **more: Any) -> Answer:
        headers = more.pop("headers", {})
        body = {"model": model, "messages": ASK, "max_tokens": 100, **more}
        return await self.post("/v1/messages", body, **headers)

    async def get(self, path: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(self.url + path, headers=named) as reply:
            return Answer(reply.status, _lower(reply.headers), await reply.read())

    def records(self) -> list[CallRecord]:
        """Return what the journal holds now, from its files."""
        found = self.reader.read(max_records=1000, max_bytes=10**9)
        self.kept += [msgspec.msgpack.decode(record.payload, type=CallEntry).call for record in found]
        return self.kept

    def record(self) -> CallRecord:
        """Return the record there must be exactly one of."""
        records = self.records()
        assert len(records) == 1
        assert self.ear.ended == 1
        return records[0]

    async def wait_for_record(self) -> CallRecord:
        await until(lambda: bool(self.records()))
        return self.record()


class GatewayMaker:
    """Starts gateways in the test's event loop and stops them at its end."""

    def __init__(self, provider: FakeProvider, folder: Path) -> None:
        self._provider = provider
        self._folder = folder
        self._running: list[tuple[uvicorn.Server, Gateway]] = []

    async def __call__(self, *limits: LimitEntry, **changes: Any) -> Gateway:
        self._provider.reset()
        disk, ear = Disk(), Ear()
        folder = self._folder / f"journal-{len(self._running)}"
        journal = SegmentJournal(folder, free=disk.free)
        services = replace(_services(self._provider.url, limits, journal, ear), **changes)
        app = GatewayApp(services)
        config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off", ws="none")
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()  # without `serve`, whose loop looks at its stop flag ten times a second
        port = server.servers[0].sockets[0].getsockname()[1]
        session = aiohttp.ClientSession(headers={"authorization": "Bearer sp-one"})
        reader = SegmentReader(folder)
        gateway = Gateway(
            f"http://127.0.0.1:{port}", app, services, reader, ear, disk, self._provider, session
        )
        self._running.append((server, gateway))
        return gateway

    async def stop(self) -> None:
        for server, gateway in self._running:
            await gateway.session.close()
            await server.shutdown()
            await gateway.services.client.close()
            gateway.reader.close()
            gateway.services.journal.close()


def _services(url: str, limits: tuple[LimitEntry, ...], journal: SegmentJournal, ear: Ear) -> GatewayServices:
    settings = [
        ProviderSetting("lab", "openai_chat", f"{url}/v1", "lab-key"),
        ProviderSetting("labant", "anthropic", f"{url}/v1", "lab-key"),
        ProviderSetting("long", "openai_chat", f"{url}/v1", LONG_KEY, headers={"x-team-token": TEAM_TOKEN}),
        ProviderSetting("dead", "openai_chat", "http://127.0.0.1:9/v1", "x"),
        ProviderSetting("unset", "openai_chat", f"{url}/v1", None, is_key_expected=True),
    ]
    quick = TimeLimits(connect_s=1.0, first_token_s=0.3, idle_s=0.3, total_s=2.0)
    routes = [
        Route("steady", (Target("dead", "m1"), Target("lab", "m1"))),
        Route("quick", (Target("lab", "m1"),), quick),
        Route("stalls", (Target("lab", "fault-stall"),), quick),
        Route("slow-start", (Target("lab", "fault-slow-first-token?seconds=5"),), quick),
        Route("held-short", (Target("lab", "fault-slow-first-token?seconds=1.2"),), hold_ms=50),
        Route("error-first", (Target("lab", "fault-error-event?after=1"), Target("labant", "m1"))),
        Route(
            "long-context", (Target("lab", "fault-context"), Target("labant", "m1", ("context_too_long",)))
        ),
        Route(
            "long-in-200",
            (Target("lab", "fault-error-200"), Target("labant", "m1", ("context_too_long",))),
        ),
        Route("only-when-down", (Target("lab", "fault-context"), Target("lab", "m1", ("down",)))),
        Route("all-bad", (Target("dead", "m1"), Target("lab", "fault-500"))),
        Route("slow-then-good", (Target("lab", "fault-slow-status?seconds=5"), Target("lab", "m1"))),
        Route("vectors", (Target("dead", "m1"), Target("lab", "m2"), Target("lab", "m1"))),
        Route("other-vectors", (Target("dead", "m1"), Target("lab", "m2"), Target("labant", "m1"))),
        Route("cached", (Target("labant", "m1"),), cache_ttl="1h"),
        Route("strict", (Target("labant", "m1"),), unsupported="refuse"),
        Route("strict-or-able", (Target("labant", "m1"), Target("lab", "m1")), unsupported="refuse"),
        Route("one-or-many", (Target("labant", "m1"), Target("lab", "m1", ("down",)), Target("lab", "m2"))),
        Route("spent", (Target("lab", "fault-402"), Target("lab", "m1"))),
        Route("limited", (Target("lab", "fault-429?retry_after=9"), Target("lab", "m1"))),
    ]
    prices = [
        PriceEntry(model, input_usd=Decimal(1), output_usd=Decimal(2))
        for model in ("lab/m1", "lab/fault-cut")
    ]
    traffic = traffic_of(configure(settings, {}), routes, limits)
    return GatewayServices(
        check_key=check_key,
        traffic=lambda: traffic,
        counters=MemoryCounters(),
        journal=journal,
        client=AiohttpClient(),
        price=open_price_book(prices).price,
        observer=ear,
        retries=RetryBudgets(chance=lambda: 0.0),  # no back-off: waits the provider asked for stay
    )


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture
async def start_gateway(provider: FakeProvider, tmp_path: Path) -> AsyncIterator[GatewayMaker]:
    maker = GatewayMaker(provider, tmp_path)
    yield maker
    await maker.stop()


@pytest.fixture
async def gateway(start_gateway: GatewayMaker) -> Gateway:
    return await start_gateway()
