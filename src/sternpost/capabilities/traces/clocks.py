"""Which spans lie outside their parent further than clocks explain; pure. Impossible times are `ingest`'s."""

from collections.abc import Mapping, Sequence
from typing import Final

# Clocks of two machines differ by this much without anything being wrong.
CLOCKS_NS: Final = 2_000_000_000
# What begins this long after its parent ended was not part of it.
LATE_NS: Final = 600_000_000_000


def skewed_spans(rows: Sequence[Mapping[str, object]]) -> set[str]:
    """Return the spans whose times can't be right beside those of their parents.

    A span does not begin before its parent; one that begins long after its parent ended was not part of it.
    Those that were flagged when they arrived are among them, and no other span is judged by them.
    """
    flagged = {str(row["span_id"]) for row in rows if row["is_time_skewed"]}
    times = {
        str(row["span_id"]): (_ns(row["started_ns"]), _ns(row["ended_ns"]))
        for row in rows
        if not row["is_time_skewed"]
    }
    for row in rows:
        parent = times.get(str(row["parent_span_id"]))
        if parent is not None and is_outside(_ns(row["started_ns"]), parent):
            flagged.add(str(row["span_id"]))
    return flagged


def is_outside(started_ns: int, parent: tuple[int, int]) -> bool:
    """parent: when it started and ended."""
    return not parent[0] - CLOCKS_NS <= started_ns <= parent[1] + LATE_NS


def _ns(value: object) -> int:
    return value if isinstance(value, int) else 0
