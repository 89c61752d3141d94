"""Which target is tried next, and after which wait; reads and updates health and retry budgets."""

import math
from dataclasses import dataclass, field
from typing import NoReturn

from sternpost.base.errors import AllTargetsFailed, UpstreamRefused
from sternpost.contracts.call import FallbackCause
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages.failures import CAUSES, AttemptFailed
from sternpost.gateway.state.retries import LONGEST_WAIT_S, MAX_ATTEMPTS, wait_before_retry
from sternpost.gateway.state.traffic import Plan, PlannedTarget

_QUOTA_REST_S = 300.0  # what is spent comes back with a payment or a new day
_RESTING_CAUSES: frozenset[FallbackCause | None] = frozenset({"down", "rate_limited", "timeout"})


@dataclass(slots=True)
class FallbackPolicy:
    """The way of one call through the targets of its plan."""

    plan: Plan
    services: GatewayServices
    deadline_s: float  # monotonic
    warnings: list[str]  # of the call; a target passed over is named there
    current: PlannedTarget = field(init=False)
    _rest: list[PlannedTarget] = field(init=False)
    _attempts: int = 0
    _failures: dict[str, AttemptFailed] = field(default_factory=dict[str, AttemptFailed])

    def __post_init__(self) -> None:
        self._rest = list(self.plan.targets)
        self.current = self._take(None) or self.plan.targets[0]

    def after(self, failed: AttemptFailed) -> float:
        """Move on to the next target, or stay for another attempt; else raise the final error.

        Returns how many seconds to wait before the next attempt.
        """
        self._failures[self.current.name] = failed
        if failed.kind == "unsupported":
            self._pass_over(failed)
            return 0.0
        self._attempts += 1
        cause = CAUSES[failed.kind]
        self._tell_health(failed, cause)
        if cause is None or self._attempts >= MAX_ATTEMPTS or not self._has_time(0.0):
            self._give_up(failed)
        fallback = self._take(cause)
        if fallback is not None:
            self.current = fallback
            return 0.0
        wait_s = wait_before_retry(self._attempts, failed.retry_after_s, self.services.retries.chance())
        if not failed.is_retryable or not self._has_time(wait_s) or not self._may_retry():
            self._give_up(failed)
        return wait_s

    def _pass_over(self, failed: AttemptFailed) -> None:
        """Take the next target after one that lacks a requested parameter: nothing was sent to it."""
        passed_over = self.current
        self.current = self._take("unsupported") or self._give_up(failed)
        self.warnings.append(f"unsupported:{passed_over.name}")

    def left_s(self) -> float:
        """Return how long the caller still waits; whole seconds when many, so that few values occur."""
        left_s = self.deadline_s - self.services.clock.monotonic_ns() / 1e9
        return left_s if left_s < 5.0 or left_s == math.inf else math.ceil(left_s)

    def _take(self, cause: FallbackCause | None) -> PlannedTarget | None:
        """Take the next target that stands for this cause and is not resting."""
        now_s = self.services.clock.monotonic_ns() / 1e9
        first = self.plan.targets[0]
        while self._rest:
            planned = self._rest.pop(0)
            when = planned.target.when
            if cause is not None and when and cause not in when:
                continue
            if cause is None and when and planned is not first:
                continue
            resting = (
                self.services.health.resting_cause(planned.target, now_s)
                if len(self.plan.targets) > 1
                else None
            )
            if resting is None:
                return planned
            self.warnings.append(f"skipped:{planned.name}")
            cause = cause or resting
        return None

    def _tell_health(self, failed: AttemptFailed, cause: FallbackCause | None) -> None:
        now_s = self.services.clock.monotonic_ns() / 1e9
        if cause is None or cause not in _RESTING_CAUSES:  # it answered, if only with a refusal
            self.services.health.answered(self.current.target, now_s)
            return
        wait_s = failed.retry_after_s
        self.services.health.failed(
            self.current.target,
            cause,
            now_s=now_s,
            retry_after_s=max(wait_s or 0.0, _QUOTA_REST_S) if failed.kind == "quota" else wait_s,
            is_unreachable=failed.is_unreachable,
        )

    def _has_time(self, wait_s: float) -> bool:
        return (
            wait_s <= LONGEST_WAIT_S and self.services.clock.monotonic_ns() / 1e9 + wait_s < self.deadline_s
        )

    def _may_retry(self) -> bool:
        provider = self.current.provider.name
        if self.services.retries.may_retry(
            self.plan.asked, provider, self.services.clock.monotonic_ns() / 1e9
        ):
            return True
        self.services.observer.retry_refused(self.plan.route or self.plan.asked, provider)
        self.warnings.append(f"retry_budget_spent:{provider}")
        return False

    def _give_up(self, last: AttemptFailed) -> NoReturn:
        """Raise the one failure there was, or one error that names what became of every target."""
        if len(self._failures) == 1 or CAUSES[last.kind] is None:
            raise last.error
        failures = self._failures.values()
        if all(failed.kind == "unsupported" for failed in failures):
            raise next(iter(failures)).error  # of the target that was meant
        if all(failed.kind == "rate_limited" for failed in failures):
            waits = [failed.retry_after_s for failed in failures if failed.retry_after_s is not None]
            raise UpstreamRefused(
                "every target is at its provider's rate limit; wait as Retry-After says",
                http_status=429,
                wire_code="rate_limit_exceeded",
                retry_after_s=min(waits, default=None),
            )
        tried = "; ".join(f"{name}: {failed.error.message}" for name, failed in self._failures.items())
        raise AllTargetsFailed(f"all {len(self._failures)} targets failed ({tried})") from last.error
