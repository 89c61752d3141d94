"""Writes spans, content and scores into the trace store, day by day; reading them back is `store`'s."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sternpost.base.errors import StoreError
from sternpost.base.ids import ContentHash
from sternpost.capabilities.traces.media.room import noted, put_what_fits
from sternpost.capabilities.traces.writing.inserts import RefusedRow, Row, TableInserts
from sternpost.capabilities.traces.writing.recent import ContentKey, RecentHashes
from sternpost.capabilities.traces.writing.rows import (
    CONTENT_COLUMNS,
    SCORE_COLUMNS,
    SPAN_COLUMNS,
    WAITING_SCORE_COLUMNS,
    content_row,
    score_row,
    span_row,
    waiting_score_row,
)
from sternpost.contracts.blobs import BlobStore
from sternpost.contracts.span import Span, SpanBundle
from sternpost.contracts.trace_store import TraceStore

_DAY_NS = 86_400_000_000_000
# Each day of an insert is files of its own in each of four tables, synced one by one.
_MAX_DAYS = 20
_NEWEST_DAYS = 2


@dataclass(frozen=True, slots=True)
class Written:
    """What became of batches. `refused` rows, and `broken` batches by number with why, are not stored."""

    spans: int = 0
    contents: int = 0
    contents_known: int = 0
    scores: int = 0
    blobs: int = 0
    refused: Sequence[RefusedRow] = ()
    broken: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass(slots=True)
class _Day:
    """What is still to be written of one day."""

    contents: dict[ContentKey, Row] = field(default_factory=dict[ContentKey, Row])
    spans: list[Row] = field(default_factory=list[Row])
    scores: list[Row] = field(default_factory=list[Row])
    waiting: list[Row] = field(default_factory=list[Row])  # scores whose call is not known yet


class Flush:
    """Batches on their way into the store. More may be added while older days are still being written.

    Blobs go first, then content, so that anyone who sees a span finds its messages and their media. What was
    written a short while ago for the same day is left out.
    """

    def __init__(self, store: TraceStore, blobs: BlobStore, recent: RecentHashes) -> None:
        self._blobs = blobs
        self._recent = recent
        self._days: defaultdict[int, _Day] = defaultdict(_Day)
        self._contents = TableInserts(store, "content", CONTENT_COLUMNS)
        self._spans = TableInserts(store, "spans", SPAN_COLUMNS)
        self._scores = TableInserts(store, "scores", SCORE_COLUMNS)
        self._waiting = TableInserts(store, "waiting_scores", WAITING_SCORE_COLUMNS)
        self._put: set[ContentKey] = set()
        self._known = 0
        self._broken: dict[int, str] = {}
        self.size = 0  # batches added

    @property
    def has_more(self) -> bool:
        return bool(self._days)

    def add(self, batch: SpanBundle) -> None:
        """Put the media of a batch, and make its rows.

        Raises: StoreError; adding it again is then harmless.
        """
        try:
            self._add(batch)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # the edge of one batch; its record is set aside, and logged
            self._broken[self.size] = f"it can't be written as rows ({type(error).__name__})"
        self.size += 1

    def write_next(self) -> None:
        """Write the newest days, so that what happens now waits for nothing filed late, and some older ones.

        Raises: StoreError; calling it again is then harmless.
        """
        ordered = sorted(self._days, reverse=True)
        self._write(ordered[:_NEWEST_DAYS])
        self._write(ordered[_NEWEST_DAYS : _NEWEST_DAYS + _MAX_DAYS])

    def finish(self) -> Written:
        """Say what became of it all; every row but those refused is durable. Raises: StoreError."""
        while self._days:
            self.write_next()
        for table in (self._contents, self._spans, self._scores, self._waiting):
            table.finish()
        return Written(
            self._spans.accepted,
            self._contents.accepted,
            self._known,
            self._scores.accepted + self._waiting.accepted,
            len(self._put),
            [
                row
                for table in (self._contents, self._spans, self._scores, self._waiting)
                for row in table.refused
            ],
            self._broken,
        )

    def _add(self, batch: SpanBundle) -> None:
        """All or nothing of a batch."""
        source = self.size
        batch = self._with_media(batch)
        spans = [Row(span_row(span), _day(span.started_ns), source, span) for span in batch.spans]
        scores = [
            Row(score_row(score), _day(score.created_ns), source, score)
            for score in batch.scores
            if score.trace_id
        ]
        waiting = [
            Row(waiting_score_row(score), _day(score.created_ns), source, score)
            for score in batch.scores
            if not score.trace_id
        ]
        days_by_hash = _days_by_hash(batch.spans)
        newest = {max(row.day_ns for row in spans)} if spans else set[int]()
        # Content is kept with each day of the spans that refer to it, and is dropped with it.
        wanted = [
            (content, day_ns)
            for content in batch.contents
            for day_ns in days_by_hash.get(content.hash, newest)
        ]
        contents = {
            (content.hash, day_ns): Row(
                content_row(content, day_ns), day_ns, source, content, len(content.body)
            )
            for content, day_ns in wanted
            if not self._is_known((content.hash, day_ns))
        }
        for key, row in contents.items():
            self._days[row.day_ns].contents[key] = row
        for row in spans:
            self._days[row.day_ns].spans.append(row)
        for row in scores:
            self._days[row.day_ns].scores.append(row)
        for row in waiting:
            self._days[row.day_ns].waiting.append(row)
        self._known += len(wanted) - len(contents)

    def _is_known(self, key: ContentKey) -> bool:
        return key in self._recent or (key[1] in self._days and key in self._days[key[1]].contents)

    def _with_media(self, batch: SpanBundle) -> SpanBundle:
        """Put each medium again for each day that uses it: retention goes by the last time.

        Returns the batch with a note on the spans whose media there was no room for.
        """
        days = {_day(span.started_ns) for span in batch.spans}
        fresh = {
            blob.hash: {(blob.hash, day_ns) for day_ns in days if (blob.hash, day_ns) not in self._recent}
            for blob in batch.blobs
        }
        # A medium that its sender puts by itself comes in a batch without spans.
        wanted = [blob for blob in batch.blobs if fresh[blob.hash] or not days]
        without = put_what_fits(self._blobs, wanted)
        put = {key for hash_, keys in fresh.items() if hash_ not in without for key in keys}
        self._recent.add_all(put)
        self._put |= put
        return noted(batch, without) if without else batch

    def _write(self, days: Sequence[int]) -> None:
        """Write days and forget them; what fails stays to be written."""
        contents = {key: row for day in days for key, row in self._days[day].contents.items()}
        self._contents.insert(list(contents.values()))
        lost = {id(one.row) for one in self._contents.refused}
        self._recent.add_all(key for key, row in contents.items() if id(row) not in lost)
        self._spans.insert([row for day in days for row in self._days[day].spans])
        self._scores.insert([row for day in days for row in self._days[day].scores])
        self._waiting.insert([row for day in days for row in self._days[day].waiting])
        for day in days:
            del self._days[day]


def write_batches(
    store: TraceStore, blobs: BlobStore, batches: Iterable[SpanBundle], recent: RecentHashes
) -> Written:
    """Write batches in one go; see `Flush`. Raises: StoreError; repeating the call is then harmless."""
    flush = Flush(store, blobs, recent)
    for batch in batches:
        flush.add(batch)
    return flush.finish()


def _days_by_hash(spans: Iterable[Span]) -> Mapping[ContentHash, set[int]]:
    days: defaultdict[ContentHash, set[int]] = defaultdict(set)
    for span in spans:
        for hash_ in (*span.input_hashes, *span.output_hashes):
            days[hash_].add(_day(span.started_ns))
    return days


def _day(at_ns: int) -> int:
    return at_ns - at_ns % _DAY_NS
