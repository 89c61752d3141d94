"""The endpoints of batches in the management API; errors become problem details in the server."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from sternpost.api.asking import Asker
from sternpost.api.services import the
from sternpost.base.errors import BadRequest
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches import views
from sternpost.capabilities.batches.records import BatchId, LineState
from sternpost.capabilities.batches.service import BatchService

# What a reader looks for -> the states of its lines.
_STATES: dict[str, tuple[LineState, ...]] = {
    "failed": ("failed", "expired", "cancelled"),
    "done": ("done",),
    "waiting": ("waiting",),
}

Service = Annotated[BatchService, Depends(the(BatchService))]

router = APIRouter(prefix="/api/batches", tags=["batches"])


@router.get("")
async def list_batches(
    caller: Asker,
    service: Service,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str = "",
    environment: Annotated[str, Query(description="Only batches of this environment.")] = "",
) -> views.BatchPageView:
    """List the project's batches, newest first."""
    page = await in_thread(
        service.list_batches, caller.project_id, after=cursor, limit=limit, environment=environment
    )
    shown = [views.batch_view(one, service.waits_until_ns(one)) for one in page.items]
    return views.BatchPageView(shown, shown[-1].batch_id if page.has_more else None)


@router.get("/{batch_id}")
async def show_batch(batch_id: str, caller: Asker, service: Service) -> views.BatchView:
    """Show one batch with its progress and what it cost so far."""
    batch = await in_thread(service.batch, BatchId(batch_id), caller.project_id)
    return views.batch_view(batch, service.waits_until_ns(batch))


@router.post("/{batch_id}/cancel")
async def cancel_batch(batch_id: str, caller: Asker, service: Service) -> views.BatchView:
    """End a batch early; lines in flight are finished, what is done stays."""
    batch = await in_thread(service.cancel_batch, BatchId(batch_id), caller)
    return views.batch_view(batch, None)


@router.get("/{batch_id}/lines")
async def list_lines(
    batch_id: str,
    caller: Asker,
    service: Service,
    state: Literal["failed", "done", "waiting"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str = "",
) -> views.LinePageView:
    """List the lines of a batch in the order of its file; `failed` are all without an answer to use."""
    if cursor and not cursor.isdecimal():
        raise BadRequest("cursor: send the `next_cursor` of the previous page", param="cursor")
    page = await in_thread(
        service.list_lines,
        BatchId(batch_id),
        caller.project_id,
        after=int(cursor or 0),
        limit=limit,
        states=_STATES[state] if state else (),
    )
    shown = [views.line_view(line) for line in page.items]
    return views.LinePageView(shown, str(shown[-1].number) if page.has_more else None)
