"""A filter judges a trace by all its spans, however long it goes on, and when it is resumed days later."""

import pytest

from sternpost.base.money import NanoUsd
from sternpost.contracts.span import SpanBundle, SpanStatus, SpanType, TraceAttributes
from sternpost.contracts.usage import Cost, CostStatus, Usage
from tests.unit.capabilities.traces.calls import NOON, SECOND
from tests.unit.capabilities.traces.test_traces_api import Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures

_HOUR = 3600 * SECOND
_MANY = 2500  # more than the first window of the search holds


@pytest.mark.parametrize("began_hours_ago", [3, 60 * 24])
async def test_late_spans_of_a_long_trace_are_found(api: Api, began_hours_ago: int) -> None:
    root = span(api.project, name="agent", started_ns=NOON - began_hours_ago * _HOUR)
    late = span(
        api.project, trace_id=root.trace_id, parent_span_id=root.span_id, type=SpanType.LLM, started_ns=NOON,
        status=SpanStatus.ERROR, error="boom", usage=Usage(in_fresh=9),
        cost=Cost(CostStatus.COMPUTED, NanoUsd(5_000_000_000)),
        trace=TraceAttributes(user_id="lena", session_id="s9", tags=("late",)),
    )  # fmt: skip
    others = [span(api.project, started_ns=NOON - _HOUR + n) for n in range(_MANY)]
    api.write(SpanBundle((root, late, *others)))
    for words in ("status:error", "error:boom", "user:lena", "session:s9", "tag:late", "type:llm", "cost:>4"):
        assert await api.ids(filter=words) == [root.trace_id], words
    assert await api.ids(filter="status:ok name:agent") == []
    assert root.trace_id not in await api.ids(filter="-status:error", limit=200)


async def test_pages_of_long_and_short_traces_meet(api: Api) -> None:
    roots = [span(api.project, started_ns=NOON - 5 * _HOUR + n) for n in range(7)]
    late = [
        span(api.project, trace_id=one.trace_id, started_ns=NOON, type=SpanType.TOOL) for one in roots[::2]
    ]
    short = [span(api.project, started_ns=NOON - 5 * _HOUR + n, type=SpanType.TOOL) for n in range(7, 10)]
    api.write(SpanBundle((*roots, *late, *short)))
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await api.get("/api/traces", filter="type:tool", limit=2, cursor=cursor)
        found += [item["trace_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == [one.trace_id for one in (*reversed(short), *reversed(roots[::2]))]
