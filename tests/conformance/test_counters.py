"""What every engine of `contracts.counters` keeps; a new engine is one more line in ENGINES."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.backends.counters.memory import MemoryCounters
from sternpost.contracts.counters import Claim, Counters

ENGINES: list[Callable[[], Counters]] = [MemoryCounters]
START_NS = 1_700_000_000_000_000_000
MINUTE_NS = 60_000_000_000
each_engine = pytest.mark.parametrize("engine", ENGINES)


@each_engine
@given(limit=st.integers(1, 50))
def test_a_burst_of_exactly_the_minutes_allowance_is_admitted(engine: Callable[[], Counters], limit: int):
    counters = engine()
    verdicts = [counters.admit([Claim("a", per_minute=limit)], START_NS) for _ in range(limit + 1)]
    assert [v.is_admitted for v in verdicts] == [True] * limit + [False]
    assert verdicts[-1].refused_by == "a"
    assert verdicts[-1].retry_after_s == pytest.approx(60 / limit, rel=1e-6)


@each_engine
@given(limit=st.integers(1, 50))
def test_waiting_as_told_admits_exactly_one(engine: Callable[[], Counters], limit: int):
    counters = engine()
    claim = [Claim("a", per_minute=limit)]
    while (refused := counters.admit(claim, START_NS)).is_admitted:
        pass
    later_ns = START_NS + round(refused.retry_after_s * 1e9) + 1
    assert counters.admit(claim, later_ns).is_admitted
    assert not counters.admit(claim, later_ns).is_admitted


@each_engine
@given(limit=st.integers(1, 100), gaps_ms=st.lists(st.integers(0, 20_000), max_size=200))
def test_in_any_window_no_more_is_admitted_than_limit_and_burst(
    engine: Callable[[], Counters], limit: int, gaps_ms: list[int]
):
    counters, now_ns, admitted = engine(), START_NS, []
    for gap_ms in gaps_ms:
        now_ns += gap_ms * 1_000_000
        if counters.admit([Claim("a", per_minute=limit)], now_ns).is_admitted:
            admitted.append(now_ns)
    for first, start in enumerate(admitted):
        for count, end in enumerate(admitted[first:], start=1):
            # The burst is the whole minute's allowance; what flows in meanwhile comes on top.
            assert count <= limit + limit * (end - start) / MINUTE_NS + 1e-6


@each_engine
@given(limit=st.integers(1, 600))
def test_a_steady_stream_at_the_limit_is_never_refused(engine: Callable[[], Counters], limit: int):
    counters = engine()
    times = [START_NS + n * MINUTE_NS // limit for n in range(3 * limit)]
    assert all(counters.admit([Claim("a", per_minute=limit)], at).is_admitted for at in times)


CLAIMS = st.lists(
    st.builds(
        Claim,
        counter=st.sampled_from("abc"),
        per_minute=st.none() | st.integers(0, 4),
        concurrency=st.none() | st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


@each_engine
@given(before=st.lists(CLAIMS, max_size=5), refused=CLAIMS, after=st.lists(CLAIMS, max_size=5))
def test_a_refusal_leaves_no_trace(
    engine: Callable[[], Counters], before: list[list[Claim]], refused: list[Claim], after: list[list[Claim]]
):
    one, other = engine(), engine()
    for claims in before:
        assert one.admit(claims, START_NS) == other.admit(claims, START_NS)
    impossible = [*refused, Claim("z", concurrency=0)]
    assert not one.admit(impossible, START_NS).is_admitted
    for claims in after:
        assert one.admit(claims, START_NS) == other.admit(claims, START_NS)


@each_engine
@given(
    limit=st.integers(1, 4),
    steps=st.lists(st.none() | st.integers(0, 30), max_size=60),
)
def test_leases_are_never_more_than_the_limit_and_released_once(
    engine: Callable[[], Counters], limit: int, steps: list[int | None]
):
    counters, held, every = engine(), set[int](), [0]
    for step in steps:
        if step is None:
            verdict = counters.admit([Claim("a", concurrency=limit)], START_NS)
            assert verdict.is_admitted == (len(held) < limit)
            if verdict.is_admitted:
                assert verdict.lease not in every
                held.add(verdict.lease)
                every.append(verdict.lease)
        else:
            lease = every[step % len(every)]  # released before, or never given, now and then
            counters.release(lease)
            held.discard(lease)


@each_engine
def test_zero_denies_none_does_not_limit_and_no_claims_admit(engine: Callable[[], Counters]):
    counters = engine()
    assert not counters.admit([Claim("a", per_minute=0)], START_NS).is_admitted
    assert not counters.admit([Claim("b", concurrency=0)], START_NS).is_admitted
    assert all(counters.admit([Claim("c")], START_NS).is_admitted for _ in range(1000))
    assert counters.admit([], START_NS).lease == 0


@each_engine
def test_a_lowered_limit_holds_at_once(engine: Callable[[], Counters]):
    counters = engine()
    for _ in range(10):
        assert counters.admit([Claim("a", per_minute=100, concurrency=100)], START_NS).is_admitted
    assert not counters.admit([Claim("a", concurrency=5)], START_NS).is_admitted
