"""`/v1/files` and `/v1/batches` as OpenAI's SDKs call them; errors become OpenAI's in the server."""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from sternpost.api.asking import Asker
from sternpost.api.services import the
from sternpost.base.errors import BadRequest
from sternpost.base.threads import UPLOADS, in_thread
from sternpost.capabilities.batches import views
from sternpost.capabilities.batches.files.quotas import OpenUpload
from sternpost.capabilities.batches.files.upload import is_too_long, read_upload, too_large
from sternpost.capabilities.batches.records import BatchId, FileId, FilePurpose, StoredFile
from sternpost.capabilities.batches.service import BatchService, blocks_of
from sternpost.contracts.call import Principal

Service = Annotated[BatchService, Depends(the(BatchService))]
_MAX_EXPIRY_S = 2_592_000
_MIN_EXPIRY_S = 3600


@dataclass(frozen=True, slots=True)
class NewBatch:
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None


files = APIRouter(prefix="/v1/files")
batches = APIRouter(prefix="/v1/batches")


@files.post("")
async def upload_file(request: Request, principal: Asker, service: Service) -> dict[str, object]:
    if is_too_long(request.headers.get("content-length", ""), service.max_file_bytes):
        raise too_large(service.max_file_bytes)
    use = await in_thread(service.file_use, principal)
    with service.uploads.begin(principal.project_id, principal.key_id, use) as share:
        return views.openai_file(await _take(request, principal, service, share))


async def _take(
    request: Request, principal: Principal, service: BatchService, share: OpenUpload
) -> StoredFile:
    content_type = request.headers.get("content-type", "")
    upload = await read_upload(content_type, request.stream(), service.bodies, service.max_file_bytes, share)
    try:
        _check_purpose(upload.fields.get("purpose", ""))
        expires_s = _expiry_s(upload.fields)
        return await UPLOADS.run(
            service.keep_file, principal, upload.body, upload.filename, expires_after_s=expires_s
        )
    finally:
        await UPLOADS.run(upload.body.drop)


@files.get("")
async def list_files(
    principal: Asker,
    service: Service,
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


@files.get("/{file_id}")
async def show_file(file_id: str, principal: Asker, service: Service) -> dict[str, object]:
    return views.openai_file(await in_thread(service.file, FileId(file_id), principal.project_id))


@files.delete("/{file_id}")
async def delete_file(file_id: str, principal: Asker, service: Service) -> dict[str, object]:
    await in_thread(service.delete_file, FileId(file_id), principal.project_id)
    return {"id": file_id, "object": "file", "deleted": True}


@files.get("/{file_id}/content")
async def read_file(file_id: str, principal: Asker, service: Service) -> StreamingResponse:
    file, body = await in_thread(service.open_file, FileId(file_id), principal.project_id)
    headers = {
        "content-length": str(file.size_bytes),
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
    }
    return StreamingResponse(blocks_of(body), 200, headers, "application/octet-stream")


@batches.post("")
async def create_batch(new: NewBatch, principal: Asker, service: Service) -> dict[str, object]:
    batch = await in_thread(
        service.create_batch,
        principal,
        endpoint=new.endpoint,
        window=new.completion_window,
        file_id=new.input_file_id,
        metadata=new.metadata or {},
    )
    return views.openai_batch(batch, service.waits_until_ns(batch))


@batches.get("")
async def list_batches(
    principal: Asker,
    service: Service,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: str = "",
) -> dict[str, object]:
    page = await in_thread(service.list_batches, principal.project_id, after=after, limit=limit)
    shown = [views.openai_batch(one, service.waits_until_ns(one)) for one in page.items]
    return views.openai_list(shown, has_more=page.has_more)


@batches.get("/{batch_id}")
async def show_batch(batch_id: str, principal: Asker, service: Service) -> dict[str, object]:
    batch = await in_thread(service.batch, BatchId(batch_id), principal.project_id)
    return views.openai_batch(batch, service.waits_until_ns(batch))


@batches.post("/{batch_id}/cancel")
async def cancel_batch(batch_id: str, principal: Asker, service: Service) -> dict[str, object]:
    batch = await in_thread(service.cancel_batch, BatchId(batch_id), principal)
    return views.openai_batch(batch, service.waits_until_ns(batch))


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
