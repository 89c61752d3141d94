"""What one can do with the media of traces: read them and see them small; HTTP is in `routes`."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sternpost.base.errors import BadRequest, NotFound, StoreError
from sternpost.base.ids import ContentHash, ProjectId
from sternpost.base.threads import BLOBS
from sternpost.capabilities.traces.media.rules import THUMBNAIL_EDGES, thumbnail_hash
from sternpost.capabilities.traces.media.thumbnails import (
    MAX_BYTES,
    MIME_TYPE,
    PLACEHOLDER_TYPE,
    Thumbnails,
    draw_placeholder,
)
from sternpost.contracts.blobs import Blob, BlobStore, StoredBlob

_PIECE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """`is_placeholder`: the blob is not an image that can be rendered."""

    content: bytes
    mime_type: str
    is_placeholder: bool = False


class TraceMedia:
    """Verbs on the blobs of one project at a time."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._thumbnails = Thumbnails()

    async def find(self, project_id: ProjectId, hash_: str) -> StoredBlob:
        """Raises: NotFound, also for a blob of another project; StoreUnavailable."""
        return await BLOBS.run(self._blobs.find, project_id, ContentHash(hash_))

    async def read(self, blob: StoredBlob, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield bytes in pieces, so that a large blob is never in memory as a whole."""
        end = start + length
        while start < end:
            wanted = min(_PIECE_BYTES, end - start)
            piece = await BLOBS.run(self._blobs.read, blob.project_id, blob.hash, start, wanted)
            if not piece:
                return
            yield piece
            start += len(piece)

    async def thumbnail(self, blob: StoredBlob, edge: int) -> Thumbnail:
        """Return a thumbnail, rendered once and then stored as a blob beside the image.

        It is deleted with the image, or before, and then rendered again on demand.
        Raises: BadRequest for an edge that isn't one of THUMBNAIL_EDGES; StoreUnavailable.
        """
        if edge not in THUMBNAIL_EDGES:
            raise BadRequest(f"thumbnail is one of {', '.join(map(str, THUMBNAIL_EDGES))}", param="thumbnail")
        placeholder = Thumbnail(draw_placeholder(edge), PLACEHOLDER_TYPE, is_placeholder=True)
        if not blob.mime_type.startswith("image/") or blob.size_bytes > MAX_BYTES:
            return placeholder
        hash_ = thumbnail_hash(blob.project_id, blob.hash, edge)
        with suppress(NotFound):
            return Thumbnail(await BLOBS.run(self._blobs.read, blob.project_id, hash_), MIME_TYPE)
        drawn = await self._thumbnails.draw(
            lambda: BLOBS.run(self._blobs.read, blob.project_id, blob.hash), edge
        )
        if drawn is None:
            return placeholder
        with suppress(StoreError):  # a full disk: it is drawn again next time
            await BLOBS.run(self._blobs.put, Blob(blob.project_id, hash_, MIME_TYPE, drawn))
        return Thumbnail(drawn, MIME_TYPE)
