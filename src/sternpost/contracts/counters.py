"""Counters of admission: all scopes are taken at once or none; the engines are in `backends/counters`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """What one call asks of one limit."""

    counter: str  # e.g. "key/key_01h.../rpm"
    per_minute: int | None = None  # a rate (GCRA, burst = the whole minute)
    concurrency: int | None = None  # a lease held until released


@dataclass(frozen=True, slots=True)
class Admission:
    """The verdict over all claims; `lease` is given back by `release`."""

    is_admitted: bool
    lease: int = 0  # 0: nothing held
    refused_by: str = ""  # the counter that said no
    retry_after_s: float = 0.0


class Counters(Protocol):
    def admit(self, claims: Sequence[Claim], now_ns: int) -> Admission: ...

    def release(self, lease: int) -> None:
        """Give concurrency back; doing it twice is harmless."""
        ...
