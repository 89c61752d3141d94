import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from sternpost.api.services import connect
from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.clock import ManualClock
from sternpost.base.ids import ContentHash, KeyId, ProjectId, new_span_id, new_trace_id
from sternpost.base.money import NanoUsd
from sternpost.base.reads import ReadGate
from sternpost.capabilities.access.records import Caller
from sternpost.capabilities.traces.content import json_content, message_content
from sternpost.capabilities.traces.routes import router
from sternpost.capabilities.traces.service import Traces
from sternpost.capabilities.traces.writing.drain import Drain
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.call import CallRecord
from sternpost.contracts.key_scope import ALL_SCOPES
from sternpost.contracts.message import DocumentPart, Message
from sternpost.contracts.span import ModelUse, Span, SpanBundle, SpanStatus, SpanType, TraceAttributes
from sternpost.contracts.span_facts import SpanFact
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus, Usage
from sternpost.server.problems import install
from tests.unit.capabilities.traces.calls import NOON, SECOND, attempt, call, request_body

FACTS = {
    one.name: one
    for one in [
        SpanFact("release", "text", "The release that answered."),
        SpanFact("variant", "text", "The variant of an experiment."),
        SpanFact("risk", "number", "How risky a guard found the call."),
        SpanFact("is_held", "flag", "Whether a guard held the call."),
    ]
}


class Api:
    """The routes on a real store, for one project, at a fixed time after the calls."""

    def __init__(self, store: TraceStore, journal: SegmentJournal, project: ProjectId, folder: Path) -> None:
        self.store = store
        self.blobs = FolderBlobs(folder)
        self.project = project
        app = FastAPI()
        install(app)
        self.clock = ManualClock(NOON + 3600 * SECOND)

        async def identify(_: Request) -> Caller:
            return Caller(project, key_id=KeyId("key_1"), key_name="ada's key", scopes=ALL_SCOPES)

        reads = ReadGate(store.cancel, per_caller=20, timeout_s=20)
        app.include_router(router)
        connect(app, [Traces(store, journal, self.clock, facts=FACTS), reads], identify)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sternpost")

    def write(self, *records: CallRecord | SpanBundle) -> None:
        batches = [spans_of_call(r, NOON) if isinstance(r, CallRecord) else r for r in records]
        write_batches(self.store, self.blobs, batches, RecentHashes())

    async def get(self, path: str, **parameters: object) -> dict:
        reply = await self.client.get(path, params=parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def ids(self, **parameters: object) -> list[str]:
        return [item["trace_id"] for item in (await self.get("/api/traces", **parameters))["items"]]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SegmentJournal]:
    journal = SegmentJournal(tmp_path / "journal")
    yield journal
    journal.close()


@pytest.fixture
async def api(
    store: TraceStore, journal: SegmentJournal, project: ProjectId, tmp_path: Path
) -> AsyncIterator[Api]:
    api = Api(store, journal, project, tmp_path / "blobs")
    yield api
    await api.client.aclose()


def span(project: ProjectId, **changes: object) -> Span:
    fields: dict[str, object] = {
        "project_id": project,
        "trace_id": new_trace_id(),
        "span_id": new_span_id(),
        "parent_span_id": None,
        "type": SpanType.CHAIN,
        "name": "answer",
        "started_ns": NOON,
        "ended_ns": NOON + 2 * SECOND,
    }
    return Span(**{**fields, **changes})  # type: ignore[arg-type]


async def test_list_shows_a_call_as_one_row(api: Api) -> None:
    record = call(api.project)
    api.write(record)
    assert await api.get("/api/traces") == {
        "items": [
            {
                "trace_id": record.trace_id,
                "name": "chat fast",
                "started_at": "2026-11-20T12:00:00.000000Z",
                "duration_ms": 1100.0,
                "status": "ok",
                "span_count": 2,
                "models": ["gpt-5-mini-2025-08-07"],
                "input_tokens": 12,
                "output_tokens": 5,
                "cost_usd": "0.00001255",
                "cost_nanousd": 12550,
                "cost_status": "computed",
                "cache_read_tokens": 2,
                "cache_saved_usd": None,
                "cache_saved_nanousd": None,
                "session_id": "s1",
                "user_id": "ada",
                "environment": "production",
                "tags": ["beta"],
                "input_preview": "What is a forklift?",
                "output_preview": "A machine for hoisting.",
                "error_preview": "",
                "scores": [],
            }
        ],
        "next_cursor": None,
        "searched_until": None,
    }


