"""Bytes kept by hash apart from rows, such as media of traces; the engines are in `backends/blobs`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sternpost.base.ids import ContentHash, ProjectId


@dataclass(frozen=True, slots=True)
class Blob:
    project_id: ProjectId
    hash: ContentHash  # of `content`, keyed per project
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What is known of a blob without reading it. `last_put_ns` is when it was put for the last time."""

    project_id: ProjectId
    hash: ContentHash
    mime_type: str
    size_bytes: int
    last_put_ns: int


class BlobStore(Protocol):
    """Blocking; call it through `base.threads`. Safe for many threads at once."""

    def put(self, blob: Blob) -> None:
        """Keep a blob; it is on disk when this returns. One that is there is only marked as put again.

        Raises: StorageFull when there is no room for it, which the next one may find; StoreUnavailable, and
        the call may be repeated. Nothing is kept then.
        """
        ...

    def find(self, project_id: ProjectId, hash_: ContentHash) -> StoredBlob:
        """Raises: NotFound, for a malformed hash too; StoreUnavailable."""
        ...

    def read(
        self, project_id: ProjectId, hash_: ContentHash, start: int = 0, length: int | None = None
    ) -> bytes:
        """Return the bytes from `start`, at most `length`. Raises: NotFound, StoreUnavailable."""
        ...

    def delete(self, project_id: ProjectId, hash_: ContentHash, *, put_before_ns: int | None = None) -> bool:
        """Delete a blob, with `put_before_ns` only if nobody put it since then; say whether one went."""
        ...

    def walk(self, project_id: ProjectId | None = None) -> Iterator[StoredBlob]:
        """List the blobs of one project, or of all; what comes or goes meanwhile may be missed."""
        ...

    def tidy(self, before_ns: int) -> int:
        """Delete what crashes before that time left half written; say how many."""
        ...
