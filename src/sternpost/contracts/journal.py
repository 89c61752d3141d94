"""The journal: what was acknowledged survives; a protocol, the engines are in `backends/journal`."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import msgspec

from sternpost.contracts.call import CallRecord
from sternpost.contracts.span import SpanBundle

# `written` survives the end of the process, `synced` survives the end of the machine.
Durability: TypeAlias = Literal["written", "synced"]


class CallEntry(msgspec.Struct, frozen=True, tag="call"):
    call: CallRecord


class BatchEntry(msgspec.Struct, frozen=True, tag="batch"):
    batch: SpanBundle


JournalEntry: TypeAlias = CallEntry | BatchEntry  # the payload of one record, as MessagePack


@dataclass(frozen=True, slots=True)
class JournalState:
    """What `/readyz` and `/metrics` say of the journal."""

    is_writable: bool
    reason: str  # why not, for a person
    pending_bytes: int  # written and not yet drained
    queue_depth: int


@dataclass(frozen=True, slots=True)
class Position:
    """The end of a record: everything before it has been read."""

    writer: str  # the folder of one writing process
    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class ReadRecord:
    payload: bytes
    position: Position


class Journal(Protocol):
    def append(self, payload: bytes, durability: Durability) -> Awaitable[None]:
        """Add one record; the awaitable ends when it is as durable as asked.

        Raises: JournalFull when the disk or the queue is full; nothing is then kept.
        """
        ...

    def state(self) -> JournalState: ...

    def close(self) -> None:
        """Write and sync what is queued, then release the files."""
        ...


class JournalReader(Protocol):
    def read(self, *, max_records: int, max_bytes: int) -> Sequence[ReadRecord]:
        """Return the next records of every writer in order, [] when there are none; never blocks."""
        ...

    def commit(self, records: Sequence[ReadRecord]) -> None:
        """Remember durably that these are done; drained segments are deleted."""
        ...

    def erase(self) -> None:
        """Overwrite what is done in segments that are still written to; a fault is logged."""
        ...

    def close(self) -> None: ...
