"""Queued work: jobs, their items, and the groups in which items are handed to workers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "work_jobs",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("open_key", sa.Text),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("cancelled", sa.Integer, nullable=False),
        sa.Column("is_end_told", sa.Boolean, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("job_id", name="pk_work_jobs"),
        sa.UniqueConstraint("open_key", name="uq_work_jobs_open_key"),
    )
    op.create_index("ix_work_jobs_kind", "work_jobs", ["kind", "project_id", "job_id"])
    op.create_index("ix_work_jobs_state", "work_jobs", ["state", "is_end_told"])
    op.create_table(
        "work_items",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_work_items"),
    )
    op.create_index("ix_work_items_key", "work_items", ["job_id", "key"], unique=True)
    op.create_index("ix_work_items_state", "work_items", ["job_id", "state", "number"])
    op.create_table(
        "work_groups",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("is_queued", sa.Boolean, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("held_until_ns", sa.BigInteger, nullable=False),
        sa.Column("is_done", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_work_groups"),
    )
    op.create_index("ix_work_groups_is_done", "work_groups", ["is_done", "is_queued", "due_ns"])
