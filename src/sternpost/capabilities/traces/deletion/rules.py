"""How the id of a session or a user is written where only its equality matters, and how far a deletion is."""

import hashlib
from typing import Final

from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.deletion.records import STEPS, Deletion, DeletionKind

_DAY_NS: Final = 86_400_000_000_000


def salt_of(project_id: ProjectId, kind: DeletionKind) -> str:
    """Return what is hashed before an id, so that the hashes of two projects say nothing of each other."""
    return f"{project_id}\n{kind}\n"


def subject_of(project_id: ProjectId, kind: DeletionKind, given: str) -> str:
    """Return what is kept of the id that was given: that of a trace as it is, the hash of any other."""
    if kind == "trace":
        return given
    return hashlib.sha256((salt_of(project_id, kind) + given).encode("utf-8", "replace")).hexdigest()


def progress_of(deletion: Deletion) -> float:
    """Return the share of the steps that are done."""
    return 1.0 if deletion.state == "done" else round(STEPS.index(deletion.step) / len(STEPS), 2)


def expires_before_ns(now_ns: int, retention_days: int) -> int | None:
    """Return when a deletion must have ended to be forgotten: retention covers it then; None: never."""
    return now_ns - retention_days * _DAY_NS if retention_days > 0 else None
