"""The tables of batches and how their rows read; the statements are in the stores."""

import json
from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    RowMapping,
    Table,
    Text,
)

from sternpost.base.ids import KeyId, ProjectId
from sternpost.base.money import NanoUsd
from sternpost.capabilities.batches.records import (
    Batch,
    BatchId,
    FileId,
    Line,
    LineFault,
    ProviderJob,
    StoredFile,
)
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT
from sternpost.contracts.tables import METADATA

files = Table(
    "files",
    METADATA,
    Column("file_id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.project_id"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),
    Column("key_id", Text, nullable=False, server_default=""),  # empty: a person, or the worker
    Index("ix_files_project_id", "project_id", "file_id"),
)
batches = Table(
    "batches",
    METADATA,
    Column("batch_id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.project_id"), nullable=False),
    Column("key_id", Text, nullable=False),  # empty: a person started it
    Column("key_name", Text, nullable=False),
    Column("allowed_models", Text, nullable=False),  # one per line
    Column("endpoint", Text, nullable=False),
    Column("input_file_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("ends_as", Text, nullable=False),
    Column("metadata", Text, nullable=False),  # JSON
    Column("faults", Text, nullable=False),  # JSON
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cost_nanousd", BigInteger, nullable=False),
    Column("unknown_costs", Integer, nullable=False),
    Column("output_file_id", Text),
    Column("error_file_id", Text),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("in_progress_ns", BigInteger),
    Column("finalizing_ns", BigInteger),
    Column("cancelling_ns", BigInteger),
    Column("ended_ns", BigInteger),
    Column("environment", Text, nullable=False, server_default=DEFAULT_ENVIRONMENT),
    Index("ix_batches_project_id", "project_id", "batch_id"),
    Index("ix_batches_status", "status"),
)
lines = Table(
    "batch_lines",
    METADATA,
    Column("batch_id", Text, ForeignKey("batches.batch_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("custom_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("offset_bytes", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("job", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("cost_nanousd", BigInteger),
    Column("ended_ns", BigInteger),
    PrimaryKeyConstraint("batch_id", "number", name="pk_batch_lines"),
    Index("ix_batch_lines_state", "batch_id", "state", "number"),
)
# Kept until the files of the batch are written from it: beside the state, so that both change at once.
results = Table(
    "batch_results",
    METADATA,
    Column("batch_id", Text, ForeignKey("batches.batch_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("row", LargeBinary, nullable=False),
    PrimaryKeyConstraint("batch_id", "number", name="pk_batch_results"),
)
provider_jobs = Table(
    "batch_provider_jobs",
    METADATA,
    Column("batch_id", Text, ForeignKey("batches.batch_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("provider_file_id", Text, nullable=False),
    Column("provider_batch_id", Text, nullable=False),
    Column("is_cancel_sent", Boolean, nullable=False),
    Column("submitted_ns", BigInteger),
    Column("waits_because", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("batch_id", "number", name="pk_batch_provider_jobs"),
)
# What the work queue was asked to do for a batch; it has run when all of that has ended.
batch_work = Table(
    "batch_work",
    METADATA,
    Column("job_id", Text, primary_key=True),
    Column("batch_id", Text, ForeignKey("batches.batch_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    Index("ix_batch_work_batch_id", "batch_id"),
)


def file_of(row: RowMapping) -> StoredFile:
    return StoredFile(
        file_id=FileId(row["file_id"]),
        project_id=ProjectId(row["project_id"]),
        filename=row["filename"],
        purpose=row["purpose"],
        size_bytes=row["size_bytes"],
        created_ns=row["created_ns"],
        expires_ns=row["expires_ns"],
    )


def columns_of(batch: Batch) -> dict[str, object]:
    """Write a batch as a new row."""
    return {
        **{column.name: getattr(batch, column.name) for column in batches.c if hasattr(batch, column.name)},
        "allowed_models": "\n".join(batch.allowed_models),
        "metadata": json.dumps(dict(batch.metadata)),
        "faults": faults_text(batch.faults),
    }


def batch_of(row: RowMapping) -> Batch:
    return Batch(
        batch_id=BatchId(row["batch_id"]),
        project_id=ProjectId(row["project_id"]),
        key_id=KeyId(row["key_id"]),
        key_name=row["key_name"],
        allowed_models=tuple(row["allowed_models"].splitlines()),
        endpoint=row["endpoint"],
        input_file_id=FileId(row["input_file_id"]),
        status=row["status"],
        created_ns=row["created_ns"],
        expires_ns=row["expires_ns"],
        metadata=json.loads(row["metadata"]),
        faults=tuple(LineFault(**fault) for fault in json.loads(row["faults"])),
        ends_as=row["ends_as"],
        total=row["total"],
        completed=row["completed"],
        failed=row["failed"],
        cost_nanousd=NanoUsd(row["cost_nanousd"]),
        unknown_costs=row["unknown_costs"],
        output_file_id=_file_id(row["output_file_id"]),
        error_file_id=_file_id(row["error_file_id"]),
        in_progress_ns=row["in_progress_ns"],
        finalizing_ns=row["finalizing_ns"],
        cancelling_ns=row["cancelling_ns"],
        ended_ns=row["ended_ns"],
        waits_because=row.get("waits_because") or "",
        environment=row["environment"],
    )


def faults_text(faults: tuple[LineFault, ...]) -> str:
    return json.dumps(
        [{"code": one.code, "message": one.message, "line": one.line, "param": one.param} for one in faults]
    )


def line_columns(batch_id: BatchId, line: Line) -> dict[str, object]:
    kept = {column.name: getattr(line, column.name) for column in lines.c if hasattr(line, column.name)}
    return {**kept, "batch_id": batch_id, "offset_bytes": line.offset}


def line_of(row: RowMapping) -> Line:
    values: Mapping[str, object] = {
        name: row[name] for name in row if name not in {"batch_id", "offset_bytes"}
    }
    return Line(offset=row["offset_bytes"], **values)  # type: ignore[arg-type]  # columns named as fields


def job_of(row: RowMapping) -> ProviderJob:
    return ProviderJob(**{name: row[name] for name in row if name != "batch_id"})


def _file_id(text: str | None) -> FileId | None:
    return None if text is None else FileId(text)
