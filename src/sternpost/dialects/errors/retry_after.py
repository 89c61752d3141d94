"""Reads how long a provider asks to wait, in every form hosts use; decides nothing about retries."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_OPENAI_RESETS = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
_OPENAI_LEFT = ("x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens")
_ANTHROPIC_KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
_ANTHROPIC_RESETS = tuple(f"anthropic-ratelimit-{kind}-reset" for kind in _ANTHROPIC_KINDS)
_ANTHROPIC_LEFT = tuple(f"anthropic-ratelimit-{kind}-remaining" for kind in _ANTHROPIC_KINDS)


def read_retry_after(headers: Mapping[str, str], now_s: float, *, is_limited: bool = True) -> float | None:
    """Return the wait in seconds, never negative; None when the provider names none.

    headers: any case. now_s: seconds since 1970. Of several resets, those whose allowance is spent count,
    and of these the longest. is_limited: whether a limit was met; resets stand on every answer of some hosts,
    and after another failure they say nothing.
    """
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    for wait_s in (
        _scaled(lower.get("retry-after-ms"), 1e-3),
        _seconds_or_date(lower.get("retry-after"), now_s),
        _longest_reset(lower, _OPENAI_RESETS, _OPENAI_LEFT, now_s) if is_limited else None,
        _longest_reset(lower, _ANTHROPIC_RESETS, _ANTHROPIC_LEFT, now_s) if is_limited else None,
    ):
        if wait_s is not None:
            return max(0.0, wait_s)
    return None


def read_duration(text: str) -> float | None:
    """Read a Go duration (`6m0s`, `250ms`, `1h2m3.5s`, `34s`) in seconds."""
    if not text or _GO_DURATION.sub("", text):
        return None
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _GO_DURATION.findall(text))


def _scaled(text: str | None, factor: float) -> float | None:
    try:
        value = float(text) * factor if text else None
    except ValueError:
        return None
    return value if value is not None and value < float("inf") else None


def _seconds_or_date(text: str | None, now_s: float) -> float | None:
    if not text:
        return None
    seconds = _scaled(text, 1.0)
    if seconds is not None:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return read_duration(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s


def _reset(text: str | None, now_s: float) -> float | None:
    if not text:
        return None
    wait_s = read_duration(text)
    if wait_s is not None:
        return wait_s
    plain = _scaled(text, 1.0)
    if plain is not None:  # some hosts send plain seconds, or the second it ends
        return plain - now_s if plain > 1e9 else plain
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s


def _longest_reset(
    headers: Mapping[str, str], resets: tuple[str, ...], left: tuple[str, ...], now_s: float
) -> float | None:
    waits = {name: wait_s for name in resets if (wait_s := _reset(headers.get(name), now_s)) is not None}
    spent = [
        waits[reset]
        for reset, remaining in zip(resets, left, strict=True)
        if reset in waits and headers.get(remaining) == "0"
    ]
    return max(spent or waits.values(), default=None)
