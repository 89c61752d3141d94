"""Batches as the work queue's: what was open is queued to be resumed, and their own leases go."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_OPEN = ("validating", "in_progress", "finalizing", "cancelling")


def upgrade() -> None:
    op.create_table(
        "batch_work",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("is_ended", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_batch_work"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name="fk_batch_work_batch_id_batches"),
    )
    op.create_index("ix_batch_work_batch_id", "batch_work", ["batch_id"])
    op.drop_column("batches", "worker")
    op.drop_column("batches", "held_until_ns")
    op.rename_table("batch_vendor_jobs", "batch_provider_jobs")
    op.alter_column("batch_provider_jobs", "vendor_file_id", new_column_name="provider_file_id")
    op.alter_column("batch_provider_jobs", "vendor_batch_id", new_column_name="provider_batch_id")
    op.execute("DELETE FROM internal_secrets WHERE name = 'batch-passes'")
    _resume_open_batches()


def _resume_open_batches() -> None:
    """Queue each open batch: its handler reads its file, or gives out what still waits of its lines."""
    text, number = sa.Text, sa.BigInteger
    batches = sa.table("batches", *_columns(text, "batch_id", "project_id", "status"))
    counts = ("priority", "total", "done", "failed", "cancelled", "created_ns", "is_end_told")
    jobs = sa.table(
        "work_jobs", *_columns(text, "job_id", "kind", "project_id", "open_key", "facts", "state"),
        *_columns(number, *counts[:-1]), sa.column("is_end_told", sa.Boolean),
    )  # fmt: skip
    items = sa.table(
        "work_items", *_columns(text, "job_id", "key", "lane", "payload", "state", "error"),
        *_columns(number, "number", "attempts", "due_ns"),
    )  # fmt: skip
    groups = sa.table(
        "work_groups", *_columns(text, "job_id", "worker"),
        *_columns(number, "number", "generation", "due_ns", "held_until_ns"),
        sa.column("is_queued", sa.Boolean), sa.column("is_done", sa.Boolean),
    )  # fmt: skip
    connection = op.get_bind()
    found = connection.execute(sa.select(batches).where(batches.c.status.in_(_OPEN))).mappings().all()
    for batch in found:
        batch_id, project_id = batch["batch_id"], batch["project_id"]
        job_id = f"job_of_{batch_id}"
        job = {"job_id": job_id, "kind": "batch_start", "project_id": project_id, "facts": "{}"}
        key = {"open_key": f"batch_start\n{project_id}\n{batch_id}", "state": "waiting", "is_end_told": False}
        sums = {"priority": 1, "total": 1, "done": 0, "failed": 0, "cancelled": 0, "created_ns": 0}
        connection.execute(jobs.insert().values(**job, **key, **sums))
        item = {"job_id": job_id, "number": 0, "key": batch_id, "lane": "", "payload": "{}", "error": ""}
        connection.execute(items.insert().values(**item, state="waiting", attempts=0, due_ns=0))
        group = {"job_id": job_id, "number": 0, "generation": 0, "worker": "", "is_done": False}
        connection.execute(groups.insert().values(**group, due_ns=0, held_until_ns=0, is_queued=False))


def _columns(kind: type[sa.Text] | type[sa.BigInteger], *names: str) -> "list[sa.ColumnClause[object]]":
    return [sa.column(name, kind) for name in names]
