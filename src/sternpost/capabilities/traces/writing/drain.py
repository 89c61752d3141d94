"""The worker's drain: moves what the journal holds into the trace store; it never appends to the journal."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

import msgspec

from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import StoreError
from sternpost.capabilities.traces.writing.inserts import Row
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.set_aside import SetAside
from sternpost.capabilities.traces.writing.tombstones import Tombstones, referred_to
from sternpost.capabilities.traces.writing.turns import FlushTurns
from sternpost.capabilities.traces.writing.writes import Flush, Written
from sternpost.contracts.blobs import BlobStore
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import BatchEntry, CallEntry, JournalEntry, JournalReader, ReadRecord
from sternpost.contracts.score import Score
from sternpost.contracts.span import Content, Span, SpanBundle
from sternpost.contracts.trace_store import TraceStore

_MAX_READ_RECORDS = 500
_FLUSH_SPANS = 2000
_MAX_READ_BYTES = 8_000_000
_MAX_PENDING_BYTES = 32_000_000
_DAY_NS = 86_400_000_000_000
# Spans of many days make files for each of their days, so more of them are gathered before a flush.
_MANY_DAYS = 20
_MANY_DAYS_FACTOR = 10
_IDLE_S = 0.05
_FIRST_BACK_OFF_S = 0.2
_LAST_BACK_OFF_S = 5.0
_ERASE_EVERY_S = 600.0

logger = logging.getLogger(__name__)

_DECODE = msgspec.msgpack.Decoder(JournalEntry).decode
_ENCODE = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class DrainCounts:
    """What the drain did since it started, for `/metrics`."""

    records: int = 0
    spans: int = 0
    contents: int = 0
    contents_known: int = 0  # not sent again, because they were written a short while ago
    scores: int = 0
    blobs: int = 0
    set_aside: int = 0
    dropped: int = 0  # spans of deleted traces that arrived late
    bodies_failed: int = 0
    flushes: int = 0
    failures: int = 0
    is_store_up: bool = True
    reason: str = ""  # why the store is not up, for a person
    lag_s: float = 0.0  # age of the oldest record of the last flush
    write_s: float = 0.0  # how long the last flush took


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A record and the rows-to-be it holds, or why it holds none."""

    record: ReadRecord
    batch: SpanBundle | None = None
    is_call: bool = False
    broken: str = ""


