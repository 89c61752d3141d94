"""Times of foreign spans made safe to store: clocks that run ahead, ends before beginnings."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.records import RawSpan

_MOST_AHEAD_NS = 600_000_000_000
_MAX_NS = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SpanTimes:
    started_ns: int
    ended_ns: int
    is_skewed: bool


def straight_times(raw: RawSpan, received_ns: int) -> SpanTimes:
    """Keep times as sent, unless the start is missing or more than ten minutes ahead of our clock.

    Such a span is put where it arrived, with its own length. One that ends before it begins has no length.
    """
    length_ns = min(max(raw.ended_ns - raw.started_ns, 0), _MAX_NS // 2)
    if not 0 < raw.started_ns <= received_ns + _MOST_AHEAD_NS:
        return SpanTimes(received_ns, received_ns + (length_ns if raw.started_ns else 0), is_skewed=True)
    return SpanTimes(raw.started_ns, raw.started_ns + length_ns, is_skewed=raw.ended_ns < raw.started_ns)


def first_token_ns(attributes: Attributes, started_ns: int) -> int | None:
    """Read the time to the first token, given in seconds, milliseconds or as a moment."""
    seconds = attributes.number("first_token_s")
    if seconds is not None:
        return _bounded(seconds * 1e9)
    milliseconds = attributes.number("first_token_ms")
    if milliseconds is not None:
        return _bounded(milliseconds * 1e6)
    moment = attributes.text("first_token_at").strip('"')
    if not moment:
        return None
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _bounded((aware - _EPOCH) // timedelta(microseconds=1) * 1000 - started_ns)


def _bounded(nanoseconds: float) -> int | None:
    return round(nanoseconds) if 0 <= nanoseconds < _MAX_NS else None
