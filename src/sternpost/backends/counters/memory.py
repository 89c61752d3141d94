"""Rates and concurrency in this process's memory; limits over several processes need another engine.

A rate is GCRA (the virtual scheduling algorithm of ITU-T I.371): one time per counter, the moment at which it
would be idle again. Called on the event loop only, so nothing here locks.
"""

import logging
from collections.abc import Sequence

from sternpost.contracts.counters import Admission, Claim

logger = logging.getLogger(__name__)

_MINUTE_NS = 60_000_000_000
_SLOT_RETRY_S = 1.0  # nobody knows when a running call ends
_DENIED_RETRY_S = 60.0  # a limit of 0 ends when somebody changes it
_FIRST_SWEEP = 10_000


class MemoryCounters:
    """A `contracts.counters.Counters`. At most `max_counters` rates are remembered."""

    def __init__(self, max_counters: int = 200_000) -> None:
        self._max_counters = max_counters
        self._idle_at_ns: dict[str, int] = {}
        self._running: dict[str, int] = {}
        self._leases: dict[int, list[str]] = {}
        self._last_lease = 0
        self._sweep_at = min(_FIRST_SWEEP, max_counters)

    def admit(self, claims: Sequence[Claim], now_ns: int) -> Admission:
        """Take every claim or none; the first that does not fit is named with the time until it may.

        now_ns: monotonic, so that a clock set back locks nobody out.
        """
        was: list[tuple[str, int | None]] = []
        slots: list[str] = []
        for claim in claims:
            wait_s = 0.0
            if claim.per_minute is not None:
                was.append((claim.counter, self._idle_at_ns.get(claim.counter)))
                wait_s = self._take_rate(claim.counter, claim.per_minute, now_ns)
            if not wait_s and claim.concurrency is not None:
                wait_s = self._take_slot(claim.counter, claim.concurrency, slots)
            if wait_s:
                self._give_back(was, slots)
                return Admission(False, refused_by=claim.counter, retry_after_s=wait_s)
        if len(self._idle_at_ns) > self._sweep_at:
            self._sweep(now_ns)
        if not slots:
            return Admission(True)
        self._last_lease += 1
        self._leases[self._last_lease] = slots
        return Admission(True, self._last_lease)

    def release(self, lease: int) -> None:
        for counter in self._leases.pop(lease, ()):
            self._free_slot(counter)

    def _take_rate(self, counter: str, per_minute: int, now_ns: int) -> float:
        """Count one request and return 0, or count nothing and return the wait in seconds."""
        if per_minute <= 0:
            return _DENIED_RETRY_S
        interval_ns = -(-_MINUTE_NS // per_minute)
        burst_ns = interval_ns * per_minute
        after_ns = max(self._idle_at_ns.get(counter, 0), now_ns) + interval_ns
        if after_ns - burst_ns > now_ns:
            return (after_ns - burst_ns - now_ns) / 1e9
        self._idle_at_ns[counter] = after_ns
        return 0.0

    def _take_slot(self, counter: str, limit: int, slots: list[str]) -> float:
        running = self._running.get(counter, 0)
        if running >= limit:
            return _SLOT_RETRY_S if limit > 0 else _DENIED_RETRY_S
        self._running[counter] = running + 1
        slots.append(counter)
        return 0.0

    def _free_slot(self, counter: str) -> None:
        running = self._running[counter] - 1
        if running:
            self._running[counter] = running
        else:
            del self._running[counter]

    def _give_back(self, was: list[tuple[str, int | None]], slots: list[str]) -> None:
        for counter, idle_at_ns in reversed(was):
            if idle_at_ns is None:
                self._idle_at_ns.pop(counter, None)
            else:
                self._idle_at_ns[counter] = idle_at_ns
        for counter in slots:
            self._free_slot(counter)

    def _sweep(self, now_ns: int) -> None:
        """Forget idle rates: they are like new ones. Done at twice as many as stayed last time."""
        self._idle_at_ns = {name: at_ns for name, at_ns in self._idle_at_ns.items() if at_ns > now_ns}
        if len(self._idle_at_ns) >= self._max_counters:
            logger.warning("more than %d limits are in use at once; the oldest are reset", self._max_counters)
            keep = list(self._idle_at_ns.items())[-self._max_counters // 2 :]
            self._idle_at_ns = dict(keep)
        self._sweep_at = min(max(_FIRST_SWEEP, 2 * len(self._idle_at_ns)), self._max_counters)
