"""Times of foreign spans made safe to store: clocks that run ahead, ends before beginnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.records import RawEvent, RawSpan

_MOST_AHEAD_NS = 600_000_000_000
_CLOCK_NS = 60_000_000_000  # what clocks differ by without a fault
_MAX_NS = 2**62
_EARLIEST_NS = 946_684_800_000_000_000  # 2000-01-01
_LONGEST_NS = 30 * 86_400_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# OpenInference; OpenLLMetry, whose chunks follow; Vercel.
_FIRST_TOKEN_EVENTS = frozenset(
    {
        *("First Token Stream Event", "gen_ai.content.completion.chunk", "llm.content.completion.chunk"),
        *("ai.stream.firstChunk", "gen_ai.first_token"),
    }
)


@dataclass(frozen=True, slots=True)
class SpanTimes:
    started_ns: int
    ended_ns: int
    is_skewed: bool


def straight_times(raw: RawSpan, received_ns: int) -> SpanTimes:
    """Keep times as sent, unless a clock can't be right: those are flagged and don't stretch their trace.

    A span whose start is missing, before the year 2000 or more than ten minutes ahead of our clock is put
    where it arrived, with its own length. One that ends before it begins has no length; one that ends more
    than ten minutes ahead ends when it arrived. One that ends more than a minute after it arrived keeps its
    times, flagged.
    """
    latest_ns = received_ns + _MOST_AHEAD_NS
    length_ns = min(max(raw.ended_ns - raw.started_ns, 0), _MAX_NS // 2)
    if not _EARLIEST_NS <= raw.started_ns <= latest_ns:
        is_length_known = raw.started_ns > 0 and length_ns <= _LONGEST_NS
        return SpanTimes(received_ns, received_ns + (length_ns if is_length_known else 0), is_skewed=True)
    ended_ns = raw.started_ns + length_ns
    if ended_ns > latest_ns:
        return SpanTimes(raw.started_ns, max(raw.started_ns, received_ns), is_skewed=True)
    is_ahead = ended_ns > received_ns + _CLOCK_NS
    return SpanTimes(raw.started_ns, ended_ns, is_skewed=is_ahead or raw.ended_ns < raw.started_ns)


def first_token_ns(attributes: Attributes, events: Sequence[RawEvent], started_ns: int) -> int | None:
    """Read the time to the first token, given in seconds, milliseconds, as a moment or as an event."""
    seconds = attributes.number("first_token_s")
    if seconds is not None:
        return _bounded(seconds * 1e9)
    milliseconds = attributes.number("first_token_ms")
    if milliseconds is not None:
        return _bounded(milliseconds * 1e6)
    moment = attributes.text("first_token_at").strip('"')
    if moment and (at_ns := moment_ns(moment)) is not None:
        return _bounded(at_ns - started_ns)
    first = min((event.at_ns for event in events if event.name in _FIRST_TOKEN_EVENTS), default=0)
    return _bounded(first - started_ns) if first else None


def moment_ns(text: str) -> int | None:
    """Read a moment in ISO 8601, in UTC unless it says otherwise; None if it is not one."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000


def _bounded(nanoseconds: float) -> int | None:
    return round(nanoseconds) if 0 <= nanoseconds < _MAX_NS else None
