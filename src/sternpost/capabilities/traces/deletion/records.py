"""The nouns of deletion: what was asked for, how far it is, what it removed; not how it is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NewType, TypeAlias

from sternpost.base.ids import ProjectId
from sternpost.base.money import NanoUsd
from sternpost.contracts.event_log import Actor

DeletionId = NewType("DeletionId", str)
DeletionKind: TypeAlias = Literal["trace", "session", "user"]
DeletionState: TypeAlias = Literal["waiting", "running", "done"]
# In their order; a deletion that was cut off begins again with the one it was at.
Step: TypeAlias = Literal["find", "content", "spans", "figures", "files", "clean"]
STEPS: Final[tuple[Step, ...]] = ("find", "content", "spans", "figures", "files", "clean")


@dataclass(frozen=True, slots=True)
class Counts:
    """What goes, or went. Messages and media are those that nothing else refers to."""

    traces: int = 0
    spans: int = 0
    scores: int = 0
    messages: int = 0
    media: int = 0
    cost_nanousd: NanoUsd = field(default=NanoUsd(0))


@dataclass(frozen=True, slots=True)
class Deletion:
    """One request to delete. `subject` is the id of a trace, or the hash of the id of a session or a user."""

    deletion_id: DeletionId
    project_id: ProjectId
    kind: DeletionKind
    subject: str
    actor: Actor
    created_ns: int
    state: DeletionState = "waiting"
    step: Step = "find"
    counts: Counts = field(default_factory=Counts)
    error: str = ""  # why it does not get on; it is tried again
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True)
class DeletionPage:
    items: Sequence[Deletion]
    next_cursor: str | None
