from collections.abc import Iterator
from pathlib import Path

import pytest

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.base.ids import ProjectId, new_span_id, new_trace_id
from sternpost.base.money import NanoUsd
from sternpost.capabilities.traces.overview.figures import BUCKET_NS, HOUR_NS, FigureReads, Figures, cover
from sternpost.capabilities.traces.records import TimeRange
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.rollup import build_call_figures
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.call import CallRecord
from sternpost.contracts.span import Span, SpanBundle, SpanType
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus, Usage
from tests.support.engine import running_trace_store
from tests.unit.capabilities.traces.calls import NOON, SECOND, call

DAY = TimeRange(NOON - 12 * HOUR_NS, NOON + 12 * HOUR_NS)

NO_BLOBS = FolderBlobs(Path("/nonexistent"))  # these calls have no media


@pytest.fixture(scope="module")
def store() -> Iterator[TraceStore]:
    """A store of its own: what other tests leave would be due for building, too."""
    with running_trace_store() as running:
        yield running


def write(store: TraceStore, *records: CallRecord) -> None:
    write_batches(store, NO_BLOBS, [spans_of_call(record, NOON) for record in records], RecentHashes())


def pass_an_hour(store: TraceStore, project: ProjectId) -> None:
    """Move what is noted of writing and building back by an hour, as only the engine's clock can't be set."""
    for table, column in (("spans_touched", "touched_ns"), ("call_figures", "built_ns")):
        here = f"project_id = '{project}'"
        kept = store.query(f"SELECT * REPLACE ({column} - {HOUR_NS} AS {column}) FROM {table} WHERE {here}")
        store.command(f"DELETE FROM {table} WHERE {here}")
        store.insert(table, kept.columns, kept.rows)


def lose_spans(store: TraceStore, project: ProjectId) -> None:
    """Take the spans away, so that only what was built can answer."""
    store.command(f"DELETE FROM spans WHERE project_id = '{project}'")


def figures(store: TraceStore, project: ProjectId, step_s: int = 3600) -> Figures:
    return FigureReads(store, project).figures(DAY, step_s * SECOND)


def calls(found: Figures) -> object:
    return found.totals["calls"]


@pytest.mark.parametrize("step_s", [300, 1800, 3600])
def test_quiet_stretches_are_answered_from_what_was_built(
    store: TraceStore, project: ProjectId, step_s: int
) -> None:
    failed = call(project, started_ns=NOON + 2 * HOUR_NS, response_model="m2")
    unknown = call(project, started_ns=NOON + 400 * SECOND, cost=Cost(CostStatus.UNKNOWN))
    write(store, call(project), call(project), failed, unknown)
    before = figures(store, project, step_s)
    pass_an_hour(store, project)
    assert build_call_figures(store) == 2
    lose_spans(store, project)
    after = figures(store, project, step_s)
    for rows_before, rows_after in (
        ([before.totals], [after.totals]), (before.by_step, after.by_step), (before.by_model, after.by_model),
    ):  # fmt: skip
        for row_before, row_after in zip(rows_before, rows_after, strict=True):
            p50, p95 = row_after["latencies_ns"]  # type: ignore[misc]  # a pair of numbers
            assert (p50, p95) == pytest.approx(row_before["latencies_ns"], rel=0.023)
            assert {**row_after, "latencies_ns": 0} == {**row_before, "latencies_ns": 0}


def test_half_minutes_of_the_last_hour_are_answered_from_what_was_built(
    store: TraceStore, project: ProjectId
) -> None:
    hour = TimeRange(NOON + 90 * SECOND, NOON + 1000 * SECOND)
    reads = FigureReads(store, project)
    write(store, *[call(project, started_ns=NOON + at * SECOND) for at in (80, 91, 119, 120, 500, 999)])
    before = reads.figures(hour, 30 * SECOND)
    pass_an_hour(store, project)
    assert build_call_figures(store) == 1
    write(store, call(project, started_ns=NOON + 901 * SECOND))  # its bucket, and the one before, are read
    store.command(f"DELETE FROM spans WHERE project_id = '{project}' AND started_ns < {NOON + 600 * SECOND}")
    after = reads.figures(hour, 30 * SECOND)
    steps = [(row["step"], row["calls"]) for row in before.by_step]
    assert sorted(steps) == [(0, 2), (1, 1), (13, 1), (30, 1)]
    assert sorted((row["step"], row["calls"]) for row in after.by_step) == [
        (0, 2), (1, 1), (13, 1), (27, 1), (30, 1)
    ]  # fmt: skip


