from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sternpost.capabilities.traces.filters.stretches import join_stretches
from sternpost.capabilities.traces.records import TimeRange

stretches = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 9)).map(lambda pair: TimeRange(pair[0], sum(pair))),
    max_size=30,
)


@given(stretches, st.integers(1, 8))
def test_joined_stretches_are_few_apart_in_order_and_cover_all(given: list[TimeRange], most: int) -> None:
    joined = join_stretches(given, most)
    assert len(joined) <= most
    for one, later in pairwise(joined):
        assert one.until_ns < later.since_ns
    for one in given:
        assert any(over.since_ns <= one.since_ns and one.until_ns <= over.until_ns for over in joined)


@given(stretches)
def test_nothing_is_added_where_there_is_room_for_all(given: list[TimeRange]) -> None:
    moments = {at for one in given for at in range(one.since_ns, one.until_ns)}
    joined = join_stretches(given, 30)
    assert {at for one in joined for at in range(one.since_ns, one.until_ns)} == moments
