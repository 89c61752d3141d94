"""Files and batches as `/v1` shows them in OpenAI's words, and as the management API does.

Source: https://platform.openai.com/docs/api-reference/batch and /files; `sternpost` is our extension.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sternpost.base.money import usd_text
from sternpost.capabilities.batches.records import Batch, Line, LineFault, StoredFile


@dataclass(frozen=True, slots=True)
class FaultView:
    code: str
    message: str
    line: int | None
    param: str | None


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch of the management API. `cost_usd` is null when no cost of it is known."""

    batch_id: str
    status: str
    endpoint: str
    key_id: str | None
    created_by: str
    created_at: str
    expires_at: str
    started_at: str | None
    ended_at: str | None
    waits_until: str | None
    waits_because: str | None
    total: int
    completed: int
    failed: int
    cost_usd: str | None
    cost_nanousd: int | None
    unknown_costs: int
    metadata: Mapping[str, str]
    faults: list[FaultView]
    input_file_id: str
    output_file_id: str | None
    error_file_id: str | None
    environment: str


@dataclass(frozen=True, slots=True)
class BatchPageView:
    items: list[BatchView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class LineView:
    number: int
    custom_id: str
    model: str
    state: str
    http_status: int | None
    error_code: str | None
    error: str | None
    trace_id: str | None
    cost_usd: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class LinePageView:
    items: list[LineView]
    next_cursor: str | None


def batch_view(batch: Batch, waits_until_ns: int | None) -> BatchView:
    cost = _known_cost(batch)
    return BatchView(
        batch_id=batch.batch_id,
        status=batch.status,
        endpoint=batch.endpoint,
        key_id=batch.key_id or None,
        created_by=batch.key_name,
        created_at=_utc(batch.created_ns) or "",
        expires_at=_utc(batch.expires_ns) or "",
        started_at=_utc(batch.in_progress_ns),
        ended_at=_utc(batch.ended_ns),
        waits_until=_utc(waits_until_ns),
        waits_because=batch.waits_because or None,
        total=batch.total,
        completed=batch.completed,
        failed=batch.failed,
        cost_usd=cost,
        cost_nanousd=None if cost is None else batch.cost_nanousd,
        unknown_costs=batch.unknown_costs,
        metadata=batch.metadata,
        faults=[FaultView(one.code, one.message, one.line, one.param) for one in batch.faults],
        input_file_id=batch.input_file_id,
        output_file_id=batch.output_file_id,
        error_file_id=batch.error_file_id,
        environment=batch.environment,
    )


def line_view(line: Line) -> LineView:
    return LineView(
        number=line.number,
        custom_id=line.custom_id,
        model=line.model,
        state=line.state,
        http_status=line.http_status or None,
        error_code=line.error_code or None,
        error=line.error or None,
        trace_id=line.trace_id or None,
        cost_usd=None if line.cost_nanousd is None else usd_text(line.cost_nanousd),
        ended_at=_utc(line.ended_ns),
    )


def openai_file(file: StoredFile) -> dict[str, object]:
    return {
        "id": file.file_id,
        "object": "file",
        "bytes": file.size_bytes,
        "created_at": _seconds(file.created_ns),
        "expires_at": _seconds(file.expires_ns),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def openai_batch(batch: Batch, waits_until_ns: int | None) -> dict[str, object]:
    ended = {batch.status: _seconds(batch.ended_ns)}
    return {
        "id": batch.batch_id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": {"object": "list", "data": [_fault(one) for one in batch.faults]} if batch.faults else None,
        "input_file_id": batch.input_file_id,
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "created_at": _seconds(batch.created_ns),
        "in_progress_at": _seconds(batch.in_progress_ns),
        "expires_at": _seconds(batch.expires_ns),
        "finalizing_at": _seconds(batch.finalizing_ns),
        "completed_at": ended.get("completed"),
        "failed_at": ended.get("failed"),
        "expired_at": ended.get("expired"),
        "cancelling_at": _seconds(batch.cancelling_ns),
        "cancelled_at": ended.get("cancelled"),
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        "metadata": batch.metadata or None,
        "sternpost": {
            "cost_usd": _known_cost(batch),
            "unknown_costs": batch.unknown_costs,
            "waits_until": _utc(waits_until_ns),
            "waits_because": batch.waits_because or None,
        },
    }


def openai_list(items: list[dict[str, object]], *, has_more: bool) -> dict[str, object]:
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }


def _fault(fault: LineFault) -> dict[str, object]:
    return {"code": fault.code, "message": fault.message, "line": fault.line, "param": fault.param}


def _known_cost(batch: Batch) -> str | None:
    """Return the sum of what is known; nothing when answers came and none of their costs is known."""
    is_all_unknown = batch.unknown_costs > 0 and batch.unknown_costs >= batch.completed
    return None if is_all_unknown else usd_text(batch.cost_nanousd)


def _seconds(at_ns: int | None) -> int | None:
    return None if at_ns is None else at_ns // 1_000_000_000


def _utc(at_ns: int | None) -> str | None:
    if at_ns is None:
        return None
    seconds, rest = divmod(at_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
