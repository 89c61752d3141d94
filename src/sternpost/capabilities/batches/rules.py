"""When a batch may run, what a failed call means for its line, and what may be asked; no clock, no I/O."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sternpost.base.errors import BadRequest, ConfigurationError, Conflict
from sternpost.capabilities.batches.records import Batch, BatchStatus, OffPeak
from sternpost.contracts.work_queue import NewJob

ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages")
WINDOW_NS = 24 * 3600 * 1_000_000_000
OPEN: frozenset[BatchStatus] = frozenset({"validating", "in_progress", "finalizing", "cancelling"})
MAX_TRIES = 5  # of a line that fails for no reason of its own
# What the work queue does for batches.
START_KIND, LINE_KIND, PROVIDER_KIND, END_KIND = (
    "batch_start",
    "batch_line",
    "provider_batch",
    "batch_end",
)

_MAX_METADATA = 16
_FIRST = 1  # a file is read and written before lines of other batches
_CANCELLABLE: frozenset[BatchStatus] = frozenset({"validating", "in_progress"})
_DAY_MINUTES = 24 * 60


def check_new(endpoint: str, window: str, metadata: Mapping[str, str]) -> None:
    """Raises: BadRequest for parameters that a batch does not support."""
    if endpoint not in ENDPOINTS:
        raise BadRequest(
            f"the endpoint {endpoint!r} does not support batches; use one of {', '.join(ENDPOINTS)}",
            param="endpoint",
        )
    if window != "24h":
        raise BadRequest("completion_window: must be '24h'", param="completion_window")
    if len(metadata) > _MAX_METADATA or any(
        len(name) > 64 or len(value) > 512 for name, value in metadata.items()
    ):
        raise BadRequest(
            f"metadata: at most {_MAX_METADATA} entries, names of 64 and values of 512 characters",
            param="metadata",
        )


def start_job(batch: Batch) -> NewJob:
    """Ask for a batch to be read and its lines to be queued."""
    return _job_of(batch, START_KIND)


def end_job(batch: Batch) -> NewJob:
    """Ask for the files of a batch to be written."""
    return _job_of(batch, END_KIND)


def _job_of(batch: Batch, kind: str) -> NewJob:
    return NewJob(kind, batch.project_id, deduplication_key=batch.batch_id, priority=_FIRST)


def refuse_cancel(batch: Batch) -> None:
    """Raises: Conflict when there is nothing left to cancel."""
    if batch.status not in _CANCELLABLE | {"cancelling"}:
        raise Conflict(
            f"the batch {batch.batch_id!r} is {batch.status}; only a running batch can be cancelled"
        )


def back_off_s(tries: int, chance: float) -> float:
    """Return seconds before try `tries` + 1: full jitter over an exponential up to a minute."""
    return min(60.0, 2.0**tries) * (0.5 + chance / 2)


def read_off_peak(start: str, end: str, timezone: str) -> OffPeak:
    """Raises: ConfigurationError for an invalid time or zone."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"batches.off_peak.timezone: {timezone!r} is not known on this machine; write one such as"
            " Europe/Berlin, or UTC"
        ) from None
    window = OffPeak(_minute("from", start), _minute("until", end), timezone)
    if window.from_minute == window.until_minute:
        raise ConfigurationError("batches.off_peak: `from` and `until` are the same; leave the window out")
    return window


def is_off_peak(window: OffPeak | None, now_ns: int) -> bool:
    """Whether the own queue may start lines; without a window always."""
    if window is None:
        return True
    local = _local(window, now_ns)
    minute = local.hour * 60 + local.minute
    if window.from_minute < window.until_minute:
        return window.from_minute <= minute < window.until_minute
    return minute >= window.from_minute or minute < window.until_minute


def next_off_peak_ns(window: OffPeak, now_ns: int) -> int:
    """Return when the window opens next; now, while it is open.

    The minute is sought on the wall clock, so the change to summer time moves it as people expect.
    """
    if is_off_peak(window, now_ns):
        return now_ns
    local = _local(window, now_ns)
    minute = local.hour * 60 + local.minute
    days = 0 if minute < window.from_minute else 1
    midnight = (local + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    opens = midnight.replace(hour=window.from_minute // 60, minute=window.from_minute % 60)
    return int(opens.astimezone(UTC).timestamp()) * 1_000_000_000


def _local(window: OffPeak, now_ns: int) -> datetime:
    return datetime.fromtimestamp(now_ns / 1e9, UTC).astimezone(ZoneInfo(window.timezone))


def _minute(name: str, text: str) -> int:
    hour, colon, minute = text.partition(":")
    if colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2:
        found = int(hour) * 60 + int(minute)
        if int(minute) < 60 and found < _DAY_MINUTES:
            return found
    raise ConfigurationError(
        f'batches.off_peak.{name}: {text!r} is no time of day; write one such as "22:00"'
    )
