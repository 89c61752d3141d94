"""The HTTP face of media under `/api/blobs`; which bytes may be shown how is decided by `rules`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response
from starlette.requests import Request
from starlette.responses import StreamingResponse

from sternpost.api.asking import Asker
from sternpost.api.services import the
from sternpost.capabilities.traces.media.rules import (
    THUMBNAIL_EDGES,
    media_headers,
    read_byte_range,
    thumbnail_headers,
)
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.contracts.blobs import StoredBlob

Service = Annotated[TraceMedia, Depends(the(TraceMedia))]

_BINARY: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The bytes.", "content": {"application/octet-stream": {}}},
    206: {"description": "The bytes of the range."},
    304: {"description": "The client has them already."},
    416: {"description": "The range is beyond the end."},
}
_THUMBNAIL_HELP: Final = (
    f"The longer side of a thumbnail in pixels: {', '.join(map(str, THUMBNAIL_EDGES))}."
    " For what can't be rendered the answer is a placeholder icon and `x-sternpost-thumbnail: placeholder`."
)

router = APIRouter(prefix="/api", tags=["traces"])


@router.get(
    "/blobs/{hash}",
    response_class=Response,
    responses=_BINARY,
    summary="Read an image, audio or document of a trace",
)
async def get_blob(
    hash: str,  # noqa: A002  # the name in the path
    request: Request,
    asker: Asker,
    media: Service,
    *,
    thumbnail: int | None = Query(None, description=_THUMBNAIL_HELP),
) -> Response:
    blob = await media.find(asker.project_id, hash)
    if thumbnail is None:
        return _bytes_of(media, blob, request)
    drawn = await media.thumbnail(blob, thumbnail)
    headers = thumbnail_headers(blob, thumbnail, is_placeholder=drawn.is_placeholder)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(drawn.content, headers=headers, media_type=drawn.mime_type)


def _bytes_of(media: TraceMedia, blob: StoredBlob, request: Request) -> Response:
    headers = media_headers(blob)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    size = blob.size_bytes
    part = read_byte_range(request.headers.get("range", ""), size)
    if part is None:
        headers["content-length"] = str(size)
        return StreamingResponse(media.read(blob, 0, size), headers=headers)
    if part.length == 0:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    headers["content-length"] = str(part.length)
    headers["content-range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    return StreamingResponse(media.read(blob, part.start, part.length), 206, headers)
