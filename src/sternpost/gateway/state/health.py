"""Which targets are cooling down, in the memory of one process; not why a call fell back."""

from dataclasses import dataclass, field

from sternpost.contracts.call import FallbackCause, Target

_FIRST_REST_S = 5.0
_LONGEST_REST_S = 60.0
_LONGEST_ASKED_S = 86_400.0  # a mistaken header must not lose a target for good
_FAILURES_TO_REST = 5
_PROBE_S = 5.0
_MAX_TARGETS = 10_000


@dataclass(slots=True)
class _Rest:
    """How a target fares. `until_s` 0: in use."""

    failures: int = 0  # in a row
    until_s: float = 0.0
    asked_until_s: float = 0.0  # by the provider itself
    probe_until_s: float = 0.0
    cause: FallbackCause = "down"


@dataclass(slots=True)
class TargetHealth:
    """Lets a target cool down after Retry-After, a refused connection or five failures in a row.

    After the cool-down one call probes it; the others keep avoiding it until that call returns.
    """

    _rests: dict[tuple[str, str], _Rest] = field(default_factory=dict[tuple[str, str], _Rest])

    def resting_cause(self, target: Target, now_s: float) -> FallbackCause | None:
        """Return why a target is to be avoided, None when it may be tried."""
        rest = self._rests.get((target.provider, target.model))
        if rest is None or rest.until_s == 0.0:
            return None
        if now_s < rest.until_s or now_s < rest.probe_until_s:
            return rest.cause
        rest.probe_until_s = now_s + _PROBE_S
        return None

    def answered(self, target: Target, now_s: float) -> None:
        """Forget failures. A cool-down asked for by the provider goes on: the call may be older."""
        rest = self._rests.get((target.provider, target.model)) if self._rests else None
        if rest is None:
            return
        if now_s < rest.asked_until_s:
            rest.failures = 0
        else:
            del self._rests[target.provider, target.model]

    def forget(self, provider: str) -> None:
        """Forget how a provider fared: it is another account now, or none."""
        for key in [key for key in self._rests if key[0] == provider]:
            del self._rests[key]

    def failed(
        self,
        target: Target,
        cause: FallbackCause,
        *,
        now_s: float,
        retry_after_s: float | None,
        is_unreachable: bool,
    ) -> None:
        """Count a failure; a cool-down is extended, never shortened."""
        if len(self._rests) >= _MAX_TARGETS:  # callers choose model names, memory is ours
            self._rests.clear()
        rest = self._rests.setdefault((target.provider, target.model), _Rest())
        rest.failures += 1
        rest.cause = cause
        rest.probe_until_s = 0.0
        rest_s = min(retry_after_s or 0.0, _LONGEST_ASKED_S)
        rest.asked_until_s = max(rest.asked_until_s, now_s + rest_s)
        if cause != "rate_limited" and (is_unreachable or rest.failures >= _FAILURES_TO_REST):
            over = rest.failures - (1 if is_unreachable else _FAILURES_TO_REST)
            rest_s = max(rest_s, min(_FIRST_REST_S * 2 ** min(over, 4), _LONGEST_REST_S))
        if rest_s > 0.0:
            rest.until_s = max(rest.until_s, now_s + rest_s)
