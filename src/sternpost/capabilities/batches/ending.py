"""Ends a batch: what still waits gets its word, then its files are written; blocking."""

from collections.abc import Iterable

from sternpost.base.clock import Clock
from sternpost.capabilities.batches.bodies import FileBodies
from sternpost.capabilities.batches.line_format import unanswered
from sternpost.capabilities.batches.records import Batch, FileId, LineResult, StoredFile
from sternpost.capabilities.batches.work_store import WorkStore

_PAGE = 500
_WORDS = {
    "expired": ("batch_expired", "this line was not answered within the completion window of 24 hours"),
    "cancelled": ("batch_cancelled", "the batch was cancelled before this line was sent"),
}


def close_waiting(batch: Batch, job: int, store: WorkStore, clock: Clock) -> None:
    """Settle the lines of a job that were never answered."""
    code, message = _WORDS.get(
        batch.ends_as, ("no_result", "the provider's batch has no result for this line")
    )
    while found := store.waiting(batch.batch_id, job=job, limit=_PAGE):
        results: list[LineResult] = [unanswered(one.number, one.custom_id, code, message) for one in found]
        store.settle(batch.batch_id, results, clock.now_ns())


def finish(batch: Batch, store: WorkStore, bodies: FileBodies, clock: Clock) -> None:
    """Write the files and end the batch; harmless to repeat. Raises: StorageFull, StoreUnavailable."""
    now_ns = clock.now_ns()
    output = _file(batch, "output", store.rows(batch.batch_id, ("done",)), bodies, now_ns)
    errors = _file(
        batch, "errors", store.rows(batch.batch_id, ("failed", "expired", "cancelled")), bodies, now_ns
    )
    store.finish(batch, output, errors, now_ns)


def _file(
    batch: Batch, kind: str, rows: Iterable[bytes], bodies: FileBodies, now_ns: int
) -> StoredFile | None:
    """Write one file under an id that a repetition finds again; None when it would be empty."""
    body = bodies.begin()
    try:
        for row in rows:
            body.write(row)
        if not body.size_bytes:
            return None
        name = f"{batch.batch_id}_{kind}"
        file_id = FileId(f"file_{name.removeprefix('batch_')}")
        body.keep(file_id)
        return StoredFile(file_id, batch.project_id, f"{name}.jsonl", "batch_output", body.size_bytes, now_ns)
    finally:
        body.drop()
