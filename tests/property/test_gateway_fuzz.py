"""Whatever a caller or a provider sends through the gateway: an answer, no fault of ours, one record."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sternpost.backends.counters.memory import MemoryCounters
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.errors import BodyTooLarge, UpstreamUnreachable
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.cost.service import open_price_book
from sternpost.contracts.call import CallRecord, Principal, Route, Target
from sternpost.contracts.key_scope import ALL_SCOPES
from sternpost.contracts.upstream import UpstreamRequest
from sternpost.gateway.http.asgi import GatewayApp
from sternpost.gateway.services import DeafObserver, GatewayServices
from sternpost.gateway.state.retries import RetryBudgets
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from sternpost.providers.offline.client import OfflineClient
from tests.property.test_dialects_fuzz import junk, spoiled
from tests.unit.dialects.wire import fixture, payloads

DEADLINE_S = 10.0
PRINCIPAL = Principal(ProjectId("prj"), KeyId("key_1"), "one", scopes=ALL_SCOPES)
MODELS = ("lab/m", "labant/m", "labres/m", "offline/extract-large", "both")
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
EMBEDDING = {"model": "lab/m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "float"}
REQUESTS: Mapping[str, Any] = {
    CHAT: json.loads(fixture("openai_request.json")),
    MESSAGES: json.loads(fixture("anthropic_request.json")),
    RESPONSES: json.loads(fixture("responses_request.json")),
    "/v1/messages/count_tokens": json.loads(fixture("anthropic_request.json")),
    "/v1/responses/input_tokens": json.loads(fixture("responses_request.json")),
    "/v1/embeddings": EMBEDDING,
}
PASSED_ON: Mapping[str, Any] = {
    "/v1/images/generations": {"model": "lab/m", "prompt": "A cat", "n": 1},
    "/v1/responses/compact": json.loads(fixture("responses_request.json")),
}
ALL = {**REQUESTS, **PASSED_ON}
ANSWERS: Mapping[str, Any] = {
    "lab": json.loads(fixture("openai_reply.json")),
    "labant": json.loads(fixture("anthropic_reply.json")),
    "labres": json.loads(fixture("responses_reply.json")),
}
STREAMS: Mapping[str, bytes] = {
    "lab": fixture("openai_parallel_tools.sse"),
    "labant": fixture("anthropic_thinking_tools.sse"),
    "labres": fixture("responses_thinking_tools.sse"),
}
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-should-retry", "content-type", "x-request-id"]),
    st.sampled_from(["", "x", "-1", "nan", "1e999", "0", "Wed, 21 Oct 2015 07:28:00 GMT", "é", "a\x7fb"]),
    max_size=2,
)


@dataclass
class Upstream:
    """Plays every provider, in memory: the same answer to whoever asks."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = (b"{}",)
    is_cut: bool = False

    async def send(self, request: UpstreamRequest) -> "Upstream":
        assert request.method
        return self

    async def read(self, max_bytes: int) -> bytes:
        body = b"".join([piece async for piece in self.chunks()])
        if len(body) > max_bytes:
            raise BodyTooLarge("too long")
        return body

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield piece
        if self.is_cut:
            raise UpstreamUnreachable("the connection to the provider broke")

    def close(self) -> None:
        return


class Ear(DeafObserver):
    """Counts what ended."""

    ended = 0

    def call_ended(self, record: CallRecord) -> None:
        self.ended += 1


@dataclass
class Bench:
    """A gateway without a server around it, which keeps its records in a real journal."""

    upstream: Upstream
    ear: Ear
    app: GatewayApp
    runner: asyncio.Runner

    def post(self, path: str, body: bytes, upstream: Upstream | None = None) -> tuple[int, bytes]:
        """Call and return the status and body. Fails when the call was not recorded exactly once."""
        vars(self.upstream).update(vars(upstream or Upstream()))
        before = self.ear.ended
        status, answer = self.runner.run(self._post(path, body))
        assert self.ear.ended == before + 1
        return status, answer

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        asked = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return asked.pop() if asked else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
            "headers": [(b"authorization", b"Bearer sp-one")], "query_string": b"",
        }  # fmt: skip
        async with asyncio.timeout(DEADLINE_S):
            await self.app(scope, receive, send)
        assert sent[-1].get("more_body", False) is False
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("journal")
    settings_of = [
        ProviderSetting("lab", "openai_chat", "http://lab.invalid/v1", "key"),
        ProviderSetting("labant", "anthropic", "http://lab.invalid/v1", "key"),
        ProviderSetting("labres", "openai_responses", "http://lab.invalid/v1", "key"),
    ]
    routes = [Route("both", (Target("lab", "m"), Target("labant", "m")))]
    traffic = traffic_of(configure(settings_of, {}), routes, ())
    upstream, ear, journal = Upstream(), Ear(), SegmentJournal(folder)
    with asyncio.Runner() as runner:
        services = GatewayServices(
            check_key=lambda _: PRINCIPAL,
            traffic=lambda: traffic,
            counters=MemoryCounters(),
            journal=journal,
            client=upstream,  # type: ignore[arg-type]
            clients={"offline": OfflineClient()},
            price=open_price_book([]).price,
            observer=ear,
            retries=RetryBudgets(chance=lambda: 0.0),
        )
        yield Bench(upstream, ear, GatewayApp(services), runner)
        journal.close()
    reader = SegmentReader(folder)
    found = len(reader.read(max_records=1_000_000, max_bytes=10**10))
    reader.close()
    assert found == ear.ended > 0


