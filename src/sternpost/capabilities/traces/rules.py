"""Reads times and page positions, and chooses steps; no clock and no store."""

import base64
import math
import re
from datetime import UTC, datetime, timedelta

from sternpost.base.errors import BadRequest
from sternpost.capabilities.traces.records import PagePosition, TimeRange

_RELATIVE = re.compile(r"now(?:-(\d{1,6})([smhdw]))?")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STEPS_S = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800)
_MOST_POINTS = 1000
_AIM_POINTS = 120
_POSITION = re.compile(r"1\.(\d{1,19})\.([0-9a-f]{32})")
_TRACE_ID = re.compile("[0-9a-f]{32}")
_SPAN_ID = re.compile("[0-9a-f]{16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NS = 2**62
_LATEST_NS = 2**63 - 4 * 86_400 * 1_000_000_000  # what the store can hold, and room to look ahead


def read_time(text: str, now_ns: int, *, param: str) -> int:
    """Read `now`, `now-24h` or an ISO 8601 time (UTC unless it says otherwise) as nanoseconds.

    Times before 1970 or after 2262 are clamped. Raises: BadRequest naming `param`.
    """
    relative = _RELATIVE.fullmatch(text.strip())
    if relative:
        back_s = int(relative[1] or 0) * _UNIT_S[relative[2] or "s"]
        return max(now_ns - back_s * 1_000_000_000, 0)
    try:
        # A plus sign in a query string arrives as a space unless the client escapes it.
        moment = datetime.fromisoformat(text.strip().replace(" ", "+" if "T" in text else "T"))
    except ValueError:
        raise BadRequest(
            f"{param} is neither an ISO 8601 time nor like now-24h: {text[:40]!r}", param=param
        ) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((aware - _EPOCH) // timedelta(microseconds=1) * 1000, 0), _LATEST_NS)


def iso_time(at_ns: int) -> str:
    """Write nanoseconds as ISO 8601 in UTC with microseconds."""
    moment = _EPOCH + timedelta(microseconds=at_ns // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_range(since: str, until: str, now_ns: int, *, default_since_ns: int) -> TimeRange:
    """Read both ends; an open end reaches a day ahead, for clocks that run fast."""
    since_ns = read_time(since, now_ns, param="since") if since else default_since_ns
    until_ns = read_time(until, now_ns, param="until") if until else now_ns + _UNIT_S["d"] * 1_000_000_000
    if since_ns >= until_ns:
        raise BadRequest("since must be before until", param="since")
    return TimeRange(since_ns, until_ns)


def write_cursor(position: PagePosition) -> str:
    text = f"1.{position.started_ns}.{position.trace_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> PagePosition:
    """Raises: BadRequest for anything `write_cursor` did not write."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        text = ""
    found = _POSITION.fullmatch(text)
    if found is None or int(found[1]) > _MAX_NS:
        raise BadRequest("the cursor is not from this server; start from the first page", param="cursor")
    return PagePosition(int(found[1]), found[2])


def is_trace_id(text: str) -> bool:
    return _TRACE_ID.fullmatch(text) is not None


def is_span_id(text: str) -> bool:
    return _SPAN_ID.fullmatch(text) is not None


def choose_step_s(bounds: TimeRange, asked: str) -> int:
    """Read a step like `60`, `60s`, `5m` or `1h`, or choose one that gives about 120 points.

    Raises: BadRequest for a step that would give more than 1,000 points.
    """
    length_s = (bounds.until_ns - bounds.since_ns) / 1e9
    if not asked:
        longest = _STEPS_S[-1] * max(1, math.ceil(length_s / _STEPS_S[-1] / _MOST_POINTS))
        return next((step for step in _STEPS_S if length_s / step <= _AIM_POINTS), longest)
    found = re.fullmatch(r"(\d{1,7})([smhdw]?)", asked)
    step_s = int(found[1]) * _UNIT_S[found[2] or "s"] if found else 0
    if step_s <= 0:
        raise BadRequest("step must be a duration such as 60s, 5m or 1h", param="step")
    if length_s / step_s > _MOST_POINTS:
        raise BadRequest(f"the step gives more than {_MOST_POINTS} points; use a longer one", param="step")
    return step_s
