"""How long to wait before a retry and how many retries a route may spend; not which errors allow one."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_ATTEMPTS = 3  # over all targets of one call
LONGEST_WAIT_S = 20.0

_BASE_S = 0.5
_SHARE = 0.1  # of first attempts
_FLOOR = 10.0  # so that a quiet route may retry at all
_FLOOR_PERIOD_S = 10.0
_CEILING = 100.0
_MAX_BUCKETS = 10_000


def wait_before_retry(number: int, retry_after_s: float | None, chance: float) -> float:
    """Return seconds: what the provider asked for, else full jitter over an exponential.

    number: how many attempts failed, from 1. chance: uniform in [0, 1).
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog.
    """
    if retry_after_s is not None:
        return max(retry_after_s, 0.0)
    return min(_BASE_S * 2 ** (number - 1), LONGEST_WAIT_S) * chance


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


@dataclass(slots=True)
class RetryBudgets:
    """Token buckets per route and provider: a tenth of the first attempts, at least 10 per 10 s.

    They keep a fleet of callers from doubling the load of a provider that is already failing.
    """

    chance: Callable[[], float] = random.random
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict[tuple[str, str], _Bucket])

    def first_attempt(self, route: str, provider: str) -> None:
        bucket = self._buckets.get((route, provider))
        if bucket is not None and bucket.tokens < _CEILING:
            bucket.tokens += _SHARE

    def may_retry(self, route: str, provider: str, now_s: float) -> bool:
        """Take one retry out of the budget, if it holds one."""
        if len(self._buckets) >= _MAX_BUCKETS:  # callers choose model names, memory is ours
            self._buckets.clear()
        bucket = self._buckets.setdefault((route, provider), _Bucket(_FLOOR, now_s))
        if bucket.tokens < _FLOOR:
            bucket.tokens = min(_FLOOR, bucket.tokens + (now_s - bucket.at_s) * _FLOOR / _FLOOR_PERIOD_S)
        bucket.at_s = now_s
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True