async def test_pages_meet_without_gap_or_overlap_while_new_traces_arrive(api: Api) -> None:
    records = [call(api.project, started_ns=NOON + n // 2 * SECOND) for n in range(9)]  # pairs start together
    api.write(*records)
    expected = [r.trace_id for r in sorted(records, key=lambda r: (r.started_ns, r.trace_id), reverse=True)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await api.get("/api/traces", limit=2, cursor=cursor)
        seen += [item["trace_id"] for item in page["items"]]
        api.write(call(api.project, started_ns=NOON + 100 * SECOND))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == expected


async def test_trace_is_listed_where_it_began_and_only_there(api: Api) -> None:
    early = span(api.project, started_ns=NOON - 600 * SECOND)
    late = span(api.project, trace_id=early.trace_id, parent_span_id=early.span_id, started_ns=NOON)
    other = span(api.project, started_ns=NOON - 300 * SECOND)
    api.write(SpanBundle((early, late, other)))
    assert await api.ids() == [other.trace_id, early.trace_id]
    assert await api.ids(since="2026-11-20T11:52:00Z") == [other.trace_id]


async def test_span_written_twice_counts_once(api: Api) -> None:
    record = call(api.project)
    api.write(record)
    api.write(record)
    item = (await api.get("/api/traces"))["items"][0]
    assert (item["span_count"], item["cost_nanousd"]) == (2, 12_550)
    assert (await api.get("/api/overview", until="now"))["totals"]["calls"] == 1


@pytest.mark.parametrize("hops", [1, 2])
async def test_call_that_client_and_gateway_both_report_counts_once(api: Api, hops: int) -> None:
    trace_id, llm_id, http_id = new_trace_id(), new_span_id(), new_span_id()
    usage, cost = Usage(in_fresh=10, out_text=5), Cost(CostStatus.COMPUTED, NanoUsd(12_550))
    llm = span(
        api.project, trace_id=trace_id, span_id=llm_id, type=SpanType.LLM, name="chat gpt-5", usage=usage,
        cost=cost, model=ModelUse(provider="openai", request_model="gpt-5-mini"),
    )  # fmt: skip
    http = span(api.project, trace_id=trace_id, span_id=http_id, parent_span_id=llm_id, name="POST")
    parent = llm_id if hops == 1 else http_id
    api.write(SpanBundle((llm, http)), call(api.project, trace_id=trace_id, parent_span_id=parent))
    item = (await api.get("/api/traces"))["items"][0]
    assert (item["name"], item["cost_nanousd"], item["input_tokens"]) == ("chat gpt-5", 12_550, 12)
    assert (await api.get("/api/overview"))["totals"]["calls"] == 1


@pytest.mark.parametrize("usage", [Usage(in_fresh=10), None])
async def test_embedding_that_client_and_gateway_both_report_counts_once(
    api: Api, usage: Usage | None
) -> None:
    cost = Cost(CostStatus.COMPUTED, NanoUsd(200))
    seen = span(api.project, type=SpanType.EMBEDDING, name="embed", usage=Usage(in_fresh=10), cost=cost)
    record = call(
        api.project, operation="embeddings", trace_id=seen.trace_id, parent_span_id=seen.span_id, usage=usage,
        cost=cost, request_body=b'{"model":"m","input":["a","b"]}', reply_body=b"",
    )  # fmt: skip
    api.write(SpanBundle((seen,)), record)
    item = (await api.get("/api/traces"))["items"][0]
    assert (item["cost_nanousd"], item["input_tokens"]) == (200, 10 if usage else 0)
    assert (await api.get("/api/overview"))["totals"]["calls"] == 1


async def test_framework_span_around_an_sdk_span_counts_once(api: Api) -> None:
    usage, cost = Usage(in_fresh=10), Cost(CostStatus.COMPUTED, NanoUsd(7))
    outer = span(api.project, type=SpanType.LLM, name="ChatOpenAI", usage=usage, cost=cost)
    inner = span(
        api.project, trace_id=outer.trace_id, parent_span_id=outer.span_id, type=SpanType.LLM, usage=usage,
        cost=cost,
    )  # fmt: skip
    api.write(SpanBundle((outer, inner)))
    assert (await api.get("/api/traces"))["items"][0]["cost_nanousd"] == 7
    assert (await api.get("/api/overview"))["totals"]["calls"] == 1


async def test_same_response_id_in_a_trace_is_the_same_call(api: Api) -> None:
    record = call(api.project)  # its reply has the id chatcmpl-1
    seen = span(
        api.project, trace_id=record.trace_id, type=SpanType.LLM, usage=Usage(in_fresh=10),
        cost=Cost(CostStatus.COMPUTED, NanoUsd(7)), model=ModelUse(response_id="chatcmpl-1"),
    )  # fmt: skip
    api.write(record, SpanBundle((seen,)))
    assert (await api.get("/api/traces"))["items"][0]["cost_nanousd"] == 12_550


async def test_rollup_is_never_summed(api: Api) -> None:
    cost = Cost(CostStatus.COMPUTED, NanoUsd(5))
    parent = span(
        api.project, type=SpanType.LLM, usage=Usage(in_fresh=9), cost=cost, is_rollup=True
    )  # fmt: skip
    child = span(
        api.project, trace_id=parent.trace_id, parent_span_id=parent.span_id, type=SpanType.LLM,
        usage=Usage(in_fresh=9), cost=cost,
    )  # fmt: skip
    api.write(SpanBundle((parent, child)))
    item = (await api.get("/api/traces"))["items"][0]
    assert (item["input_tokens"], item["cost_nanousd"]) == (9, 5)


async def test_unknown_cost_is_null_and_never_zero(api: Api) -> None:
    api.write(call(api.project, cost=Cost(CostStatus.UNKNOWN, reason="model_unmatched")))
    item = (await api.get("/api/traces"))["items"][0]
    assert (item["cost_usd"], item["cost_nanousd"], item["cost_status"]) == (None, None, "unknown")
    totals = (await api.get("/api/overview"))["totals"]
    assert (totals["cost_usd"], totals["cost_status_counts"]) == (None, {"unknown": 1})


async def test_failed_attempt_that_was_retried_leaves_the_trace_well(api: Api) -> None:
    api.write(call(api.project, attempts=(attempt(1, SpanStatus.ERROR), attempt(2))))
    assert await api.ids(filter="status:ok") != []
    assert await api.ids(filter="status:error") == []


async def test_filters_choose_traces(api: Api) -> None:
    plain = call(api.project)
    other = call(
        api.project,
        trace=TraceAttributes(user_id="bob", tags=("gold",), trace_name="support"),
        request_body=request_body("s", 'Is "café au lait" cheaper than tea-time?'),
        status=SpanStatus.ERROR,
        error_type="upstream_timeout",
        error="the provider took too long",
        usage=Usage(in_fresh=5000),
        cost=Cost(CostStatus.COMPUTED, NanoUsd(2_000_000_000)),
        response_model="claude-haiku-4-5",
        ended_ns=NOON + 30 * SECOND,
        attributes={"batch_id": "batch_1", "Retries": "3"},
    )
    api.write(plain, other)
    for text in (
        "attr.batch_id:batch_1", "attr.batch_id:batch*", "attr.batch_id:*", "attr.Retries:>2",
        "user:bob", "tag:gold", "name:supp", "status:error", "error:timeout", "error:*", "model:claude-*",
        "cost>1", "tokens>4k", "duration>10s", "-user:ada", "NOT (user:ada OR tag:beta)", "cheaper",
        '"café au lait"', '"tea-time"', "CAFÉ", f"trace:{other.trace_id}", "user:bob status:error",
    ):  # fmt: skip
        assert await api.ids(filter=text) == [other.trace_id], text
    assert len(await api.ids(filter="user:ada OR user:bob")) == 2
    assert await api.ids(filter="user:ada status:error") == []
    assert await api.ids(filter="attr.retries:3 OR attr.Retries:<3 OR attr.batch_id:batch_2") == []
    assert await api.ids(filter="chea") == []  # whole words
    assert await api.ids(filter="assistant") == []  # the word is in each message's JSON, but nobody said it


async def test_detail_shows_spans_messages_and_arithmetic(api: Api) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    body = request_body("Be brief.", "What is a forklift?", tools=[tool], temperature=0.5)
    record = call(api.project, request_body=body)
    api.write(record)
    detail = await api.get(f"/api/traces/{record.trace_id}")
    assert detail["trace"]["truncated_spans"] == 0
    gateway, tried = detail["spans"]
    assert (gateway["type"], tried["type"], tried["parent_span_id"]) == (
        "gateway", "attempt", record.span_id,
    )  # fmt: skip
    assert gateway["input"] == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "What is a forklift?"}]},
    ]
    assert gateway["output"][0]["finish_reason"]
    assert gateway["usage"] == {"in_fresh": 10, "in_cache_read": 2, "out_text": 5}
    assert gateway["cost_parts"] == {"in_fresh": "0.00000255", "out_text": "0.00001"}
    assert gateway["time_to_first_token_ms"] == 500.0
    assert gateway["attributes"]["tools"]["tools"][0]["name"] == "look_up"
    assert gateway["attributes"]["parameters"] == {"temperature": 0.5}
    assert (tried["usage"], tried["cost_usd"]) == (None, None)


