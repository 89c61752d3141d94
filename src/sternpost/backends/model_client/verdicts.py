"""What an answer of the gateway means for the caller: keep it, come back later, or try again."""

from typing import Final

from sternpost.base.errors import ModelCallDelayed, ModelCallError, ModelCallFailed, ModelCallRefused
from sternpost.contracts.model_client import Retry

DEFAULT_WAIT_S: Final = 5.0  # after a 429 that names no time
_STOPPING: Final = "server_stopping"
_FINAL: Final = frozenset({"insufficient_quota", "budget_exceeded", "billing_hard_limit_reached"})
_PASSING: Final = frozenset({408, 409, 425, 500, 502, 503, 504, 529})


def judge(status: int, code: str) -> Retry:
    """Say whether the same call may succeed at another time."""
    if status < 400:
        return "never"
    if code == _STOPPING:
        return "later"
    if status == 429:
        return "never" if code in _FINAL else "later"
    return "again" if status in _PASSING else "never"


def error_of(
    retry: Retry, message: str, *, status: int, code: str, retry_after_s: float | None
) -> ModelCallError:
    """Make the error that says what the verdict says."""
    if retry == "later":
        wait_s = DEFAULT_WAIT_S if retry_after_s is None else retry_after_s
        return ModelCallDelayed(message, retry_after_s=wait_s)
    if retry == "again":
        return ModelCallFailed(message, http_status=status, retry_after_s=retry_after_s)
    return ModelCallRefused(message, http_status=status, wire_code=code)
