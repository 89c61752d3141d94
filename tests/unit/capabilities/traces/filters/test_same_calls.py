"""One call is counted once, whoever reported it: in a trace, the list, the overview and filters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from sternpost.base.ids import ContentHash, ProjectId, new_span_id, new_trace_id
from sternpost.base.money import NanoUsd
from sternpost.capabilities.traces.joins import read_joins
from sternpost.contracts.span import ModelUse, Span, SpanBundle, SpanStatus, SpanType
from sternpost.contracts.usage import Cost, CostStatus, Usage
from tests.unit.capabilities.traces.calls import NOON, SECOND, call
from tests.unit.capabilities.traces.test_traces_api import Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures

GATEWAY_TOKENS = (12, 5)  # of `call`
_COST = Cost(CostStatus.COMPUTED, NanoUsd(7))
_MODEL = ModelUse(provider="openai", request_model="gpt-5-mini")
_TOKENS = Usage(in_fresh=10, in_cache_read=2, out_text=5)


def told(project: ProjectId, scope: str = "openinference", **changes: object) -> Span:
    """Make an llm span as an instrumentation tells it, beside whatever else its trace has."""
    fields: dict[str, object] = {"type": SpanType.LLM, "scope": scope, "model": _MODEL, "cost": _COST}
    return span(project, **{**fields, **changes})


@dataclass(frozen=True)
class Sums:
    calls: int
    tokens: tuple[int, int]


async def sums_of(api: Api, trace_id: str) -> Sums:
    """Read them from everywhere, and see that they agree."""
    detail = await api.get(f"/api/traces/{trace_id}")
    (item,) = (await api.get("/api/traces", filter=f"trace:{trace_id}"))["items"]
    totals = (await api.get("/api/overview"))["totals"]
    counted = [one for one in detail["spans"] if one["counted"]]
    tokens = (item["input_tokens"], item["output_tokens"])
    assert (detail["trace"]["input_tokens"], detail["trace"]["output_tokens"]) == tokens
    assert (totals["input_tokens"], totals["output_tokens"]) == tokens
    assert totals["calls"] == len(counted)
    assert await api.ids(filter=f"trace:{trace_id} tokens>={sum(tokens)}") == [trace_id]
    assert await api.ids(filter=f"trace:{trace_id} tokens>{sum(tokens)}") == []
    return Sums(len(counted), tokens)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"usage": _TOKENS}, "same model and tokens at the same time"),
        ({"usage": _TOKENS, "started_ns": NOON - SECOND}, "same model and tokens at the same time"),
        ({"model": replace(_MODEL, response_id="chatcmpl-1"), "usage": Usage(in_fresh=1)}, "response id"),
        ({}, "nothing else to compare"),
        ({"usage": _TOKENS, "status": SpanStatus.ERROR}, "same model and tokens at the same time"),
    ],
)
async def test_call_beside_the_gateways_span_counts_once(
    api: Api, changes: dict[str, object], reason: str
) -> None:
    record = call(api.project)
    seen = told(api.project, trace_id=record.trace_id, **changes)
    api.write(record, SpanBundle((seen,)))
    assert await sums_of(api, record.trace_id) == Sums(1, GATEWAY_TOKENS)
    shown = {one["span_id"]: one for one in (await api.get(f"/api/traces/{record.trace_id}"))["spans"]}
    assert shown[seen.span_id]["counted"] is False
    assert shown[seen.span_id]["counted_with"] == record.span_id
    assert reason in shown[seen.span_id]["join_reason"]


async def test_calls_of_a_host_whose_replies_all_have_one_id_count_each(api: Api) -> None:
    model = replace(_MODEL, response_id="chatcmpl-1")
    first = told(api.project, usage=Usage(in_fresh=10, out_text=5), model=model)
    later = {"started_ns": first.ended_ns + SECOND, "ended_ns": first.ended_ns + 2 * SECOND}
    second = told(
        api.project, trace_id=first.trace_id, usage=Usage(in_fresh=20, out_text=7), model=model, **later
    )
    api.write(SpanBundle((first, second)))
    assert await sums_of(api, first.trace_id) == Sums(2, (30, 12))


async def test_answer_joins_a_stream_whose_client_was_told_no_tokens(api: Api) -> None:
    record = call(api.project)
    api.write(record)
    gateway = (await api.get(f"/api/traces/{record.trace_id}"))["spans"][0]
    assert gateway["counted"] is True
    rows = api.store.query(
        "SELECT input_hashes, output_hashes FROM spans WHERE trace_id = {t:String} AND type = 'gateway'",
        {"t": record.trace_id},
    ).rows
    asked, said = rows[0]
    seen = told(
        api.project, trace_id=record.trace_id, input_hashes=_hashes(asked), output_hashes=_hashes(said)
    )
    api.write(SpanBundle((seen,)))
    assert await sums_of(api, record.trace_id) == Sums(1, GATEWAY_TOKENS)


def _hashes(value: object) -> Sequence[ContentHash]:
    assert isinstance(value, list)
    return tuple(ContentHash(str(one)) for one in value)


@pytest.mark.parametrize("reply_id", ["", "msg_1"])
async def test_of_two_instrumentations_the_most_complete_counts(api: Api, reply_id: str) -> None:
    """The one that knows of the cache stands for the call."""
    model = replace(_MODEL, response_id=reply_id)
    root = span(api.project)
    plain = told(
        api.project, trace_id=root.trace_id, parent_span_id=root.span_id, model=model,
        usage=Usage(in_fresh=12, out_text=5),
    )  # fmt: skip
    full = told(
        api.project, "otel", trace_id=root.trace_id, parent_span_id=root.span_id, model=model, usage=_TOKENS
    )  # fmt: skip
    api.write(SpanBundle((root, plain, full)))
    assert await sums_of(api, root.trace_id) == Sums(1, (12, 5))
    shown = {one["span_id"]: one for one in (await api.get(f"/api/traces/{root.trace_id}"))["spans"]}
    assert (shown[full.span_id]["counted"], shown[plain.span_id]["counted_with"]) == (True, full.span_id)


async def test_three_reports_of_one_call_count_once(api: Api) -> None:
    record = call(api.project)
    outer = told(api.project, "langchain", trace_id=record.trace_id, usage=_TOKENS)
    inner = told(
        api.project, trace_id=record.trace_id, parent_span_id=outer.span_id, usage=_TOKENS
    )  # fmt: skip
    api.write(record, SpanBundle((outer, inner)))
    assert await sums_of(api, record.trace_id) == Sums(1, GATEWAY_TOKENS)


async def test_equal_calls_at_once_stay_as_many_as_they_were(api: Api) -> None:
    trace_id = new_trace_id()
    records = [call(api.project, trace_id=trace_id, span_id=new_span_id(), attempts=()) for _ in range(3)]
    api.write(
        *records, SpanBundle(tuple(told(api.project, trace_id=trace_id, usage=_TOKENS) for _ in records))
    )
    assert await sums_of(api, trace_id) == Sums(3, (36, 15))


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "openinference"},  # one instrumentation tells of each call once
        {"model": ModelUse(request_model="gpt-5")},
        {"usage": Usage(in_fresh=13, out_text=5)},
        {"model": replace(_MODEL, response_id="other")},
        {"started_ns": NOON + 600 * SECOND, "ended_ns": NOON + 601 * SECOND},
    ],
)
async def test_calls_that_differ_are_two(api: Api, changes: dict[str, object]) -> None:
    one = told(api.project, usage=_TOKENS, model=replace(_MODEL, response_id="one"))
    if "model" not in changes:
        one = told(api.project, usage=_TOKENS)
    fields: dict[str, object] = {"scope": "otel", "usage": _TOKENS, "trace_id": one.trace_id, **changes}
    api.write(SpanBundle((one, told(api.project, **fields))))
    assert (await sums_of(api, one.trace_id)).calls == 2


async def test_overview_counts_a_call_once_whose_reports_lie_in_two_traces(api: Api) -> None:
    """Each trace keeps its own sums: nothing in it tells of the call twice."""
    record = call(api.project)
    alone = told(api.project, usage=_TOKENS, model=replace(_MODEL, response_id="chatcmpl-1"))
    api.write(record, SpanBundle((alone,)))
    assert (await api.get("/api/overview"))["totals"]["calls"] == 1
    assert [item["input_tokens"] for item in (await api.get("/api/traces"))["items"]] == [12, 12]


def test_join_names_the_span_at_the_end_even_of_a_circle() -> None:
    joins = read_joins(
        [("a", "b", "tokens"), ("b", "c", "parent"), ("x", "y", "parent"), ("y", "x", "parent")]
    )
    assert (joins["a"].counted_with, joins["b"].counted_with, joins["x"].counted_with) == ("c", "c", "x")
