"""What one can do with traces: list, open, score, and see the sums; the SQL is in `store`."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import msgspec

from sternpost.base.clock import Clock
from sternpost.base.errors import BadRequest, NotFound
from sternpost.base.ids import KeyId, ProjectId, ScoreId, SpanId, TraceId, new_id
from sternpost.base.threads import LOOK_UPS, READS
from sternpost.capabilities.traces.clocks import skewed_spans
from sternpost.capabilities.traces.filters.finding import TraceFinder
from sternpost.capabilities.traces.filters.grammar import Both, Filter, Term, parse_filter
from sternpost.capabilities.traces.filters.same_calls import may_be_told_twice
from sternpost.capabilities.traces.filters.search import Search
from sternpost.capabilities.traces.filters.stretches import join_stretches
from sternpost.capabilities.traces.logged import with_logged_messages
from sternpost.capabilities.traces.overview.figures import FigureReads
from sternpost.capabilities.traces.records import (
    NewScore,
    Overview,
    Score,
    Span,
    TimeRange,
    TraceDetail,
    TraceItem,
    TracePage,
)
from sternpost.capabilities.traces.rules import (
    choose_step_s,
    is_span_id,
    is_trace_id,
    iso_time,
    read_cursor,
    read_range,
    write_cursor,
)
from sternpost.capabilities.traces.same_ids import with_ids_of_their_own
from sternpost.capabilities.traces.store import MAX_TRACE_SPANS, TraceReads
from sternpost.capabilities.traces.tree_order import in_tree_order, page_behind
from sternpost.capabilities.traces.views import (
    content_hashes,
    model_view,
    point_view,
    score_view,
    span_view,
    totals_view,
    trace_head,
    trace_item,
)
from sternpost.contracts import score as score_contract
from sternpost.contracts.journal import BatchEntry, Journal
from sternpost.contracts.score import ScoreSource
from sternpost.contracts.span import SpanBundle
from sternpost.contracts.span_facts import Facts, SpanFact
from sternpost.contracts.trace_store import TraceStore

_DAY_NS = 86_400_000_000_000
_MAX_STRETCHES = 64  # of the traces of a page; more of them joined would read what lies between
_MAX_LIMIT = 200
_MAX_TEXT = 10_000
_REPLY_DAYS = 30
_NO_FACTS: Facts = {}
_FIND_REPLY_S = 3.0  # a caller waits for it


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What the list is asked for; empty texts leave a side open."""

    limit: int = 50
    cursor: str = ""
    filter: str = ""
    since: str = ""
    until: str = ""
    environment: str = ""