async def test_retrieved_documents_and_large_attributes_are_shown(api: Api) -> None:
    document = DocumentPart("docs/a.md", "A forklift hoists.", score=0.0, title="A", uri="a.md")
    message = message_content(api.project, Message("tool", (document,)))
    large = json_content(api.project, "x" * 2000)
    found = span(
        api.project, type=SpanType.RETRIEVER, output_hashes=(message.hash,),
        attributes={"big": f"sternpost:content:{large.hash}"},
    )  # fmt: skip
    api.write(SpanBundle((found,), (message, large)))
    shown = (await api.get(f"/api/traces/{found.trace_id}"))["spans"][0]
    assert shown["output"] == [
        {
            "role": "tool",
            "parts": [
                {
                    "type": "document", "id": "docs/a.md", "content": "A forklift hoists.", "score": 0.0,
                    "title": "A", "uri": "a.md",
                }
            ],
        }
    ]  # fmt: skip
    assert shown["attributes"]["big"] == "x" * 2000


async def test_content_that_is_gone_is_said(api: Api) -> None:
    lost = span(api.project, input_hashes=(ContentHash("0" * 64),))
    api.write(SpanBundle((lost,)))
    shown = (await api.get(f"/api/traces/{lost.trace_id}"))["spans"][0]
    assert shown["input"][0]["parts"][0]["payload"] == {"missing": "content"}


