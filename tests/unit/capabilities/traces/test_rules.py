from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest
from sternpost.capabilities.traces.records import PagePosition, TimeRange
from sternpost.capabilities.traces.rules import (
    choose_step_s,
    iso_time,
    read_cursor,
    read_range,
    read_time,
    write_cursor,
)

SECOND = 1_000_000_000
NOON = 1_795_176_000 * SECOND  # 2026-11-20 12:00 UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOON),
        ("now-24h", NOON - 86_400 * SECOND),
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20T13:00:00+01:00", NOON),
        ("2026-11-20T13:00:00 01:00", NOON),  # a plus sign that nobody escaped
        ("2026-11-20 12:00", NOON),
        ("2026-11-20", NOON - 12 * 3600 * SECOND),
    ],
)
def test_time_is_read(text: str, expected: int) -> None:
    assert read_time(text, NOON, param="since") == expected


@pytest.mark.parametrize("text", ["yesterday", "now-24", "now+1h", "2026-13-01"])
def test_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_time(text, NOON, param="until")
    assert caught.value.param == "until"


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
@example(datetime.max, -14 * 60)  # noqa: DTZ901  # the zone is added below
@example(datetime.min, 14 * 60)  # noqa: DTZ901
def test_any_date_there_is_can_be_read_and_written(moment: datetime, offset_min: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    at_ns = read_time(aware.isoformat(), NOON, param="since")
    assert 0 <= at_ns < 2**63 - 86_400 * SECOND
    assert "1970" <= iso_time(at_ns) < "2263"


def test_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadRequest):
        read_range("now", "now-1h", NOON, default_since_ns=0)


@given(st.integers(0, 4_000_000_000 * SECOND))
def test_time_survives_writing_and_reading(at_ns: int) -> None:
    assert read_time(iso_time(at_ns), NOON, param="since") == at_ns - at_ns % 1000


@given(st.integers(0, 2**62), st.text("0123456789abcdef", min_size=32, max_size=32))
def test_cursor_survives_writing_and_reading(started_ns: int, trace_id: str) -> None:
    position = PagePosition(started_ns, trace_id)
    assert read_cursor(write_cursor(position)) == position


@given(st.text(max_size=60))
def test_any_other_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_cursor(text)


@given(st.integers(1, 2**33))
def test_chosen_step_gives_a_readable_number_of_points(length_s: int) -> None:
    step_s = choose_step_s(TimeRange(0, length_s * SECOND), "")
    assert length_s / step_s <= 120 or (step_s % 604_800 == 0 and length_s / step_s <= 1000)


@pytest.mark.parametrize("step", ["0", "5x", "-1", "1s"])
def test_step_that_makes_no_sense_is_refused(step: str) -> None:
    with pytest.raises(BadRequest):
        choose_step_s(TimeRange(0, 86_400 * SECOND), step)
