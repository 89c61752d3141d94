"""The events of batches: who began or cancelled one, and how it ended."""

from sternpost.capabilities.batches.records import Batch, BatchStatus
from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import WORKER, Actor, NewEvent
from sternpost.contracts.events import BatchAccepted, BatchCancelled, BatchEnded


def accepted(batch: Batch) -> NewEvent:
    body = BatchAccepted(batch.endpoint, batch.input_file_id)
    return NewEvent(
        body, batch.batch_id, _by(batch.key_id, batch.key_name), batch.project_id, batch.environment
    )


def cancelled(batch: Batch, principal: Principal) -> NewEvent:
    return _cancelled(batch, _by(principal.key_id, principal.key_name))


def cancelled_with_key(batch: Batch) -> NewEvent:
    """Tell of a batch that ends because the key that submitted it was revoked."""
    return _cancelled(batch, WORKER)


def _cancelled(batch: Batch, actor: Actor) -> NewEvent:
    body = BatchCancelled({"status": batch.status}, {"status": "cancelling"})
    return NewEvent(body, batch.batch_id, actor, batch.project_id, batch.environment)


def ended(batch: Batch, status: BatchStatus) -> NewEvent:
    body = BatchEnded(status, batch.completed, batch.failed, batch.total)
    return NewEvent(body, batch.batch_id, WORKER, batch.project_id, batch.environment)


def _by(key_id: str, name: str) -> Actor:
    """A person has no key."""
    return Actor("key", key_id, name) if key_id else Actor("user", "", name)
