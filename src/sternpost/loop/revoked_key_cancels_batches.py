"""When a key is revoked, the batches that it submitted are cancelled.

The gateway would refuse each of their lines anyway. A batch of which a provider's own batch API runs a part
goes on: results that are paid for are worth more than an early end, and whoever revokes a key can cancel it.
"""

from sternpost.base.ids import KeyId
from sternpost.capabilities.batches.service import BatchService
from sternpost.contracts.event_log import Event, Subscriber
from sternpost.contracts.events import KeyRevoked


def revoked_key_cancels_batches(batches: BatchService) -> Subscriber:
    def cancel(event: Event) -> None:
        batches.cancel_batches_of_key(KeyId(event.subject))

    return Subscriber("revoked_key_cancels_batches", (KeyRevoked.KIND,), cancel)