def judge(status: int, body: bytes, *, is_stream: bool) -> None:
    """Say that an answer is none of our faults, and one that a client can read."""
    assert b"internal_error" not in body
    assert b"Sternpost failed on this" not in body
    if is_stream and status == 200 and body[:1] != b"{":
        payloads(body)
        return
    answer = json.loads(body)
    assert status == 200 or answer["error"]["message"]


def rarely_junk(*valid: Any) -> st.SearchStrategy[Any]:
    """One of the valid values, and one time in ten anything else: what is refused at once shows little."""
    return st.integers(0, 9).flatmap(lambda dice: st.sampled_from(valid) if dice else junk)


steady = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
every_path = pytest.mark.parametrize("path", REQUESTS)
every_door = pytest.mark.parametrize("path", ALL)


@every_door
@steady
@given(choices=st.data())
def test_any_spoiled_request_is_answered_or_refused(bench: Bench, path: str, choices: st.DataObject) -> None:
    body = choices.draw(spoiled(ALL[path]))
    if isinstance(body, dict):
        body |= {
            "model": choices.draw(rarely_junk(*MODELS)),
            "stream": choices.draw(rarely_junk(False, True)),
        }
    model = body.get("model") if isinstance(body, dict) else None
    name = model.partition("/")[0] if isinstance(model, str) else ""
    is_stream = isinstance(body, dict) and body.get("stream") is True
    answer = STREAMS.get(name, b"") if is_stream else json.dumps(ANSWERS.get(name, {})).encode()
    status, shown = bench.post(path, json.dumps(body).encode(), Upstream(pieces=(answer,)))
    judge(status, shown, is_stream=is_stream)


@every_door
@steady
@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]",:0\\u', max_size=60).map(str.encode))
def test_any_bytes_are_refused(bench: Bench, path: str, body: bytes) -> None:
    status, shown = bench.post(path, body)
    judge(status, shown, is_stream=False)
    assert status == 400


@every_path
@steady
@given(choices=st.data())
def test_any_answer_of_a_provider_is_passed_on_or_named_a_failure(
    bench: Bench, path: str, choices: st.DataObject
) -> None:
    name = choices.draw(st.sampled_from(sorted(ANSWERS)))
    whole = choices.draw(spoiled(ANSWERS[name]) | junk)
    body = choices.draw(st.sampled_from([json.dumps(whole).encode()]) | st.binary(max_size=40))
    upstream = Upstream(
        status=choices.draw(st.sampled_from([200, 200, 200, 204, 302, 400, 401, 404, 429, 500, 599])),
        headers=choices.draw(HEADERS),
        pieces=(body,),
        is_cut=choices.draw(st.booleans()),
    )
    asked = REQUESTS[path] | {"model": f"{name}/m"}
    status, shown = bench.post(path, json.dumps(asked).encode(), upstream)
    judge(status, shown, is_stream=False)


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@steady
@given(choices=st.data())
def test_any_stream_of_a_provider_ends_in_its_end_or_in_an_error(
    bench: Bench, path: str, choices: st.DataObject
) -> None:
    name = choices.draw(st.sampled_from(sorted(STREAMS)))
    frames = choices.draw(st.just(payloads(STREAMS[name])) | spoiled(payloads(STREAMS[name])))
    stream = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames or [])
    stream += choices.draw(
        st.sampled_from([b"data: [DONE]\n\n", b"", b"data: {", b"\xff\xfe\n\n", b": x\n\n"])
    )
    end = choices.draw(st.integers(0, len(stream)))
    cuts = sorted({0, end, *choices.draw(st.lists(st.integers(0, end), max_size=4))})
    pieces = tuple(stream[start:stop] for start, stop in pairwise(cuts))
    upstream = Upstream(pieces=pieces, is_cut=choices.draw(st.booleans()))
    asked = REQUESTS[path] | {"model": f"{name}/m", "stream": True}
    status, shown = bench.post(path, json.dumps(asked).encode(), upstream)
    judge(status, shown, is_stream=True)