class Traces:
    """Verbs on the traces of one project at a time."""

    def __init__(
        self,
        store: TraceStore,
        journal: Journal,
        clock: Clock,
        *,
        query_timeout_s: float | None = None,
        facts: Facts = _NO_FACTS,
    ) -> None:
        """facts: those that capabilities declare; each is a field of the filter."""
        self._store = store
        self._journal = journal
        self._clock = clock
        self._timeout_s = query_timeout_s
        self._facts = facts

    def facts(self) -> Sequence[SpanFact]:
        """Return the facts that spans may have, by name."""
        return [self._facts[name] for name in sorted(self._facts)]

    async def list(self, project_id: ProjectId, query: TraceQuery) -> TracePage:
        """List traces, newest start first; rows that arrive meanwhile never move a page.

        A search that takes long ends early: the page says back to when it is complete, its cursor continues.

        Raises: BadRequest for a filter, cursor or time that can't be read; QueryTimedOut, StoreUnavailable.
        """
        if not 1 <= query.limit <= _MAX_LIMIT:
            raise BadRequest(f"limit must be from 1 to {_MAX_LIMIT}", param="limit")
        bounds = read_range(query.since, query.until, self._clock.now_ns(), default_since_ns=0)
        search = Search(
            self._finder(project_id),
            bounds,
            tree=_within(query.environment, parse_filter(query.filter, self._facts)),
            position=read_cursor(query.cursor) if query.cursor else None,
            clock=self._clock,
        )
        found = await READS.run(search.run, query.limit + 1)
        shown = found[: query.limit]
        items = await self._items(project_id, [position.trace_id for position in shown], search.times)
        if len(found) > query.limit:
            return TracePage(items, write_cursor(shown[-1]))
        if search.stopped_at is None:
            return TracePage(items, None)
        return TracePage(items, write_cursor(search.stopped_at), iso_time(search.stopped_at.started_ns))

    async def find_maker(self, project_id: ProjectId, reply_id: str) -> tuple[str, KeyId] | None:
        """Return the provider that made a reply of the last 30 days, from its span; None if there is none.

        Providers keep replies that long. Raises: QueryTimedOut, StoreUnavailable.
        """
        reads = TraceReads(self._store, project_id, _FIND_REPLY_S)
        since_ns = self._clock.now_ns() - _REPLY_DAYS * _DAY_NS
        return await LOOK_UPS.run(reads.maker_of, reply_id, since_ns)

    async def get(self, project_id: ProjectId, trace_id: str, spans_cursor: str = "") -> TraceDetail:
        """Open one trace with its messages; a huge one in pages of 5,000 spans, in the order of its tree.

        Raises: NotFound; BadRequest for a cursor of another trace.
        """
        reads = self._reads(project_id)
        finder = self._finder(project_id)
        bounds = (
            (await READS.run(finder.times_of, [trace_id])).get(trace_id) if is_trace_id(trace_id) else None
        )
        if bounds is None:
            raise NotFound(f"there is no trace {trace_id[:64]!r} in this project")
        summaries, (spans, next_cursor), scores = await asyncio.gather(
            READS.run(reads.summaries, [trace_id], [bounds]),
            READS.run(_spans, reads, trace_id, bounds, spans_cursor, self._facts),
            READS.run(reads.scores, [trace_id]),
        )
        return TraceDetail(
            trace=trace_head(summaries[0], scores, len(spans)),
            spans=spans,
            scores=[score_view(row) for row in scores],
            spans_cursor=next_cursor,
        )

    async def add_score(
        self,
        project_id: ProjectId,
        trace_id: str,
        new: NewScore,
        *,
        author: str = "",
        source: ScoreSource = "human",
    ) -> Score:
        """Record a judgement of a trace or of one of its spans; it is durable when this returns.

        The trace need not be visible yet: spans arrive after the answer they describe.
        Raises: BadRequest; JournalFull.
        """
        score = _checked_score(project_id, trace_id, new, self._clock.now_ns())
        score = replace(score, author=author, source=source)
        entry = BatchEntry(SpanBundle(scores=(score,)))
        await self._journal.append(msgspec.msgpack.encode(entry), "synced")
        return score_view(asdict(score))

    async def overview(
        self, project_id: ProjectId, since: str, until: str, step: str, *, environment: str = ""
    ) -> Overview:
        """Add up calls over a time (24 hours by default), by step and by model."""
        now_ns = self._clock.now_ns()
        bounds = read_range(since, until or "now", now_ns, default_since_ns=now_ns - _DAY_NS)
        step_ns = choose_step_s(bounds, step) * 1_000_000_000
        start_ns = bounds.since_ns - bounds.since_ns % step_ns
        bounds = TimeRange(start_ns, bounds.until_ns)
        reads = FigureReads(self._store, project_id, self._timeout_s)
        figures = await READS.run(reads.figures, bounds, step_ns, environment)
        by_step = {row["step"]: row for row in figures.by_step}
        steps = range(-(-(bounds.until_ns - start_ns) // step_ns))
        return Overview(
            since=iso_time(start_ns),
            until=iso_time(bounds.until_ns),
            step_s=step_ns // 1_000_000_000,
            totals=totals_view(figures.totals),
            series=[point_view(by_step.get(step, {}), start_ns + step * step_ns) for step in steps],
            by_model=[model_view(row) for row in figures.by_model],
        )

    def _finder(self, project_id: ProjectId) -> TraceFinder:
        return TraceFinder(self._store, project_id, self._timeout_s)

    def _reads(self, project_id: ProjectId) -> TraceReads:
        return TraceReads(self._store, project_id, self._timeout_s)

    async def _items(
        self, project_id: ProjectId, trace_ids: Sequence[str], times: Mapping[str, TimeRange]
    ) -> Sequence[TraceItem]:
        if not trace_ids:
            return []
        reads = self._reads(project_id)
        stretches = join_stretches([times[trace_id] for trace_id in trace_ids], _MAX_STRETCHES)
        rows, scores = await asyncio.gather(
            READS.run(reads.summaries, trace_ids, stretches), READS.run(reads.scores, trace_ids)
        )
        by_id = {row["trace_id"]: row for row in rows}
        scores_of = _by_trace(scores)
        return [
            trace_item(by_id[trace_id], scores_of[trace_id]) for trace_id in trace_ids if trace_id in by_id
        ]


def _within(environment: str, tree: "Filter | None") -> "Filter | None":
    """Narrow a filter to the traces of an environment; empty: all."""
    if not environment:
        return tree
    chosen = Term("environment", ":", environment.replace("*", ""), 0)
    return chosen if tree is None else Both((chosen, *(tree.parts if isinstance(tree, Both) else (tree,))))


def _spans(
    reads: TraceReads, trace_id: str, bounds: TimeRange, cursor: str, facts: Facts
) -> tuple[list[Span], str | None]:
    """Read spans and their messages; for thousands of spans it takes long enough to delay calls."""
    found, next_cursor = _page_of_spans(reads, trace_id, bounds, cursor)
    rows = with_ids_of_their_own(found)
    bodies = reads.bodies_of(list(dict.fromkeys(hash_ for row in rows for hash_ in content_hashes(row))))
    joins = reads.joins_of(trace_id, bounds) if any(may_be_told_twice(row) for row in rows) else {}
    lone = reads.lone_agents_of(trace_id, bounds) if any(row["is_rollup"] for row in rows) else set[str]()
    skewed = skewed_spans(rows)
    spans = [
        span_view(
            row,
            bodies,
            facts,
            joins.get(str(row["span_id"])),
            is_lone=row["span_id"] in lone,
            is_time_skewed=row["span_id"] in skewed,
        )
        for row in rows
    ]
    return with_logged_messages(spans), next_cursor


def _page_of_spans(
    reads: TraceReads, trace_id: str, bounds: TimeRange, cursor: str
) -> tuple[list[Mapping[str, object]], str | None]:
    if not cursor:
        rows = reads.spans_of(trace_id, bounds)
        if len(rows) < MAX_TRACE_SPANS:
            return rows, None
    page, next_cursor = page_behind(in_tree_order(reads.places_of(trace_id, bounds)), cursor, MAX_TRACE_SPANS)
    place = {span_id: number for number, span_id in enumerate(page)}
    rows = reads.spans_of(trace_id, bounds, page) if page else []
    return sorted(rows, key=lambda row: place[str(row["span_id"])]), next_cursor


Row = TypeVar("Row", bound=Mapping[str, object])


def _by_trace(rows: Sequence[Row]) -> defaultdict[object, list[Row]]:
    grouped: defaultdict[object, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["trace_id"]].append(row)
    return grouped


def _checked_score(project_id: ProjectId, trace_id: str, new: NewScore, now_ns: int) -> score_contract.Score:
    if not is_trace_id(trace_id):
        raise NotFound(f"{trace_id[:64]!r} is not a trace id: 32 hex digits")
    if new.span_id and not is_span_id(new.span_id):
        raise BadRequest("span_id must be 16 hex digits", param="span_id")
    if not 1 <= len(new.name) <= 200:
        raise BadRequest("a score needs a name of at most 200 characters", param="name")
    if new.kind in ("numeric", "boolean") and new.value is None:
        raise BadRequest(f"a {new.kind} score needs a value", param="value")
    if new.value is not None and not math.isfinite(new.value):
        raise BadRequest("value must be a finite number", param="value")
    if new.kind == "boolean" and new.value not in (0, 1):
        raise BadRequest("the value of a boolean score must be 0 or 1", param="value")
    if new.kind in ("category", "text") and not new.label:
        raise BadRequest(f"a {new.kind} score needs a label", param="label")
    if len(new.label or "") > _MAX_TEXT or len(new.explanation or "") > _MAX_TEXT:
        raise BadRequest(
            f"label and explanation must have at most {_MAX_TEXT} characters", param="explanation"
        )
    return score_contract.Score(
        project_id=project_id,
        score_id=ScoreId(new_id("score")),
        trace_id=TraceId(trace_id),
        span_id=SpanId(new.span_id) if new.span_id else None,
        name=new.name,
        kind=new.kind,
        source="human",
        created_ns=now_ns,
        value=new.value,
        label=new.label or "",
        explanation=new.explanation or "",
    )
