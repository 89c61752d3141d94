"""Typed identifiers and how they are made; not where they are stored."""

import os
import time
from collections import deque
from typing import Final, NewType

TraceId = NewType("TraceId", str)  # 32 lowercase hex digits (W3C trace context)
SpanId = NewType("SpanId", str)  # 16 lowercase hex digits
ProjectId = NewType("ProjectId", str)
UserId = NewType("UserId", str)  # a person who signs in to Sternpost, not an end user of the application
KeyId = NewType("KeyId", str)
EventId = NewType("EventId", str)
JobId = NewType("JobId", str)
ScoreId = NewType("ScoreId", str)
ContentHash = NewType("ContentHash", str)  # 64 lowercase hex digits, keyed blake2b-256

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
# Drawn from the system many at a time: asking for each took 2 % of a call. Threads may take from it at once.
_DRAWN: Final[deque[bytes]] = deque()
_WIDTH, _DRAW = 16, 256
if hasattr(os, "register_at_fork"):  # an application with the SDK may fork: its children draw for themselves
    os.register_at_fork(after_in_child=_DRAWN.clear)


def new_trace_id() -> TraceId:
    return TraceId(_random().hex())


def new_span_id() -> SpanId:
    return SpanId(_random()[:8].hex())


def new_id(prefix: str) -> str:
    """Make an id such as `key_01hx...` whose order is the order of creation.

    10 Crockford digits of milliseconds, 16 random ones (the ULID layout).
    """
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(_random()[:10])
    digits = [_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def _random() -> bytes:
    """Return 16 random bytes that nobody else has."""
    try:
        return _DRAWN.popleft()
    except IndexError:
        many = os.urandom(_WIDTH * _DRAW)
        _DRAWN.extend(many[at : at + _WIDTH] for at in range(_WIDTH, len(many), _WIDTH))
        return many[:_WIDTH]
