"""The worker's drain: moves what the journal holds into the trace store; it never appends to the journal."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import msgspec

from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import StoreError
from sternpost.capabilities.traces.mapping import spans_of_call
from sternpost.capabilities.traces.recent import RecentHashes
from sternpost.capabilities.traces.writes import WrittenCounts, write_batches
from sternpost.contracts.blobs import BlobStore
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import CallEntry, JournalEntry, JournalReader, ReadRecord
from sternpost.contracts.span import SpanBatch
from sternpost.contracts.trace_store import TraceStore

_MAX_READ_RECORDS = 500
_MAX_READ_BYTES = 8_000_000
_MAX_PENDING_BYTES = 32_000_000
_IDLE_S = 0.05
_FIRST_BACK_OFF_S = 0.2
_LAST_BACK_OFF_S = 5.0

logger = logging.getLogger(__name__)

_DECODE = msgspec.msgpack.Decoder(JournalEntry).decode


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
    bodies_failed: int = 0
    flushes: int = 0
    failures: int = 0
    is_store_up: bool = True
    lag_s: float = 0.0  # age of the oldest record of the last flush
    write_s: float = 0.0  # how long the last flush took


@dataclass(slots=True)
class _Pending:
    """Read and mapped, not yet in the store."""

    records: list[ReadRecord] = field(default_factory=list[ReadRecord])
    batches: list[SpanBatch] = field(default_factory=list[SpanBatch])
    span_count: int = 0
    size_bytes: int = 0
    first_s: float = 0.0

    def add(self, record: ReadRecord, batch: SpanBatch | None, now_s: float) -> None:
        if not self.records:
            self.first_s = now_s
        self.records.append(record)
        self.size_bytes += len(record.payload)
        if batch is not None:
            self.batches.append(batch)
            self.span_count += len(batch.spans)


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
        flush_spans: int = 2000,
        flush_after_s: float = 0.3,
    ) -> None:
        """aside: the folder for records that can't be read or stored."""
        self.counts = DrainCounts()
        self._reader = reader
        self._store = store
        self._blobs = blobs
        self._aside = aside
        self._clock: Clock = clock or SystemClock()
        self._flush_spans = flush_spans
        self._flush_after_s = flush_after_s
        self._recent = RecentHashes()

    def run(self, stop: Event) -> None:
        """Drain until told to stop; what is pending then is written, or stays in the journal."""
        pending = _Pending()
        while not stop.is_set():
            has_read = self._read_into(pending)
            if self._is_due(pending):
                pending = self._flush_until_done(pending, stop)
            elif not has_read:
                stop.wait(_IDLE_S)
        if pending.records:
            self._flush_once(pending)

    def drain_once(self) -> int:
        """Write everything the journal holds now; returns the number of records. For tests and tools.

        Raises: StoreError when the store can't take it.
        """
        done = 0
        while True:
            pending = _Pending()
            while self._read_into(pending) and pending.span_count < self._flush_spans:
                pass
            if not pending.records:
                return done
            self._flush(pending)
            done += len(pending.records)

    def _read_into(self, pending: _Pending) -> bool:
        if pending.size_bytes >= _MAX_PENDING_BYTES:
            return False
        records = self._reader.read(max_records=_MAX_READ_RECORDS, max_bytes=_MAX_READ_BYTES)
        for record in records:
            pending.add(record, self._map(record), self._now_s())
        self.counts.records += len(records)
        return bool(records)

    def _is_due(self, pending: _Pending) -> bool:
        if not pending.records:
            return False
        is_full = pending.span_count >= self._flush_spans or pending.size_bytes >= _MAX_PENDING_BYTES
        return is_full or self._now_s() - pending.first_s >= self._flush_after_s

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9

    def _map(self, record: ReadRecord) -> SpanBatch | None:
        """Decode and map one record; None when it was set aside."""
        try:
            entry = _DECODE(record.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._set_aside(record, error)
            return None
        if isinstance(entry, CallEntry):
            return self._map_call(record, entry.call)
        return entry.batch

    def _map_call(self, record: ReadRecord, call: CallRecord) -> SpanBatch | None:
        received_ns = self._clock.now_ns()
        try:
            return spans_of_call(call, received_ns)
        except Exception:  # the edge of one record: a body that breaks a codec must not stop the drain
            logger.exception("the messages of span %s can't be mapped; it is kept without", call.span_id)
            self.counts.bodies_failed += 1
        try:
            return spans_of_call(call, received_ns, reads_bodies=False)
        except Exception as error:  # noqa: BLE001  # the edge of one record; logged in _set_aside
            self._set_aside(record, error)
            return None

    def _flush_until_done(self, pending: _Pending, stop: Event) -> _Pending:
        """Write, waiting for the store as long as it takes; nothing more is read meanwhile."""
        back_off_s = _FIRST_BACK_OFF_S
        while not self._flush_once(pending):
            if stop.wait(back_off_s):
                return _Pending()
            back_off_s = min(back_off_s * 2, _LAST_BACK_OFF_S)
        return _Pending()

    def _flush_once(self, pending: _Pending) -> bool:
        try:
            self._flush(pending)
        except StoreError as error:
            self.counts.failures += 1
            if self.counts.is_store_up:
                logger.warning("the trace store can't take spans, the journal keeps them: %s", error.message)
            self.counts.is_store_up = False
            return False
        if not self.counts.is_store_up:
            logger.info("the trace store takes spans again")
        self.counts.is_store_up = True
        return True

    def _flush(self, pending: _Pending) -> None:
        started_s = time.perf_counter()
        try:
            self._count(write_batches(self._store, self._blobs, pending.batches, self._recent))
        except StoreError:
            raise
        except Exception:  # the edge of one batch: one row the store refuses must not hold the rest
            logger.exception("a batch of %d records is refused; trying them one by one", len(pending.records))
            self._write_one_by_one(pending.records)
        self._reader.commit(pending.records)
        self.counts.flushes += 1
        self.counts.write_s = time.perf_counter() - started_s
        self.counts.lag_s = self._now_s() - pending.first_s

    def _write_one_by_one(self, records: Sequence[ReadRecord]) -> None:
        for record in records:
            batch = self._map(record)
            if batch is None:
                continue
            try:
                self._count(write_batches(self._store, self._blobs, [batch], self._recent))
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  # the edge of one record; logged in _set_aside
                self._set_aside(record, error)

    def _count(self, written: WrittenCounts) -> None:
        self.counts.spans += written.spans
        self.counts.contents += written.contents
        self.counts.contents_known += written.contents_known
        self.counts.scores += written.scores
        self.counts.blobs += written.blobs

    def _set_aside(self, record: ReadRecord, error: Exception) -> None:
        """Keep what can't be stored in a file of its own, so that it neither blocks nor is lost."""
        position = record.position
        path = self._aside / f"{position.writer}-{position.segment}-{position.offset}.msgpack"
        if not path.exists():
            self._aside.mkdir(parents=True, exist_ok=True)
            path.write_bytes(record.payload)
            self.counts.set_aside += 1
        logger.error("a journal record was set aside in %s: %s", path, type(error).__name__)
