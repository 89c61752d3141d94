"""When a batch may run, and what it can be made of."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest, ConfigurationError
from sternpost.capabilities.batches.records import OffPeak
from sternpost.capabilities.batches.rules import (
    back_off_s,
    check_new,
    is_off_peak,
    next_off_peak_ns,
    read_off_peak,
)

BERLIN = read_off_peak("22:00", "06:00", "Europe/Berlin")
windows = st.builds(
    OffPeak,
    from_minute=st.integers(0, 719),
    until_minute=st.integers(720, 1439),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-25T21:59", False),
        ("2026-11-25T22:00", True),
        ("2026-11-26T00:30", True),
        ("2026-11-26T06:00", False),
    ],
)
def test_a_window_over_midnight_is_open_on_both_sides_of_it(moment: str, is_open: bool) -> None:
    assert is_off_peak(BERLIN, at(moment)) is is_open


def test_without_a_window_the_queue_always_works() -> None:
    assert is_off_peak(None, 0)


def test_the_window_follows_the_wall_clock_when_summer_time_ends() -> None:
    # On 25 October 2026 the clocks go back: 22:00 that day is 21:00 UTC, the day before 20:00 UTC.
    opens = next_off_peak_ns(BERLIN, at("2026-10-25T12:00"))
    assert datetime.fromtimestamp(opens / 1e9, UTC).hour == 21
    opens = next_off_peak_ns(BERLIN, at("2026-10-24T12:00"))
    assert datetime.fromtimestamp(opens / 1e9, UTC).hour == 20


@given(windows, st.integers(at("2026-01-01T00:00"), at("2026-12-31T00:00")))
def test_the_next_opening_is_open_and_within_a_day(window: OffPeak, now_ns: int) -> None:
    opens_ns = next_off_peak_ns(window, now_ns)
    assert now_ns - 60 * 10**9 <= opens_ns <= now_ns + 25 * 3600 * 10**9
    # A wall-clock minute that the change to summer time leaves out is the only one that is never open.
    assert is_off_peak(window, opens_ns) or is_off_peak(window, opens_ns + 3600 * 10**9)


@pytest.mark.parametrize(
    ("start", "end", "zone", "word"),
    [
        ("24:00", "06:00", "UTC", "from"),
        ("22:00", "6", "UTC", "until"),
        ("22:00", "22:00", "UTC", "the same"),
        ("22:00", "06:00", "Nowhere/City", "timezone"),
    ],
)
def test_a_window_that_is_none_is_refused_by_its_field(start: str, end: str, zone: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        read_off_peak(start, end, zone)


@given(st.integers(1, 50), st.floats(0, 1))
def test_back_off_grows_and_stays_within_a_minute(tries: int, chance: float) -> None:
    assert 0 < back_off_s(tries, chance) <= 60


def test_what_a_batch_cannot_be_made_of_is_named() -> None:
    check_new("/v1/embeddings", "24h", {})
    for endpoint, window, metadata, param in (
        ("/v1/images", "24h", {}, "endpoint"),
        ("/v1/responses", "1h", {}, "completion_window"),
        ("/v1/responses", "24h", {"a": "x" * 513}, "metadata"),
    ):
        with pytest.raises(BadRequest) as refused:
            check_new(endpoint, window, metadata)
        assert refused.value.param == param
