"""Takes deleted traces out of records that could not be stored; the drain does so for the journal's."""

import msgspec

from sternpost.capabilities.traces.deletion.records import Deletion
from sternpost.capabilities.traces.writing.set_aside import SetAside
from sternpost.capabilities.traces.writing.tombstones import Tombstones
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import BatchEntry, CallEntry, JournalEntry
from sternpost.contracts.span import Span, SpanBundle, SpanType

_DECODE = msgspec.msgpack.Decoder(JournalEntry).decode
_ENCODE = msgspec.msgpack.Encoder().encode


def delete_set_aside(aside: SetAside, deletion: Deletion, tombstones: Tombstones) -> int:
    """Delete what belongs to deleted traces; return how many records changed. Raises: StoreError, OSError."""

    def changed(payload: bytes) -> bytes | None:
        try:
            entry = _DECODE(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):  # an id stands in it as it is
            is_its = deletion.kind == "trace" and deletion.subject.encode() in payload
            return None if is_its else payload
        if isinstance(entry, CallEntry):
            [left] = tombstones.without_deleted([SpanBundle(spans=(_span_of(entry.call),))])
            return payload if left.spans else None
        [left] = tombstones.without_deleted([entry.batch])
        if left is entry.batch:
            return payload
        is_empty = not (left.spans or left.scores or left.contents)
        return None if is_empty else _ENCODE(BatchEntry(left))

    return aside.rewrite(changed)


def _span_of(call: CallRecord) -> Span:
    """Make what tells whose a call is."""
    return Span(
        project_id=call.project_id,
        trace_id=call.trace_id,
        span_id=call.span_id,
        parent_span_id=None,
        type=SpanType.GATEWAY,
        name="",
        started_ns=call.started_ns,
        ended_ns=call.ended_ns,
        trace=call.trace,
    )
