"""Usage that only an agent or chain reports is counted once; where its calls report it, they count."""

from sternpost.base.ids import SpanId, TraceId, new_span_id, new_trace_id
from sternpost.base.money import NanoUsd
from sternpost.contracts.span import ModelUse, Span, SpanBundle, SpanType
from sternpost.contracts.usage import Cost, CostStatus, Usage
from tests.unit.capabilities.traces.calls import NOON, SECOND, call
from tests.unit.capabilities.traces.filters.test_same_calls import GATEWAY_TOKENS, Sums, sums_of, told
from tests.unit.capabilities.traces.test_traces_api import Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures

TRACE_TOKENS = (100, 40)


def agent(api: Api, trace_id: TraceId, parent: SpanId | None = None, **changes: object) -> Span:
    fields: dict[str, object] = {
        "trace_id": trace_id,
        "parent_span_id": parent,
        "type": SpanType.AGENT,
        "usage": Usage(in_fresh=100, out_text=40),
        "cost": Cost(CostStatus.COMPUTED, NanoUsd(900)),
        "model": ModelUse(provider="openai", request_model="gpt-5-mini"),
        "is_rollup": True,
    }
    return span(api.project, **{**fields, **changes})


async def test_lone_agent_counts_everywhere(api: Api) -> None:
    seen = agent(api, new_trace_id())
    api.write(SpanBundle((seen,)))
    assert await sums_of(api, seen.trace_id) == Sums(1, TRACE_TOKENS)
    (item,) = (await api.get("/api/traces", filter="cost>0.0000008"))["items"]
    assert (item["trace_id"], item["cost_nanousd"], item["models"]) == (seen.trace_id, 900, ["gpt-5-mini"])
    (row,) = (await api.get("/api/overview"))["by_model"]
    assert (row["model"], row["cost_nanousd"]) == ("gpt-5-mini", 900)


async def test_agent_with_a_counted_call_at_any_depth_below_does_not(api: Api) -> None:
    seen = agent(api, new_trace_id())
    chain: list[Span] = []
    for _ in range(9):
        parent = chain[-1].span_id if chain else seen.span_id
        chain.append(span(api.project, trace_id=seen.trace_id, parent_span_id=parent))
    llm = told(
        api.project, trace_id=seen.trace_id, parent_span_id=chain[-1].span_id, usage=Usage(10, out_text=5)
    )
    api.write(SpanBundle((llm, *chain)), SpanBundle((seen,)))
    assert await sums_of(api, seen.trace_id) == Sums(1, (10, 5))


async def test_calls_that_report_no_usage_leave_it_to_the_agent(api: Api) -> None:
    seen = agent(api, new_trace_id())
    llm = told(api.project, trace_id=seen.trace_id, parent_span_id=seen.span_id, cost=None)
    api.write(SpanBundle((seen, llm)))
    assert (await sums_of(api, seen.trace_id)).tokens == TRACE_TOKENS


async def test_what_repeats_the_usage_of_the_call_above_it_does_not(api: Api) -> None:
    llm = told(api.project, usage=Usage(in_fresh=100, out_text=40))
    step = span(api.project, trace_id=llm.trace_id, parent_span_id=llm.span_id)
    api.write(SpanBundle((llm, step, agent(api, llm.trace_id, step.span_id))))
    api.write(SpanBundle((agent(api, llm.trace_id, llm.span_id, type=SpanType.EVENT),)))
    assert await sums_of(api, llm.trace_id) == Sums(1, TRACE_TOKENS)


async def test_lowest_of_nested_agents_counts_and_each_branch_is_judged_alone(api: Api) -> None:
    outer = agent(api, new_trace_id(), usage=Usage(in_fresh=130, out_text=50))
    lone = agent(api, outer.trace_id, outer.span_id)
    other = agent(api, outer.trace_id, outer.span_id, usage=Usage(in_fresh=30, out_text=10))
    llm = told(
        api.project,
        trace_id=outer.trace_id,
        parent_span_id=other.span_id,
        usage=Usage(in_fresh=30, out_text=10),
    )
    api.write(SpanBundle((outer, lone, other, llm)))
    assert await sums_of(api, outer.trace_id) == Sums(2, (130, 50))


async def test_the_gateways_call_beside_an_agent_stands_for_it(api: Api) -> None:
    record = call(api.project)
    gateway = record.parent_span_id
    seen = agent(
        api, record.trace_id, gateway, usage=Usage(in_fresh=GATEWAY_TOKENS[0], out_text=GATEWAY_TOKENS[1])
    )
    api.write(record, SpanBundle((seen,)))
    assert await sums_of(api, record.trace_id) == Sums(1, GATEWAY_TOKENS)


async def test_calls_far_behind_the_start_of_an_agent_are_seen_in_the_sums_of_its_hour(api: Api) -> None:
    seen = agent(api, new_trace_id(), started_ns=NOON - 5400 * SECOND, ended_ns=NOON + 3 * SECOND)
    llm = told(api.project, trace_id=seen.trace_id, parent_span_id=seen.span_id, usage=Usage(10, out_text=5))
    api.write(SpanBundle((seen, llm)))
    early = {"since": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z"}
    assert (await api.get("/api/overview", **early))["totals"]["calls"] == 0
    assert await sums_of(api, seen.trace_id) == Sums(1, (10, 5))


async def test_spans_that_name_each_other_as_parents_are_read(api: Api) -> None:
    first, second = new_span_id(), new_span_id()
    trace_id = new_trace_id()
    api.write(
        SpanBundle((agent(api, trace_id, second, span_id=first), agent(api, trace_id, first, span_id=second)))
    )
    assert (await sums_of(api, trace_id)).calls == 0
