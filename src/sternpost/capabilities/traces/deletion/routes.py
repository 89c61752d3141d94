"""The HTTP face of deletions; who may delete is decided by the dependency it is given."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, TypeAlias

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from sternpost.base.reads import ReadGate
from sternpost.capabilities.traces.deletion import views
from sternpost.capabilities.traces.deletion.records import DeletionKind
from sternpost.capabilities.traces.deletion.service import Deletions
from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import Actor

PrincipalOf: TypeAlias = Callable[[Request], Awaitable[Principal]]
Answer: TypeAlias = views.DeletionView | Response

# Ids of sessions and users may hold any character, slashes too.
_PATHS: Final[Sequence[tuple[DeletionKind, str, str]]] = (
    ("trace", "/traces/{trace_id}", "Delete a trace for good"),
    ("session", "/sessions/{session_id:path}", "Delete all traces of a session for good"),
    ("user", "/users/{user_id:path}", "Delete all traces of an end user for good"),
)
DryRun = Annotated[bool, Query(description="Only count what would be removed; answers 200, not 202.")]


def deletion_router(deletions: Deletions, principal_of: PrincipalOf, reads: ReadGate) -> APIRouter:
    """Build the routes. principal_of: resolves the caller from the request, or raises KeyRefused."""
    router = APIRouter(prefix="/api", tags=["traces"])
    for kind, path, summary in _PATHS:
        router.add_api_route(
            path,
            _deleter(kind, deletions, principal_of, reads),
            methods=["DELETE"],
            status_code=202,
            response_model=views.DeletionView,
            responses={200: {"model": views.DeletionPreview, "description": "What would be removed"}},
            summary=summary,
            operation_id=f"delete_{kind}",
        )
    need = Depends(principal_of)

    @router.get("/deletions", summary="List deletions, newest first")
    async def list_deletions(
        caller: Annotated[Principal, need],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str = "",
    ) -> views.DeletionPageView:
        return views.page_view(await deletions.list(caller.project_id, cursor, limit))

    @router.get("/deletions/{deletion_id}", summary="Say how far a deletion is")
    async def get_deletion(deletion_id: str, caller: Annotated[Principal, need]) -> views.DeletionView:
        return views.deletion_view(await deletions.get(caller.project_id, deletion_id))

    _ = (list_deletions, get_deletion)  # registered by their decorators
    return router


def _deleter(
    kind: DeletionKind, deletions: Deletions, principal_of: PrincipalOf, reads: ReadGate
) -> Callable[..., Awaitable[Answer]]:
    need = Depends(principal_of)

    async def delete(
        subject: Annotated[str, Path(alias=f"{kind}_id")],
        request: Request,
        caller: Annotated[Principal, need],
        dry_run: DryRun = False,
    ) -> Answer:
        reader = f"{caller.project_id}/{caller.key_id or caller.key_name}"
        if dry_run:
            found = await reads.run(
                reader, lambda: deletions.preview(caller.project_id, kind, subject), request.receive
            )
            preview = msgspec.json.encode(views.preview_view(kind, found))
            return Response(preview, 200, media_type="application/json")
        begun = await reads.run(
            reader,
            lambda: deletions.request(caller.project_id, kind, subject, _by(caller)),
            request.receive,
        )
        return views.deletion_view(begun)

    return delete


def _by(caller: Principal) -> Actor:
    """A person has no key."""
    return (
        Actor("key", caller.key_id, caller.key_name) if caller.key_id else Actor("user", "", caller.key_name)
    )
