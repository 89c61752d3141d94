"""The kinds of change that other parts, people and auditors may care about; bodies hold ids and small facts.

Never a prompt, a reply or a secret. A body says what was (`before`) and what is (`after`) where both exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from sternpost.contracts.message import Json

Facts: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class KeyCreated:
    KIND: ClassVar = "key.created"
    after: Facts  # name, prefix, models, expires_at


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    KIND: ClassVar = "key.revoked"
    before: Facts
    after: Facts


@dataclass(frozen=True, slots=True)
class SignInLinkCreated:
    KIND: ClassVar = "sign_in.link_created"
    expires_at: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    KIND: ClassVar = "sign_in.started"
    expires_at: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    KIND: ClassVar = "sign_in.ended"


@dataclass(frozen=True, slots=True)
class BatchAccepted:
    KIND: ClassVar = "batch.accepted"
    endpoint: str
    input_file_id: str


@dataclass(frozen=True, slots=True)
class BatchCancelled:
    KIND: ClassVar = "batch.cancelled"
    before: Facts
    after: Facts


@dataclass(frozen=True, slots=True)
class BatchEnded:
    KIND: ClassVar = "batch.ended"
    status: str
    completed: int
    failed: int
    total: int


@dataclass(frozen=True, slots=True)
class TracesDeletionRequested:
    """`subject` is the id of a trace, or the hash of the id of a session or a user."""

    KIND: ClassVar = "traces.deletion_requested"
    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class TracesDeleted:
    KIND: ClassVar = "traces.deleted"
    kind: str
    subject: str
    counts: Facts


@dataclass(frozen=True, slots=True)
class ConfigurationApplied:
    """sternpost.yaml, or a variable that it names, was taken over. Names such as `routes.fast`, no values."""

    KIND: ClassVar = "configuration.applied"
    before: Facts  # hash of the file that was in force
    after: Facts  # hash, file
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigurationRefused:
    """sternpost.yaml has faults and was not taken over. `faults`: `line: field` of each."""

    KIND: ClassVar = "configuration.refused"
    in_force: str  # hash of the file that stays in force
    refused: str  # hash of the file with the faults; "" when it can't be read
    file: str
    faults: tuple[str, ...]


EventBody: TypeAlias = (
    KeyCreated
    | KeyRevoked
    | SignInLinkCreated
    | SignedIn
    | SignedOut
    | BatchAccepted
    | BatchCancelled
    | BatchEnded
    | TracesDeletionRequested
    | TracesDeleted
    | ConfigurationApplied
    | ConfigurationRefused
)
