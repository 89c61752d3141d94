"""Typed identifiers and how they are made; not where they are stored."""

import os
import time
from typing import NewType

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


def new_trace_id() -> TraceId:
    return TraceId(os.urandom(16).hex())


def new_span_id() -> SpanId:
    return SpanId(os.urandom(8).hex())


def new_id(prefix: str) -> str:
    """Make an id such as `key_01hx...` whose order is the order of creation.

    10 Crockford digits of milliseconds, 16 random ones (the ULID layout).
    """
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    digits = [_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
