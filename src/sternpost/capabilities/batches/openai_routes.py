"""`/v1/files` and `/v1/batches` as OpenAI's SDKs call them; errors become OpenAI's in the server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from sternpost.base.errors import BadRequest
from sternpost.base.threads import UPLOADS, in_thread
from sternpost.capabilities.batches import views
from sternpost.capabilities.batches.files.quotas import OpenUpload
from sternpost.capabilities.batches.files.upload import is_too_long, read_upload, too_large
from sternpost.capabilities.batches.records import BatchId, FileId, FilePurpose, StoredFile
from sternpost.capabilities.batches.service import BatchService, blocks_of
from sternpost.contracts.call import Principal

Who = Callable[[Request], Awaitable[Principal]]
_MAX_EXPIRY_S = 2_592_000
_MIN_EXPIRY_S = 3600


@dataclass(frozen=True, slots=True)
class NewBatch:
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None


def openai_batch_routes(service: BatchService, who: Who, *, max_file_bytes: int) -> APIRouter:
    """Build the router. `who` identifies the caller by key."""
    router = APIRouter()
    router.include_router(_upload_routes(service, who, max_file_bytes))
    router.include_router(_file_routes(service, who))
    router.include_router(_batch_routes(service, who))
    return router


def _upload_routes(service: BatchService, who: Who, max_file_bytes: int) -> APIRouter:
    router = APIRouter(prefix="/v1/files")

    @router.post("")
    async def upload_file(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        request: Request, principal: Annotated[Principal, Depends(who)]
    ) -> dict[str, object]:
        if is_too_long(request.headers.get("content-length", ""), max_file_bytes):
            raise too_large(max_file_bytes)
        use = await in_thread(service.file_use, principal)
        with service.uploads.begin(principal.project_id, principal.key_id, use) as share:
            return views.openai_file(await _take(request, principal, share))

    async def _take(request: Request, principal: Principal, share: OpenUpload) -> StoredFile:
        content_type = request.headers.get("content-type", "")
        upload = await read_upload(content_type, request.stream(), service.bodies, max_file_bytes, share)
        try:
            _check_purpose(upload.fields.get("purpose", ""))
            expires_s = _expiry_s(upload.fields)
            return await UPLOADS.run(
                service.keep_file, principal, upload.body, upload.filename, expires_after_s=expires_s
            )
        finally:
            await UPLOADS.run(upload.body.drop)

    return router


def _file_routes(service: BatchService, who: Who) -> APIRouter:
    router = APIRouter(prefix="/v1/files")

    @router.get("")
    async def list_files(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        principal: Annotated[Principal, Depends(who)],
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        after: str = "",
        purpose: FilePurpose | None = None,
        order: Literal["asc", "desc"] = "desc",
    ) -> dict[str, object]:
        page = await in_thread(
            service.list_files,
            principal.project_id,
            after=after,
            limit=limit,
            purpose=purpose,
            is_oldest_first=order == "asc",
        )
        return views.openai_list([views.openai_file(one) for one in page.items], has_more=page.has_more)

    @router.get("/{file_id}")
    async def show_file(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        file_id: str, principal: Annotated[Principal, Depends(who)]
    ) -> dict[str, object]:
        return views.openai_file(await in_thread(service.file, FileId(file_id), principal.project_id))

    @router.delete("/{file_id}")
    async def delete_file(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        file_id: str, principal: Annotated[Principal, Depends(who)]
    ) -> dict[str, object]:
        await in_thread(service.delete_file, FileId(file_id), principal.project_id)
        return {"id": file_id, "object": "file", "deleted": True}

    @router.get("/{file_id}/content")
    async def read_file(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        file_id: str, principal: Annotated[Principal, Depends(who)]
    ) -> StreamingResponse:
        file, body = await in_thread(service.open_file, FileId(file_id), principal.project_id)
        headers = {
            "content-length": str(file.size_bytes),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
        }
        return StreamingResponse(blocks_of(body), 200, headers, "application/octet-stream")

    return router


def _batch_routes(service: BatchService, who: Who) -> APIRouter:
    router = APIRouter(prefix="/v1/batches")

    @router.post("")
    async def create_batch(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        new: NewBatch, principal: Annotated[Principal, Depends(who)]
    ) -> dict[str, object]:
        batch = await in_thread(
            service.create_batch,
            principal,
            endpoint=new.endpoint,
            window=new.completion_window,
            file_id=new.input_file_id,
            metadata=new.metadata or {},
        )
        return views.openai_batch(batch, service.waits_until_ns(batch))

    @router.get("")
    async def list_batches(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        principal: Annotated[Principal, Depends(who)],
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: str = "",
    ) -> dict[str, object]:
        page = await in_thread(service.list_batches, principal.project_id, after=after, limit=limit)
        shown = [views.openai_batch(one, service.waits_until_ns(one)) for one in page.items]
        return views.openai_list(shown, has_more=page.has_more)

    @router.get("/{batch_id}")
    async def show_batch(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        batch_id: str, principal: Annotated[Principal, Depends(who)]
    ) -> dict[str, object]:
        batch = await in_thread(service.batch, BatchId(batch_id), principal.project_id)
        return views.openai_batch(batch, service.waits_until_ns(batch))

    @router.post("/{batch_id}/cancel")
    async def cancel_batch(  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        batch_id: str, principal: Annotated[Principal, Depends(who)]
    ) -> dict[str, object]:
        batch = await in_thread(service.cancel_batch, BatchId(batch_id), principal)
        return views.openai_batch(batch, service.waits_until_ns(batch))

    return router


def _check_purpose(purpose: str) -> None:
    if purpose != "batch":
        raise BadRequest(
            "purpose: Sternpost only stores files with the purpose 'batch'; send others to the"
            " provider, e.g. POST /v1/providers/openai/files",
            param="purpose",
        )


def _expiry_s(fields: dict[str, str]) -> int | None:
    """Read `expires_after`. Raises: BadRequest."""
    text = fields.get("expires_after[seconds]")
    if text is None:
        return None
    anchor = fields.get("expires_after[anchor]", "created_at")
    if anchor != "created_at" or not text.isdecimal() or not _MIN_EXPIRY_S <= int(text) <= _MAX_EXPIRY_S:
        raise BadRequest(
            f"expires_after: the anchor must be 'created_at', seconds {_MIN_EXPIRY_S} to {_MAX_EXPIRY_S}",
            param="expires_after",
        )
    return int(text)
