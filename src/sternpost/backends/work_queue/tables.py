"""The tables of the work queue and how their rows read; the statements are in `store` and `groups`."""

import json
from collections.abc import Mapping
from typing import cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    RowMapping,
    Table,
    Text,
)

from sternpost.base.ids import JobId, ProjectId
from sternpost.contracts.message import Json
from sternpost.contracts.tables import METADATA
from sternpost.contracts.work_queue import ItemOutcome, WorkJob

jobs = Table(
    "work_jobs",
    METADATA,
    Column("job_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("open_key", Text, unique=True),  # kind and deduplication key while the job is open
    Column("priority", Integer, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("is_end_told", Boolean, nullable=False),  # whether `on_end` has returned
    Column("created_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Index("ix_work_jobs_kind", "kind", "project_id", "job_id"),
    Index("ix_work_jobs_state", "state", "is_end_told"),
)
items = Table(
    "work_items",
    METADATA,
    Column("job_id", Text, nullable=False),
    Column("number", Integer, nullable=False),  # from 0, in the order of submission
    Column("key", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("result", Text),  # JSON
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("job_id", "number", name="pk_work_items"),
    Index("ix_work_items_key", "job_id", "key", unique=True),
    Index("ix_work_items_state", "job_id", "state", "number"),
)
# What is handed to a worker at once; `generation` grows with each hand-over, so that each is made once.
groups = Table(
    "work_groups",
    METADATA,
    Column("job_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("is_queued", Boolean, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("worker", Text, nullable=False),  # who has it, until `held_until_ns`
    Column("held_until_ns", BigInteger, nullable=False),
    Column("is_done", Boolean, nullable=False),
    PrimaryKeyConstraint("job_id", "number", name="pk_work_groups"),
    Index("ix_work_groups_is_done", "is_done", "is_queued", "due_ns"),
)

GROUP_SIZE = 100  # a step of DBOS costs some 8 ms, paid once for this many items


def job_of(row: RowMapping) -> WorkJob:
    return WorkJob(
        job_id=JobId(row["job_id"]),
        kind=row["kind"],
        project_id=ProjectId(row["project_id"]),
        state=row["state"],
        total=row["total"],
        done=row["done"],
        failed=row["failed"],
        cancelled=row["cancelled"],
        created_ns=row["created_ns"],
        ended_ns=row["ended_ns"],
        priority=row["priority"],
        facts=read_json(row["facts"]),
    )


def outcome_of(row: RowMapping) -> ItemOutcome:
    result = None if row["result"] is None else read_json(row["result"])
    return ItemOutcome(row["key"], row["state"], row["attempts"], result, row["error"])


def read_json(text: str) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", json.loads(text))


def write_json(value: Mapping[str, Json]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
