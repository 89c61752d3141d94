"""The HTTP face of deletions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, TypeAlias

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from sternpost.api.asking import Acting, Asker, reader
from sternpost.api.services import the
from sternpost.base.reads import ReadGate
from sternpost.capabilities.traces.deletion import views
from sternpost.capabilities.traces.deletion.records import DeletionKind
from sternpost.capabilities.traces.deletion.service import Deletions

Service = Annotated[Deletions, Depends(the(Deletions))]
Reads = Annotated[ReadGate, Depends(the(ReadGate))]
Answer: TypeAlias = views.DeletionView | Response

# Ids of sessions and users may hold any character, slashes too.
_PATHS: Final[Sequence[tuple[DeletionKind, str, str]]] = (
    ("trace", "/traces/{trace_id}", "Delete a trace for good"),
    ("session", "/sessions/{session_id:path}", "Delete all traces of a session for good"),
    ("user", "/users/{user_id:path}", "Delete all traces of an end user for good"),
)
DryRun = Annotated[bool, Query(description="Only count what would be removed; answers 200, not 202.")]
router = APIRouter(prefix="/api", tags=["traces"])


@router.get("/deletions", summary="List deletions, newest first")
async def list_deletions(
    asker: Asker, deletions: Service, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str = ""
) -> views.DeletionPageView:
    return views.page_view(await deletions.list(asker.project_id, cursor, limit))


@router.get("/deletions/{deletion_id}", summary="Say how far a deletion is")
async def get_deletion(deletion_id: str, asker: Asker, deletions: Service) -> views.DeletionView:
    return views.deletion_view(await deletions.get(asker.project_id, deletion_id))


def _deleter(kind: DeletionKind) -> Callable[..., Awaitable[Answer]]:
    """Make the route of one kind; the three differ in their path alone."""

    async def delete(
        subject: Annotated[str, Path(alias=f"{kind}_id")],
        request: Request,
        asker: Asker,
        actor: Acting,
        deletions: Service,
        reads: Reads,
        *,
        dry_run: DryRun = False,
    ) -> Answer:
        if dry_run:
            found = await reads.run(
                reader(asker), lambda: deletions.preview(asker.project_id, kind, subject), request.receive
            )
            preview = msgspec.json.encode(views.preview_view(kind, found))
            return Response(preview, 200, media_type="application/json")
        begun = await reads.run(
            reader(asker),
            lambda: deletions.request(asker.project_id, kind, subject, actor),
            request.receive,
        )
        return views.deletion_view(begun)

    return delete


for _kind, _path, _summary in _PATHS:
    router.add_api_route(
        _path,
        _deleter(_kind),
        methods=["DELETE"],
        status_code=202,
        response_model=views.DeletionView,
        responses={200: {"model": views.DeletionPreview, "description": "What would be removed"}},
        summary=_summary,
        operation_id=f"delete_{_kind}",
    )
