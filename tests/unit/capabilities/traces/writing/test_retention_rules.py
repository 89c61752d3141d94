"""When traces are old enough to go: never, unless a positive number of days says so."""

import pytest

from sternpost.capabilities.traces.writing.retention import delete_before_ns

DAY_NS = 86_400_000_000_000
NOW_NS = 1_790_000_000_000_000_000


@pytest.mark.parametrize("days", [0, -1, -36_500])
def test_a_retention_that_is_not_positive_deletes_nothing(days: int) -> None:
    assert delete_before_ns(NOW_NS, days) is None


def test_a_retention_deletes_what_is_older() -> None:
    assert delete_before_ns(NOW_NS, 30) == NOW_NS - 30 * DAY_NS
