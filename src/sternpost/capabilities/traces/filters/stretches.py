"""Joins stretches of time, so that a query names a few of them; no clock and no store."""

from collections.abc import Iterable
from itertools import pairwise

from sternpost.capabilities.traces.records import TimeRange


def join_stretches(stretches: Iterable[TimeRange], most: int) -> list[TimeRange]:
    """Cover all stretches with at most `most`, in order of time, by closing the smallest gaps.

    Stretches that touch or overlap are one in any case.
    """
    ordered = sorted(stretches, key=lambda one: (one.since_ns, one.until_ns))
    joined = _joined(ordered, gap_ns=0)
    if len(joined) > most:
        gaps = sorted(later.since_ns - one.until_ns for one, later in pairwise(joined))
        joined = _joined(joined, gap_ns=gaps[len(joined) - most - 1])
    return joined


def _joined(ordered: Iterable[TimeRange], gap_ns: int) -> list[TimeRange]:
    joined: list[TimeRange] = []
    for one in ordered:
        if joined and one.since_ns - joined[-1].until_ns <= gap_ns:
            joined[-1] = TimeRange(joined[-1].since_ns, max(joined[-1].until_ns, one.until_ns))
        else:
            joined.append(one)
    return joined
