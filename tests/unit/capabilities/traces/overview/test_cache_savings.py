"""What the provider's prompt cache saved: on spans, in the list, in the overview, from rows of any age."""

from collections.abc import Iterator

import pytest

from sternpost.base.ids import ProjectId
from sternpost.base.money import NanoUsd
from sternpost.capabilities.traces.records import TimeRange
from sternpost.capabilities.traces.store import TraceReads
from sternpost.capabilities.traces.views import span_view, totals_view, trace_item
from sternpost.capabilities.traces.writing.rollup import build_call_figures
from sternpost.contracts.call import CallRecord
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus, Usage
from tests.support.engine import running_trace_store
from tests.unit.capabilities.traces.calls import NOON, SECOND, call
from tests.unit.capabilities.traces.overview.test_overview_rollup import (
    figures,
    lose_spans,
    pass_an_hour,
    write,
)

AROUND = TimeRange(NOON - 60 * SECOND, NOON + 60 * SECOND)


@pytest.fixture(scope="module")
def store() -> Iterator[TraceStore]:
    """A store of its own: what other tests leave would be due for building, too."""
    with running_trace_store() as running:
        yield running


def cached(project: ProjectId, saved: int | None, **changes: object) -> CallRecord:
    """A call of 1,000 input tokens, 750 of them read from the cache."""
    cost = Cost(CostStatus.COMPUTED, NanoUsd(1000), price_version="v1", saved_nanousd=saved)
    usage = Usage(in_fresh=250, in_cache_read=750, out_text=5)
    return call(project, cost=cost, usage=usage, **changes)


def forget_the_cache_in_what_was_built(store: TraceStore, project: ProjectId) -> None:
    """Make the sums look as they did before the cache was counted."""
    rows = store.query(
        "SELECT * REPLACE ([]::Array(UInt64) AS cache_read_tokens, []::Array(Int64) AS cache_saved_nanousd) "
        f"FROM call_figures WHERE project_id = '{project}'"
    )
    store.command(f"DELETE FROM call_figures WHERE project_id = '{project}'")
    store.insert("call_figures", rows.columns, rows.rows)


def test_span_says_its_hit_rate_and_what_was_saved(store: TraceStore, project: ProjectId) -> None:
    record = cached(project, -20)
    write(store, record)
    rows = TraceReads(store, project).spans_of(record.trace_id, AROUND)
    span = span_view(next(row for row in rows if row["type"] == "gateway"), {}, {})
    assert (span.cache_hit_rate, span.cache_saved_usd, span.cache_saved_nanousd) == (0.75, "-0.00000002", -20)


def test_trace_of_the_list_adds_up_what_its_calls_saved(store: TraceStore, project: ProjectId) -> None:
    first = cached(project, 100)
    write(store, first, cached(project, 30, trace_id=first.trace_id))
    row = TraceReads(store, project).summaries([first.trace_id], [AROUND])[0]
    item = trace_item(row, [])
    assert (item.cache_read_tokens, item.cache_saved_nanousd) == (1500, 130)


@pytest.mark.parametrize("is_built", [False, True], ids=["spans", "built"])
def test_overview_adds_up_hit_rate_and_savings(store: TraceStore, project: ProjectId, is_built: bool) -> None:
    plain = call(project, usage=Usage(in_fresh=500, out_text=1))
    write(store, cached(project, 100), cached(project, -30), plain)
    if is_built:
        pass_an_hour(store, project)
        build_call_figures(store)
        lose_spans(store, project)
    totals = totals_view(figures(store, project).totals)
    # 2 x 750 cached of 2 x 1,000 + 500 input tokens
    assert (totals.cache_hit_rate, totals.cache_saved_nanousd) == (0.6, 70)


def test_sums_from_before_the_cache_was_counted_know_no_rate(store: TraceStore, project: ProjectId) -> None:
    write(store, cached(project, 100))
    pass_an_hour(store, project)
    build_call_figures(store)
    forget_the_cache_in_what_was_built(store, project)
    lose_spans(store, project)
    totals = totals_view(figures(store, project).totals)
    assert (totals.calls, totals.input_tokens) == (1, 1000)
    assert (totals.cache_hit_rate, totals.cache_saved_nanousd) == (None, 0)
    store.command(f"DELETE FROM spans_touched WHERE project_id = '{project}'")  # else due for ever


def test_sums_from_before_the_cache_was_counted_are_built_again(
    store: TraceStore, project: ProjectId
) -> None:
    write(store, cached(project, 100))
    pass_an_hour(store, project)
    build_call_figures(store)
    forget_the_cache_in_what_was_built(store, project)
    assert build_call_figures(store) == 1
    assert totals_view(figures(store, project).totals).cache_hit_rate == 0.75


def test_span_without_a_price_has_saved_nothing_known(store: TraceStore, project: ProjectId) -> None:
    record = call(project, cost=Cost(CostStatus.UNKNOWN, reason="model_unmatched"))
    write(store, record)
    rows = TraceReads(store, project).spans_of(record.trace_id, AROUND)
    assert {row["cache_saved_nanousd"] for row in rows} == {None}