@dataclass(slots=True)
class _Pending:
    """Read and mapped, not yet in the store."""

    mapped: list[_Mapped] = field(default_factory=list[_Mapped])
    days: set[int] = field(default_factory=set[int])
    span_count: int = 0
    size_bytes: int = 0
    first_s: float = 0.0
    flush: Flush | None = None

    def add(self, mapped: _Mapped, now_s: float) -> None:
        if not self.mapped:
            self.first_s = now_s
        self.mapped.append(mapped)
        self.size_bytes += len(mapped.record.payload)
        if mapped.batch is not None:
            self.span_count += len(mapped.batch.spans)
            self.days.update(span.started_ns // _DAY_NS for span in mapped.batch.spans)

    def records(self) -> list[ReadRecord]:
        return [one.record for one in self.mapped]


class Drain:
    """One per journal: reads, maps, inserts in batches, and commits only what is durable in the store.

    A crash between the insert and the commit repeats a batch; spans have ids, so a read counts them once.
    """

    def __init__(
        self,
        reader: JournalReader,
        store: TraceStore,
        blobs: BlobStore,
        *,
        aside: Path,
        clock: Clock | None = None,
        tombstones: Tombstones | None = None,
        flush_after_s: float = 0.3,
    ) -> None:
        """aside: the folder for records that can't be read or stored. tombstones: of deleted traces."""
        # Told at the start, whenever the store goes or comes back, and when records are set aside.
        self.on_change: Callable[[DrainCounts], None] = _tell_nobody
        self.counts = DrainCounts()
        self._reader = reader
        self._store = store
        self._blobs = blobs
        self._aside = SetAside(aside)
        self._clock: Clock = clock or SystemClock()
        self._flush_after_s = flush_after_s
        self._recent = RecentHashes()
        self._tombstones = tombstones
        self.turns = FlushTurns()
        self._next_erase_s = self._now_s() + _ERASE_EVERY_S

    def run(self, stop: Event) -> None:
        """Drain until stopped; what is pending then is written, or stays in the journal."""
        self.on_change(self.counts)
        pending = _Pending()
        while not stop.is_set():
            has_read = self._read_into(pending)
            if self._is_due(pending):
                pending = self._flush_until_done(pending, stop)
            elif not has_read:
                if not pending.mapped:
                    self._caught_up()
                stop.wait(_IDLE_S)
        if (
            pending.mapped and len(pending.days) <= _MANY_DAYS
        ):  # many days take long: they wait in the journal
            self._flush_once(pending)
            self.turns.end()

    def drain_once(self) -> int:
        """Write everything the journal holds now; returns the number of records. For tests and tools.

        Raises: StoreError when the store can't take it.
        """
        done = 0
        while True:
            pending = _Pending()
            while self._read_into(pending) and pending.span_count < _FLUSH_SPANS:
                pass
            if not pending.mapped:
                return done
            try:
                self._flush(pending)
            finally:
                self.turns.end()
            done += len(pending.mapped)

    def _read_into(self, pending: _Pending) -> bool:
        if pending.size_bytes >= _MAX_PENDING_BYTES:
            return False
        records = self._reader.read(max_records=_MAX_READ_RECORDS, max_bytes=_MAX_READ_BYTES)
        for record in records:
            pending.add(self._map(record), self._now_s())
        self.counts.records += len(records)
        return bool(records)

    def _is_due(self, pending: _Pending) -> bool:
        if not pending.mapped:
            return False
        factor = _MANY_DAYS_FACTOR if len(pending.days) > _MANY_DAYS else 1
        is_full = pending.span_count >= _FLUSH_SPANS * factor or pending.size_bytes >= _MAX_PENDING_BYTES
        return is_full or self._now_s() - pending.first_s >= self._flush_after_s * factor

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9

    def _map(self, record: ReadRecord) -> _Mapped:
        """Decode and map one record."""
        try:
            entry = _DECODE(record.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _Mapped(record, broken=f"it can't be read ({type(error).__name__})")
        if isinstance(entry, CallEntry):
            return self._map_call(record, entry.call)
        return _Mapped(record, entry.batch)

    def _map_call(self, record: ReadRecord, call: CallRecord) -> _Mapped:
        received_ns = self._clock.now_ns()
        try:
            return _Mapped(record, spans_of_call(call, received_ns), is_call=True)
        except Exception:  # the edge of one record: a body that breaks a codec must not stop the drain
            logger.exception(
                "the messages of span %s can't be mapped; the span is kept without them", call.span_id
            )
            self.counts.bodies_failed += 1
        try:
            return _Mapped(record, spans_of_call(call, received_ns, reads_bodies=False), is_call=True)
        except Exception as error:  # noqa: BLE001  # the edge of one record; logged when it is set aside
            return _Mapped(record, broken=f"it can't be mapped to spans ({type(error).__name__})")

    def _caught_up(self) -> None:
        """Erase what is stored from the journal's open segments, now and then, or when a deletion asks."""
        self.turns.caught_up(self._reader.erase)
        if self._now_s() >= self._next_erase_s:
            self._reader.erase()
            self._next_erase_s = self._now_s() + _ERASE_EVERY_S

    def _flush_until_done(self, pending: _Pending, stop: Event) -> _Pending:
        """Write, waiting for the store as long as it takes; little more is read meanwhile."""
        try:
            return self._flush_with_patience(pending, stop)
        finally:
            self.turns.end()

    def _flush_with_patience(self, pending: _Pending, stop: Event) -> _Pending:
        back_off_s = _FIRST_BACK_OFF_S
        while not self._flush_once(pending, stop):
            if stop.wait(back_off_s):
                return _Pending()
            back_off_s = min(back_off_s * 2, _LAST_BACK_OFF_S)
            if pending.span_count < _FLUSH_SPANS:
                self._read_into(
                    pending
                )  # beside other rows it shows whether one row is at fault, or the store
        return _Pending()

    def _flush_once(self, pending: _Pending, stop: Event | None = None) -> bool:
        try:
            if not self._flush(pending, stop):
                return False
        except StoreError as error:
            self._note_outage(error.message)
            return False
        except (
            Exception
        ) as error:  # the edge of a flush: a fault of ours is tried again, and nothing is passed by
            logger.exception("a flush of %d records failed", len(pending.mapped))
            self._note_outage(f"the worker failed while writing ({type(error).__name__}), see its log")
            return False
        if not self.counts.is_store_up:
            logger.info("the trace store accepts spans again")
            self.counts.is_store_up, self.counts.reason = True, ""
            self.on_change(self.counts)
        return True

    def _note_outage(self, reason: str) -> None:
        self.counts.failures += 1
        is_news = self.counts.is_store_up or reason != self.counts.reason
        if self.counts.is_store_up:
            logger.warning("the trace store accepts no spans, the journal keeps them: %s", reason)
        elif is_news:
            logger.warning("the trace store still accepts no spans: %s", reason)
        self.counts.is_store_up, self.counts.reason = False, reason
        if is_news:
            self.on_change(self.counts)

    def _flush(self, pending: _Pending, stop: Event | None = None) -> bool:
        """Write and commit; False when it was stopped in between: what is pending stays in the journal.

        Raises: StoreError.
        """
        started_s = time.perf_counter()
        if pending.flush is None:
            if self.turns.begin():  # a deletion had its turn
                self._recent = RecentHashes()
                if self._tombstones is not None:
                    self._tombstones.read()
            pending.flush = Flush(self._store, self._blobs, self._recent)
        flush = pending.flush
        self._feed(flush, pending)
        while flush.has_more:
            flush.write_next()
            # Looked at even when nothing is left: it shows that a flush of minutes goes on.
            if stop is not None and stop.is_set() and flush.has_more:
                return False
            # Newer records are taken in between, so that older days do not keep them waiting.
            if flush.has_more and self._read_into(pending):
                self._feed(flush, pending)
        written = flush.finish()
        has_more = self._keep_aside(pending.mapped, written) or self._count_dropped()
        self._reader.commit(pending.records())
        self._count(written)
        self.counts.flushes += 1
        self.counts.write_s = time.perf_counter() - started_s
        self.counts.lag_s = self._now_s() - pending.first_s
        if has_more:
            self.on_change(self.counts)
        return True

    def _feed(self, flush: Flush, pending: _Pending) -> None:
        """Add what the flush does not have yet and nobody has deleted. Raises: StoreError."""
        batches: Sequence[SpanBundle] = [one.batch or SpanBundle() for one in pending.mapped[flush.size :]]
        if self._tombstones is not None:
            self._tombstones.look()
            batches = self._tombstones.without_deleted(batches)
        for batch in batches:
            self.turns.note(partial(referred_to, batch))
            flush.add(batch)

    def _count_dropped(self) -> bool:
        """Say whether spans of deleted traces came since the flush before."""
        before = self.counts.dropped
        self.counts.dropped = self._tombstones.dropped if self._tombstones is not None else 0
        return self.counts.dropped > before

    def _keep_aside(self, mapped: Sequence[_Mapped], written: Written) -> bool:
        """Keep what is not in the store in files; say whether there are new ones.

        Raises: StoreUnavailable.
        """
        refused: defaultdict[int, list[Row]] = defaultdict(list[Row])
        reasons = {number: one.broken for number, one in enumerate(mapped) if one.broken} | dict(
            written.broken
        )
        for one in written.refused:
            refused[one.row.source].append(one.row)
            reasons.setdefault(one.row.source, one.reason)
        kept = 0
        for number, reason in sorted(reasons.items()):
            one = mapped[number]
            # Of a call the record says more than its spans do; of a batch its other rows are stored.
            is_whole = one.is_call or number not in refused
            payload = one.record.payload if is_whole else _ENCODE(BatchEntry(_batch_of(refused[number])))
            kept += self._aside.keep(one.record.position, payload, reason)
        self.counts.set_aside += kept
        return kept > 0

    def _count(self, written: Written) -> None:
        self.counts.spans += written.spans
        self.counts.contents += written.contents
        self.counts.contents_known += written.contents_known
        self.counts.scores += written.scores
        self.counts.blobs += written.blobs


def _tell_nobody(_: DrainCounts) -> None:
    """Stand in for a listener."""


def _batch_of(rows: Sequence[Row]) -> SpanBundle:
    items = [row.item for row in rows]
    return SpanBundle(
        spans=tuple(item for item in items if isinstance(item, Span)),
        contents=tuple(item for item in items if isinstance(item, Content)),
        scores=tuple(item for item in items if isinstance(item, Score)),
    )
