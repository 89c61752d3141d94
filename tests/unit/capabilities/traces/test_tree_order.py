"""The order in which a huge trace's spans are paged."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sternpost.base.errors import BadRequest
from sternpost.capabilities.traces.tree_order import Place, in_tree_order, page_behind


def test_children_stand_behind_their_parent() -> None:
    places = [
        Place("c", "a", 3),
        Place("a", "", 1),
        Place("d", "b", 4),
        Place("b", "a", 2),
        Place("o", "gone", 0),
    ]
    assert in_tree_order(places) == ["o", "a", "b", "d", "c"]


@given(some.lists(some.tuples(some.integers(0, 8), some.integers(0, 8), some.integers(0, 5)), max_size=12))
def test_pages_hold_each_span_once_even_in_circles(rows: list[tuple[int, int, int]]) -> None:
    places = [Place(str(span), str(parent), at) for span, parent, at in rows]
    order = in_tree_order(places)
    read: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = page_behind(order, cursor, 2)
        read += page
    assert sorted(read) == sorted({one.span_id for one in places})


def test_cursor_of_another_trace_is_refused() -> None:
    with pytest.raises(BadRequest, match="spans_cursor"):
        page_behind(["a"], "b", 2)
