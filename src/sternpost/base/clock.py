"""Time as an injected value; the only place that asks the machine what time it is."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """Return nanoseconds since the Unix epoch, UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds that never run backwards, for durations."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when set, for tests and replays."""

    at_ns: int = 1_700_000_000_000_000_000

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns

    def advance(self, seconds: float) -> None:
        self.at_ns += round(seconds * 1e9)


def utc_text(at_ns: int) -> str:
    """Write a time as ISO 8601 in UTC to the microsecond."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
