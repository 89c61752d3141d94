"""Spans of clocks that can't be right are flagged, and stretch neither their trace nor the sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.ids import new_trace_id
from sternpost.capabilities.traces.clocks import is_outside, skewed_spans
from sternpost.capabilities.traces.writing.rollup import build_call_figures
from sternpost.contracts.span import Span, SpanBundle, SpanType, TraceAttributes
from tests.unit.capabilities.traces.calls import NOON, SECOND
from tests.unit.capabilities.traces.overview.test_overview_rollup import lose_spans, pass_an_hour
from tests.unit.capabilities.traces.test_traces_api import Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures

HOUR = 3600 * SECOND


def child(root: Span, started_ns: int, **changes: object) -> Span:
    fields: dict[str, object] = {
        "trace_id": root.trace_id,
        "parent_span_id": root.span_id,
        "started_ns": started_ns,
        "ended_ns": started_ns + SECOND,
    }
    return span(root.project_id, **{**fields, **changes})


@pytest.mark.parametrize("off_ns", [-3 * HOUR, 3 * HOUR, -60 * SECOND])
async def test_child_outside_its_parent_is_flagged_and_bounds_nothing(api: Api, off_ns: int) -> None:
    root = span(api.project, trace=TraceAttributes(session_id="s"))
    inside, outside = child(root, NOON + SECOND // 2), child(root, NOON + off_ns)
    api.write(SpanBundle((outside,)), SpanBundle((inside, root)))
    detail = await api.get(f"/api/traces/{root.trace_id}")
    assert {one["span_id"]: one["is_time_skewed"] for one in detail["spans"]} == {
        root.span_id: False,
        inside.span_id: False,
        outside.span_id: True,
    }
    for trace in (detail["trace"], *(await api.get("/api/traces"))["items"]):
        assert (trace["started_at"], trace["duration_ms"]) == ("2026-11-20T12:00:00.000000Z", 2000.0)
    assert await api.ids(filter="duration:>2.5s") == []
    assert await api.ids(filter="duration:<2.5s") == [root.trace_id]


async def test_clocks_that_differ_a_little_and_work_that_goes_on_are_not(api: Api) -> None:
    root = span(api.project)
    early, late = child(root, NOON - SECOND), child(root, NOON + 5 * 60 * SECOND)
    api.write(SpanBundle((root, early, late)))
    detail = await api.get(f"/api/traces/{root.trace_id}")
    assert not any(one["is_time_skewed"] for one in detail["spans"])
    assert detail["trace"]["duration_ms"] == 301_000.0


async def test_the_list_orders_by_where_the_root_began(api: Api) -> None:
    older, newer = span(api.project, started_ns=NOON - HOUR, ended_ns=NOON - HOUR + SECOND), span(api.project)
    api.write(SpanBundle((older, newer, child(newer, NOON - 5 * HOUR))))
    for filter_text in ("", "duration:<1h"):
        assert await api.ids(filter=filter_text) == [newer.trace_id, older.trace_id]
        first = await api.get("/api/traces", filter=filter_text, limit=1)
        second = await api.get("/api/traces", filter=filter_text, limit=5, cursor=first["next_cursor"])
        assert [one["trace_id"] for one in (*first["items"], *second["items"])] == [
            newer.trace_id,
            older.trace_id,
        ]


async def test_trace_whose_spans_are_all_flagged_lasts_as_long_as_they_do(api: Api) -> None:
    root = span(api.project, is_time_skewed=True)
    api.write(SpanBundle((root,)))
    detail = await api.get(f"/api/traces/{root.trace_id}")
    assert (detail["trace"]["duration_ms"], detail["spans"][0]["is_time_skewed"]) == (2000.0, True)


async def test_calls_of_wrong_clocks_have_no_part_in_latencies(api: Api) -> None:
    trace_id = new_trace_id()
    good = span(api.project, trace_id=trace_id, type=SpanType.LLM)
    bad = child(good, NOON, type=SpanType.LLM, ended_ns=NOON + HOUR // 2, is_time_skewed=True)
    api.write(SpanBundle((good, bad)))
    totals = (await api.get("/api/overview"))["totals"]
    assert (totals["calls"], totals["latency_p95_ms"]) == (2, 2000)
    pass_an_hour(api.store, api.project)
    build_call_figures(api.store)
    lose_spans(api.store, api.project)
    totals = (await api.get("/api/overview"))["totals"]
    assert (totals["calls"], totals["latency_p95_ms"]) == (2, pytest.approx(2000, rel=0.03))


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(-(10**13), 10**13))
def test_a_span_that_begins_within_its_parent_is_never_outside(start: int, length: int, at: int) -> None:
    is_within = start <= at <= start + length
    assert not (is_within and is_outside(at, (start, start + length)))


def test_a_span_that_was_flagged_judges_no_other() -> None:
    rows = [
        {"span_id": "a", "parent_span_id": "", "started_ns": 0, "ended_ns": 1, "is_time_skewed": True},
        {
            "span_id": "b",
            "parent_span_id": "a",
            "started_ns": HOUR,
            "ended_ns": HOUR,
            "is_time_skewed": False,
        },
    ]
    assert skewed_spans(rows) == {"a"}