def test_late_span_and_a_repeated_one_count_at_once_and_after_building_again(
    store: TraceStore, project: ProjectId
) -> None:
    first = call(project)
    write(store, first)
    pass_an_hour(store, project)
    assert build_call_figures(store) == 1
    pass_an_hour(store, project)
    write(store, first, call(project, started_ns=NOON + SECOND))
    assert calls(figures(store, project)) == 2
    pass_an_hour(store, project)
    assert build_call_figures(store) == 1
    lose_spans(store, project)
    assert calls(figures(store, project)) == 2


def test_nothing_is_built_while_spans_still_arrive(store: TraceStore, project: ProjectId) -> None:
    write(store, call(project))
    assert build_call_figures(store) == 0
    assert calls(figures(store, project)) == 1


def test_bucket_without_calls_is_built_once(store: TraceStore, project: ProjectId) -> None:
    tool = Span(project, new_trace_id(), new_span_id(), None, SpanType.TOOL, "look up", NOON, NOON + SECOND)
    write_batches(store, NO_BLOBS, [SpanBundle((tool,))], RecentHashes())
    pass_an_hour(store, project)
    assert [build_call_figures(store), build_call_figures(store)] == [1, 0]
    assert calls(figures(store, project)) == 0


def test_call_that_two_spans_report_across_a_border_is_built_once(
    store: TraceStore, project: ProjectId
) -> None:
    border = NOON + HOUR_NS
    llm = Span(
        project, new_trace_id(), new_span_id(), None, SpanType.LLM, "chat", border - 1, border + SECOND,
        usage=Usage(in_fresh=10), cost=Cost(CostStatus.COMPUTED, NanoUsd(7)),
    )  # fmt: skip
    inside = call(project, trace_id=llm.trace_id, parent_span_id=llm.span_id, started_ns=border + 1)
    write_batches(store, NO_BLOBS, [SpanBundle((llm,)), spans_of_call(inside, NOON)], RecentHashes())
    pass_an_hour(store, project)
    assert build_call_figures(store) == 2
    lose_spans(store, project)
    found = figures(store, project)
    assert (calls(found), found.totals["cost_nanousd"]) == (1, 12_550)


def test_many_scattered_changes_are_read_as_few_stretches_and_nothing_twice() -> None:
    changed = [(NOON + n * BUCKET_NS, n % 3 == 0) for n in range(0, 280, 2)]
    chosen = cover(DAY, changed, has_hours=False)
    assert len(chosen.spans_of) <= 20
    for at, _ in changed:
        if not DAY.since_ns <= at < DAY.until_ns:
            continue
        from_spans = any(one.since_ns <= at < one.until_ns for one in chosen.spans_of)
        assert from_spans + (at in chosen.buckets_ns) == 1


def test_last_bucket_that_the_range_cuts_is_read_from_its_spans() -> None:
    bounds = TimeRange(NOON, NOON + BUCKET_NS + SECOND)
    chosen = cover(bounds, [(NOON, True), (NOON + BUCKET_NS, True)], has_hours=False)
    assert chosen.buckets_ns == [NOON]
    assert chosen.spans_of == [TimeRange(NOON + BUCKET_NS, NOON + BUCKET_NS + SECOND)]


def test_hour_whose_spans_were_all_deleted_is_built_once_and_holds_nothing(
    store: TraceStore, project: ProjectId
) -> None:
    write(store, call(project))
    pass_an_hour(store, project)
    lose_spans(store, project)
    assert build_call_figures(store) == 1
    assert build_call_figures(store) == 0
    assert calls(figures(store, project)) in (0, None)
