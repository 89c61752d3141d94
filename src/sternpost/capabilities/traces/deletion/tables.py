"""The table of deletions and how its rows read; the statements are in `store`."""

from typing import cast

import msgspec
from sqlalchemy import BigInteger, Column, Index, RowMapping, Table, Text

from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.deletion.records import (
    Counts,
    Deletion,
    DeletionId,
    DeletionKind,
    DeletionState,
    Step,
)
from sternpost.contracts.event_log import Actor, ActorKind
from sternpost.contracts.tables import METADATA

deletions = Table(
    "deletions",
    METADATA,
    Column("deletion_id", Text, primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("counts", Text, nullable=False),  # JSON
    Column("error", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("worker", Text, nullable=False),
    Column("held_until_ns", BigInteger, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Index("ix_deletions_project_id_created_ns", "project_id", "created_ns"),
    Index("ix_deletions_state", "state"),
)


def columns_of(deletion: Deletion) -> dict[str, object]:
    return {
        "deletion_id": deletion.deletion_id,
        "project_id": deletion.project_id,
        "kind": deletion.kind,
        "subject": deletion.subject,
        "state": deletion.state,
        "step": deletion.step,
        "counts": counts_text(deletion.counts),
        "error": deletion.error,
        "created_ns": deletion.created_ns,
        "ended_ns": deletion.ended_ns,
        "worker": "",
        "held_until_ns": 0,
        "actor_kind": deletion.actor.kind,
        "actor_id": deletion.actor.id,
        "actor_name": deletion.actor.name,
    }


def counts_text(counts: Counts) -> str:
    return msgspec.json.encode(counts).decode()


def deletion_of(row: RowMapping) -> Deletion:
    return Deletion(
        deletion_id=DeletionId(row["deletion_id"]),
        project_id=ProjectId(row["project_id"]),
        kind=cast("DeletionKind", row["kind"]),
        subject=row["subject"],
        actor=Actor(cast("ActorKind", row["actor_kind"]), row["actor_id"], row["actor_name"]),
        created_ns=row["created_ns"],
        state=cast("DeletionState", row["state"]),
        step=cast("Step", row["step"]),
        counts=msgspec.json.decode(row["counts"], type=Counts),
        error=row["error"],
        ended_ns=row["ended_ns"],
    )
