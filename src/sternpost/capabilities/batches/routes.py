"""The endpoints of batches in the management API; errors become problem details in the server."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from sternpost.base.errors import BadRequest
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches import views
from sternpost.capabilities.batches.records import BatchId, LineState
from sternpost.capabilities.batches.service import BatchService
from sternpost.contracts.call import Principal

# What a reader looks for -> the states of its lines.
_STATES: dict[str, tuple[LineState, ...]] = {
    "failed": ("failed", "expired", "cancelled"),
    "done": ("done",),
    "waiting": ("waiting",),
}


def batch_routes(service: BatchService, who: Callable[[Request], Awaitable[Principal]]) -> APIRouter:
    """Build the router of `/api/batches`. `who` identifies the caller."""
    router = APIRouter(prefix="/api/batches", tags=["batches"])

    @router.get("")
    async def list_batches(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        caller: Annotated[Principal, Depends(who)],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str = "",
    ) -> views.BatchPageView:
        """List the project's batches, newest first."""
        page = await in_thread(service.list_batches, caller.project_id, after=cursor, limit=limit)
        shown = [views.batch_view(one, service.waits_until_ns(one)) for one in page.items]
        return views.BatchPageView(shown, shown[-1].batch_id if page.has_more else None)

    @router.get("/{batch_id}")
    async def show_batch(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        batch_id: str, caller: Annotated[Principal, Depends(who)]
    ) -> views.BatchView:
        """Show one batch with its progress and what it cost so far."""
        batch = await in_thread(service.batch, BatchId(batch_id), caller.project_id)
        return views.batch_view(batch, service.waits_until_ns(batch))

    @router.post("/{batch_id}/cancel")
    async def cancel_batch(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        batch_id: str, caller: Annotated[Principal, Depends(who)]
    ) -> views.BatchView:
        """End a batch early; lines in flight are finished, what is done stays."""
        batch = await in_thread(service.cancel_batch, BatchId(batch_id), caller)
        return views.batch_view(batch, None)

    @router.get("/{batch_id}/lines")
    async def list_lines(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        batch_id: str,
        caller: Annotated[Principal, Depends(who)],
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

    return router
