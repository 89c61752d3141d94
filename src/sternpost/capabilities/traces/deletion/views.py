"""How deletions look in the API; not the routes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sternpost.base.money import usd_text
from sternpost.capabilities.traces.deletion.records import (
    Counts,
    Deletion,
    DeletionKind,
    DeletionPage,
    DeletionState,
    Step,
)
from sternpost.capabilities.traces.deletion.rules import progress_of
from sternpost.capabilities.traces.deletion.trace_rows import Found
from sternpost.capabilities.traces.rules import iso_time


@dataclass(frozen=True, slots=True)
class CountsView:
    """What goes, or went. Messages and media are those that nothing else refers to."""

    traces: int
    spans: int
    scores: int
    messages: int
    media: int
    cost_usd: str
    cost_nanousd: int


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What a deletion would remove now. Messages and media are counted when it is done."""

    kind: DeletionKind
    traces: int
    spans: int
    scores: int
    cost_usd: str
    cost_nanousd: int
    first_started_at: str | None
    last_started_at: str | None


@dataclass(frozen=True, slots=True)
class DeletionView:
    """A deletion. `subject` is the id of the trace, or the hash of the id of the session or user.

    `error` says why it does not get on at the moment; it is tried again.
    """

    deletion_id: str
    kind: DeletionKind
    subject: str
    state: DeletionState
    step: Step
    progress: float
    counts: CountsView
    error: str
    created_at: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class DeletionPageView:
    items: Sequence[DeletionView]
    next_cursor: str | None


def deletion_view(deletion: Deletion) -> DeletionView:
    return DeletionView(
        deletion_id=deletion.deletion_id,
        kind=deletion.kind,
        subject=deletion.subject,
        state=deletion.state,
        step=deletion.step,
        progress=progress_of(deletion),
        counts=_counts_view(deletion.counts),
        error=deletion.error,
        created_at=iso_time(deletion.created_ns),
        ended_at=None if deletion.ended_ns is None else iso_time(deletion.ended_ns),
    )


def page_view(page: DeletionPage) -> DeletionPageView:
    return DeletionPageView([deletion_view(one) for one in page.items], page.next_cursor)


def preview_view(kind: DeletionKind, found: Found) -> DeletionPreview:
    counts = found.counts
    return DeletionPreview(
        kind=kind,
        traces=counts.traces,
        spans=counts.spans,
        scores=counts.scores,
        cost_usd=usd_text(counts.cost_nanousd),
        cost_nanousd=counts.cost_nanousd,
        first_started_at=iso_time(found.first_ns) if counts.traces else None,
        last_started_at=iso_time(found.last_ns) if counts.traces else None,
    )


def _counts_view(counts: Counts) -> CountsView:
    return CountsView(
        counts.traces,
        counts.spans,
        counts.scores,
        counts.messages,
        counts.media,
        usd_text(counts.cost_nanousd),
        counts.cost_nanousd,
    )
