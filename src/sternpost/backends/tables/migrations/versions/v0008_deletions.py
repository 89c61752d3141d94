"""Deletions of traces: what was asked for, how far it is, and what late arrivals are held against."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "deletions",
        sa.Column("deletion_id", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("held_until_ns", sa.BigInteger, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("deletion_id", name="pk_deletions"),
    )
    op.create_index("ix_deletions_project_id_created_ns", "deletions", ["project_id", "created_ns"])
    op.create_index("ix_deletions_state", "deletions", ["state"])