async def test_huge_trace_comes_in_pages_in_tree_order(api: Api) -> None:
    root = span(api.project)
    children = [
        span(api.project, trace_id=root.trace_id, parent_span_id=root.span_id, started_ns=NOON + n)
        for n in range(1, 5004)
    ]
    api.write(SpanBundle((root, *children)))
    detail = await api.get(f"/api/traces/{root.trace_id}")
    assert (len(detail["spans"]), detail["trace"]["span_count"]) == (5000, 5004)
    assert detail["trace"]["truncated_spans"] == 4
    rest = await api.get(f"/api/traces/{root.trace_id}", spans_cursor=detail["spans_cursor"])
    ids = [one["span_id"] for page in (detail, rest) for one in page["spans"]]
    assert ids == [root.span_id, *(one.span_id for one in children)]
    assert rest["spans_cursor"] is None
    lost = await api.client.get(f"/api/traces/{root.trace_id}", params={"spans_cursor": "nonsense"})
    assert (lost.status_code, lost.json()["param"]) == (400, "spans_cursor")


@pytest.mark.parametrize("trace_id", ["0" * 32, "nonsense", "'; DROP TABLE spans"])
async def test_trace_that_is_not_there_is_not_found(api: Api, trace_id: str) -> None:
    reply = await api.client.get(f"/api/traces/{trace_id}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


async def test_another_project_sees_nothing(api: Api, store: TraceStore, journal: SegmentJournal) -> None:
    record = call(ProjectId("prj_stranger"))
    api.write(record)
    assert await api.ids() == []
    assert (await api.client.get(f"/api/traces/{record.trace_id}")).status_code == 404


async def test_score_is_journaled_then_shown_and_found(api: Api, store: TraceStore, tmp_path: Path) -> None:
    record = call(api.project)
    api.write(record)
    for value in (0, 1):  # the second replaces the first
        api.clock.advance(1)
        new = {"name": "helpful", "kind": "boolean", "value": value, "explanation": "why"}
        reply = await api.client.post(f"/api/traces/{record.trace_id}/scores", json=new)
        assert (reply.status_code, reply.json()["author"]) == (201, "ada's key")
    reader = SegmentReader(tmp_path / "journal")
    drain = Drain(reader, store, api.blobs, aside=tmp_path / "aside")
    assert await asyncio.to_thread(drain.drain_once) == 2
    reader.close()
    page = await api.get("/api/traces", filter="score.helpful:true")
    assert page["items"][0]["scores"] == [{"name": "helpful", "value": 1.0, "label": None}]
    scores = (await api.get(f"/api/traces/{record.trace_id}"))["scores"]
    assert [(s["value"], s["explanation"], s["span_id"]) for s in scores] == [(1.0, "why", None)]


@pytest.mark.parametrize(
    "new",
    [
        {"name": "", "kind": "numeric", "value": 1},
        {"name": "n", "kind": "boolean", "value": 2},
        {"name": "n", "kind": "numeric"},
        {"name": "n", "kind": "category"},
        {"name": "n", "kind": "numeric", "value": 1, "span_id": "zz"},
    ],
)
async def test_score_without_sense_is_refused(api: Api, new: dict) -> None:
    reply = await api.client.post(f"/api/traces/{'a' * 32}/scores", json=new)
    assert reply.status_code == 400


async def test_overview_adds_up_by_step_and_model(api: Api) -> None:
    failed = call(api.project, started_ns=NOON + 61 * SECOND, status=SpanStatus.ERROR, response_model="m2")
    api.write(call(api.project), call(api.project, started_ns=NOON + SECOND), failed)
    view = await api.get(
        "/api/overview", since="2026-11-20T12:00:00Z", until="2026-11-20T12:03:00Z", step="60s"
    )
    assert view["step_s"] == 60
    assert [(p["at"][11:16], p["calls"], p["errors"]) for p in view["series"]] == [
        ("12:00", 2, 0), ("12:01", 1, 1), ("12:02", 0, 0),
    ]  # fmt: skip
    totals = view["totals"]
    assert (totals["calls"], totals["errors"], totals["cost_nanousd"]) == (3, 1, 3 * 12_550)
    assert (totals["input_tokens"], totals["output_tokens"], totals["latency_p50_ms"]) == (36, 15, 1100.0)
    assert totals["cost_status_counts"] == {"computed": 3}
    assert [(m["model"], m["calls"]) for m in view["by_model"]] == [("gpt-5-mini", 2), ("m2", 1)]


async def test_an_environment_narrows_list_search_and_overview(api: Api) -> None:
    staging = call(api.project, environment="staging", trace=TraceAttributes(environment="misspelt"))
    api.write(staging, call(api.project, started_ns=NOON + SECOND))
    assert await api.ids(environment="staging") == [staging.trace_id]
    assert await api.ids(environment="staging", filter="status:error") == []
    assert await api.ids(filter="environment:staging forklift") == [staging.trace_id]
    assert len(await api.ids()) == 2
    item = (await api.get("/api/traces", environment="staging"))["items"][0]
    assert item["environment"] == "staging"
    for name, calls in {"staging": 1, "production": 1, "development": 0, "": 2}.items():
        view = await api.get("/api/overview", environment=name)
        assert (view["totals"]["calls"], sum(p["calls"] for p in view["series"])) == (calls, calls)


async def test_a_span_from_before_environments_is_of_production(api: Api) -> None:
    old = call(api.project)
    api.write(old)
    # Rows cannot be changed in place: the same span again, later, as it was written before.
    api.store.command(
        "INSERT INTO spans SELECT * REPLACE ('' AS environment, received_ns + 1 AS received_ns) "
        "FROM spans WHERE project_id = {project:String}",
        {"project": api.project},
    )
    assert await api.ids(environment="production") == [old.trace_id]
    assert await api.ids(filter="attr.environment:production") == [old.trace_id]
    assert (await api.get("/api/traces"))["items"][0]["environment"] == "production"
    assert (await api.get("/api/overview", environment="production"))["totals"]["calls"] == 1


async def test_overview_of_nothing_is_zero_and_not_null(api: Api) -> None:
    totals = (await api.get("/api/overview"))["totals"]
    assert (totals["calls"], totals["cost_usd"], totals["latency_p95_ms"]) == (0, "0", None)


async def test_bad_filter_is_a_problem_with_its_position(api: Api) -> None:
    reply = await api.client.get("/api/traces", params={"filter": "statu:x"})
    assert (reply.status_code, reply.json()["param"]) == (400, "filter")


async def test_openapi_describes_the_records(api: Api) -> None:
    app = api.client._transport.app  # type: ignore[attr-defined]
    schemas = app.openapi()["components"]["schemas"]
    names = {
        "TracePage",
        "TraceItem",
        "TraceDetail",
        "TraceHead",
        "Span",
        "Message",
        "Part",
        "Score",
        "Overview",
    }
    assert names <= schemas.keys()
    assert "cost_nanousd" in schemas["TraceItem"]["required"]
