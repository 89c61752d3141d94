"""The nouns of the event log's readers; events themselves are in `contracts.event_log`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sternpost.contracts.event_log import Event


@dataclass(frozen=True, slots=True)
class EventPage:
    """Newest first; `next_seq` is where the next page begins."""

    items: Sequence[Event]
    next_seq: int | None


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """Whether a snapshot shows everything that was committed. `reason` says why it does not."""

    name: str
    seq: int
    is_current: bool
    reason: str = ""
