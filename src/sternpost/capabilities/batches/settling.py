"""What becomes of lines that were never answered when their batch, or their job at a provider, ends."""

from sternpost.base.clock import Clock
from sternpost.capabilities.batches.files.line_format import unanswered
from sternpost.capabilities.batches.records import QUEUE_JOB, Batch
from sternpost.capabilities.batches.work_store import WorkStore

EXPIRED = ("batch_expired", "this line was not answered within the completion window of 24 hours")
_WORDS = {
    "expired": EXPIRED,
    "cancelled": ("batch_cancelled", "the batch was cancelled before this line was sent"),
}
_NO_RESULT = ("no_result", "the provider's batch has no result for this line")
_OURS = ("internal_error", "an internal error occurred on this line; see Sternpost's log")
_PAGE = 500


def close_waiting(batch: Batch, job: int, store: WorkStore, clock: Clock) -> None:
    """Settle the lines of a job that were never answered."""
    code, message = _WORDS.get(batch.ends_as, _OURS if job == QUEUE_JOB else _NO_RESULT)
    while found := store.waiting(batch.batch_id, job=job, limit=_PAGE):
        results = [unanswered(one.number, one.custom_id, code, message) for one in found]
        store.settle(batch.batch_id, results, clock.now_ns())
