"""The order of a trace's spans, parents before children, and which of them a page holds; pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sternpost.base.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Place:
    """A span and where it hangs."""

    span_id: str
    parent_span_id: str
    started_ns: int


def in_tree_order(places: Sequence[Place]) -> list[str]:
    """Put each span right behind its parent's earlier children, by start; each comes once.

    A span whose parent isn't there is a root; so is the first of a circle.
    """
    ordered = sorted(places, key=lambda one: (one.started_ns, one.span_id))
    known = {one.span_id for one in ordered}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for one in ordered:
        if one.parent_span_id in known:
            children[one.parent_span_id].append(one.span_id)
    roots = [one.span_id for one in ordered if one.parent_span_id not in known]
    found: dict[str, None] = {}
    for start in (*roots, *(one.span_id for one in ordered)):
        stack = [] if start in found else [start]
        while stack:
            span_id = stack.pop()
            if span_id not in found:
                found[span_id] = None
                stack += reversed(children[span_id])
    return list(found)


def page_behind(order: Sequence[str], cursor: str, size: int) -> tuple[Sequence[str], str | None]:
    """Return the spans behind `cursor` ("": the first ones), and the cursor of the next page.

    Raises: BadRequest for a cursor that is no span of the trace.
    """
    if cursor and cursor not in order:
        raise BadRequest("spans_cursor must be the `spans_cursor` of the previous page", param="spans_cursor")
    start = order.index(cursor) + 1 if cursor else 0
    page = order[start : start + size]
    return page, page[-1] if start + size < len(order) else None
