"""What is deleted when traces are old enough: whole days of rows, and the media that no span has used since.

Dropping a partition frees the disk at once. Media go by the day they were used last: the writer of spans
puts a blob again for the first span of each day that refers to it. So a blob that was not put since a day
ended is in no span of a later day; no count of references and no look into rows is needed to know it.
"""

import logging
from datetime import UTC, datetime

from sternpost.capabilities.traces.media.rules import THUMBNAIL_EDGES, thumbnail_hash
from sternpost.contracts.blobs import BlobStore, StoredBlob
from sternpost.contracts.trace_store import TraceStore

logger = logging.getLogger(__name__)

_DAY_NS = 86_400_000_000_000
# Partitioned by yyyymmdd; scores by yyyymm.
_DAILY = (
    *("spans", "trace_times", "trace_sums", "waiting_scores", "spans_touched", "call_figures", "content"),
    "deleted_traces",
)
_MONTHLY = ("scores",)
_PARTITIONS = (
    "SELECT DISTINCT partition FROM system.parts WHERE active AND database = currentDatabase() "
    "AND table = {table:String} AND toUInt32OrZero(partition) < {first_kept:UInt32} ORDER BY partition"
)


def delete_before_ns(now_ns: int, retention_days: int) -> int | None:
    """Return the moment before which traces are deleted; None keeps all of them.

    No number of days but a positive one deletes anything, wherever it came from: what is gone is gone.
    """
    return now_ns - retention_days * _DAY_NS if retention_days > 0 else None


def drop_traces_before(store: TraceStore, before_ns: int) -> int:
    """Drop every day that ended before `before_ns` (UTC); return how many partitions went.

    Harmless to repeat. Raises: StoreUnavailable.
    """
    first_kept = datetime.fromtimestamp(before_ns / 1e9, UTC)
    kept_day, kept_month = int(first_kept.strftime("%Y%m%d")), int(first_kept.strftime("%Y%m"))
    dropped = sum(_drop(store, table, kept_day) for table in _DAILY)
    dropped += sum(_drop(store, table, kept_month) for table in _MONTHLY)
    if dropped:
        logger.info("retention dropped %d partitions older than %d", dropped, kept_day)
    return dropped


def drop_blobs_before(blobs: BlobStore, before_ns: int) -> int:
    """Delete blobs that only days dropped by `drop_traces_before` refer to; return how many went.

    A day later than those days, for spans whose clock ran ahead of ours. Harmless to repeat.
    Raises: StoreUnavailable.
    """
    first_kept_ns = before_ns - before_ns % _DAY_NS
    old = [one for one in blobs.walk() if one.last_put_ns < first_kept_ns - _DAY_NS]
    gone = [one for one in old if delete_medium(blobs, one, put_before_ns=first_kept_ns - _DAY_NS)]
    if gone:
        size = sum(one.size_bytes for one in gone)
        logger.info("retention deleted %d blobs of %d bytes", len(gone), size)
    return len(gone)


def delete_medium(blobs: BlobStore, blob: StoredBlob, *, put_before_ns: int | None = None) -> bool:
    """Delete a blob and its thumbnails, with a time only if nobody put it since; say if it went."""
    if not blobs.delete(blob.project_id, blob.hash, put_before_ns=put_before_ns):
        return False
    for edge in THUMBNAIL_EDGES:
        blobs.delete(blob.project_id, thumbnail_hash(blob.project_id, blob.hash, edge))
    return True


def _drop(store: TraceStore, table: str, first_kept: int) -> int:
    found = store.query(_PARTITIONS, {"table": table, "first_kept": first_kept}).rows
    numbers = [int(str(row[0])) for row in found]
    for number in numbers:
        store.command(f"ALTER TABLE {table} DROP PARTITION {number}")
    return len(numbers)
