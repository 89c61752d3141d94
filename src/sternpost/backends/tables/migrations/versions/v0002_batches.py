"""Files, batches with their lines, and the secret that the worker proves itself to the gateway with."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _files()
    _batches()
    _lines()
    op.create_table(
        "batch_results",
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("row", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "number", name="pk_batch_results"),
        _of_batch("batch_results"),
    )
    op.create_table(
        "batch_vendor_jobs",
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("vendor_file_id", sa.Text, nullable=False),
        sa.Column("vendor_batch_id", sa.Text, nullable=False),
        sa.Column("is_cancel_sent", sa.Boolean, nullable=False),
        sa.Column("submitted_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("batch_id", "number", name="pk_batch_vendor_jobs"),
        _of_batch("batch_vendor_jobs"),
    )
    op.create_table(
        "internal_secrets",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_internal_secrets"),
    )


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("file_id", name="pk_files"),
        _of_project("files"),
    )
    op.create_index("ix_files_project_id", "files", ["project_id", "file_id"])


def _batches() -> None:
    texts = ("key_id", "key_name", "allowed_models", "endpoint", "input_file_id", "status", "ends_as")
    times = ("in_progress_ns", "finalizing_ns", "cancelling_ns", "ended_ns")
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in (*texts, "metadata", "faults")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("total", "completed", "failed")),
        sa.Column("cost_nanousd", sa.BigInteger, nullable=False),
        sa.Column("unknown_costs", sa.Integer, nullable=False),
        sa.Column("output_file_id", sa.Text),
        sa.Column("error_file_id", sa.Text),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in times),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("held_until_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name="pk_batches"),
        _of_project("batches"),
    )
    op.create_index("ix_batches_project_id", "batches", ["project_id", "batch_id"])
    op.create_index("ix_batches_status", "batches", ["status"])


def _lines() -> None:
    texts = ("custom_id", "url", "model")
    op.create_table(
        "batch_lines",
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("offset_bytes", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("job", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("http_status", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("error_code", "error", "trace_id")),
        sa.Column("cost_nanousd", sa.BigInteger),
        sa.Column("ended_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("batch_id", "number", name="pk_batch_lines"),
        _of_batch("batch_lines"),
    )
    op.create_index("ix_batch_lines_state", "batch_lines", ["batch_id", "state", "number"])


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id"], ["projects.project_id"], name=f"fk_{table}_project_id_projects"
    )


def _of_batch(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=f"fk_{table}_batch_id_batches")
