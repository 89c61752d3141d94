"""What is deleted when traces are old enough: whole days, as dropping a partition frees the disk at once."""

import logging
from datetime import UTC, datetime

from windlass.contracts.trace_store import TraceStore

logger = logging.getLogger(__name__)

# Partitioned by yyyymmdd; scores by yyyymm.
_DAILY = ("spans", "trace_times", "spans_touched", "call_figures", "content")
_MONTHLY = ("scores",)
_PARTITIONS = (
    "SELECT DISTINCT partition FROM system.parts WHERE active AND database = currentDatabase() "
    "AND table = {table:String} AND toUInt32OrZero(partition) < {first_kept:UInt32} ORDER BY partition"
)


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


def _drop(store: TraceStore, table: str, first_kept: int) -> int:
    found = store.query(_PARTITIONS, {"table": table, "first_kept": first_kept}).rows
    numbers = [int(str(row[0])) for row in found]
    for number in numbers:
        store.command(f"ALTER TABLE {table} DROP PARTITION {number}")
    return len(numbers)
