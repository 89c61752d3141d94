from sternpost.backends.counters.memory import MemoryCounters
from sternpost.contracts.counters import Claim

SECOND_NS = 1_000_000_000


def remembered(counters: MemoryCounters) -> int:
    return len(counters._idle_at_ns) + len(counters._running) + len(counters._leases)


def test_idle_counters_are_forgotten():
    counters = MemoryCounters()
    for n in range(100_000):  # 1,000 new callers a second, each of them idle again after 0.6 s
        verdict = counters.admit([Claim(f"c{n}", per_minute=100, concurrency=1)], n * SECOND_NS // 1000)
        counters.release(verdict.lease)
    assert remembered(counters) <= 10_001


def test_memory_is_bounded_even_when_nothing_is_idle():
    counters = MemoryCounters(max_counters=1000)
    for n in range(5000):
        assert counters.admit([Claim(f"c{n}", per_minute=1)], 1).is_admitted
    assert remembered(counters) <= 1001
    assert not counters.admit([Claim("c4999", per_minute=1)], 1).is_admitted  # the newest are kept
