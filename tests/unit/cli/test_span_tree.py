"""`sternpost trace show` prints spans as the tree they are."""

import random

import pytest

from sternpost.cli.span_tree import in_tree_order


def span(name: str, parent: str | None, at: int) -> dict[str, object]:
    return {"span_id": name, "parent_span_id": parent, "started_at": f"2026-01-01T00:00:{at:02}.000000Z"}


@pytest.mark.parametrize("seed", range(3))
def test_a_span_stands_below_its_parent_and_siblings_in_the_order_of_time(seed: int) -> None:
    spans = [
        span("root", None, 1),
        span("first", "root", 2),
        span("inner", "first", 5),
        span("second", "root", 3),  # started before `inner`, and is no part of `first`
        span("lost", "not here", 4),
        span("early", "second", 0),  # of a clock that is behind
    ]
    random.Random(seed).shuffle(spans)
    assert [(depth, one["span_id"]) for depth, one in in_tree_order(spans)] == [
        (0, "root"), (1, "first"), (2, "inner"), (1, "second"), (2, "early"), (0, "lost"),
    ]  # fmt: skip


def test_spans_in_a_circle_are_shown_once_and_a_deep_chain_ends_indenting() -> None:
    circle = [span("a", "b", 1), span("b", "a", 2), span("self", "self", 3)]
    assert [one["span_id"] for _, one in in_tree_order(circle)] == ["a", "b", "self"]
    chain = [span(f"s{n}", f"s{n - 1}" if n else None, 0) for n in range(5000)]
    assert [depth for depth, _ in in_tree_order(chain)][-1] == 30
