"""Blobs as files: `<project>/<first two digits>/<hash>`, each with its media type in front; no policy.

A file is written under a temporary name, synced and renamed, so that a blob is complete or absent.
Its time of change is when it was put for the last time.
"""

import errno
import os
import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sternpost.backends.blobs.frame import HEAD_BYTES, pack_head, read_head
from sternpost.backends.blobs.room import MediaRoom
from sternpost.base.errors import NotFound, StorageFull, StoreUnavailable
from sternpost.base.files import make_folder, write_file
from sternpost.base.ids import ContentHash, ProjectId
from sternpost.contracts.blobs import Blob, StoredBlob

_HASH = re.compile("[0-9a-f]{64}")
_PROJECT = re.compile("[A-Za-z0-9_-]{1,128}")
_HALF_WRITTEN = ".new-"
_SHARD_DIGITS = 2
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class FolderBlobs:
    """The folder is made when the first blob is put."""

    def __init__(self, root: Path, room: MediaRoom | None = None) -> None:
        """room: how much may be kept; None: whatever the disk takes."""
        self._root = root
        self._room = room or MediaRoom(root)
        self._lock = threading.Lock()  # between marking as put again and deleting what is old
        self._count = 0

    def put(self, blob: Blob) -> None:
        path = self._path(blob.project_id, blob.hash)
        try:
            with self._lock:
                if _touched(path):
                    return
                self._room.check(blob.project_id, len(blob.content))
                self._count += 1
                fresh = path.with_name(f"{_HALF_WRITTEN}{os.getpid()}-{self._count}-{blob.hash}")
            make_folder(path.parent)
            write_file(path, pack_head(blob.mime_type) + blob.content, partial=fresh)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull(
                    "the disk is full (No space left); free some space in the data folder"
                ) from error
            raise StoreUnavailable(
                f"the media of a trace can't be kept in {str(self._root)!r}: {error.strerror}"
            ) from error
        with self._lock:
            self._room.change(blob.project_id, len(blob.content) + HEAD_BYTES)

    def find(self, project_id: ProjectId, hash_: ContentHash) -> StoredBlob:
        with self._opened(project_id, hash_) as file:
            return _facts(file, project_id, hash_)

    def read(
        self, project_id: ProjectId, hash_: ContentHash, start: int = 0, length: int | None = None
    ) -> bytes:
        with self._opened(project_id, hash_) as file:
            file.seek(HEAD_BYTES + max(start, 0))
            return file.read(-1 if length is None else max(length, 0))

    def delete(self, project_id: ProjectId, hash_: ContentHash, *, put_before_ns: int | None = None) -> bool:
        path = self._path(project_id, hash_)
        try:
            with self._lock:
                if put_before_ns is not None and path.stat().st_mtime_ns >= put_before_ns:
                    return False
                size_bytes = path.stat().st_size
                path.unlink()
                self._room.change(project_id, -size_bytes)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreUnavailable(f"a blob can't be deleted: {error.strerror}") from error
        return True

    def walk(self, project_id: ProjectId | None = None) -> Iterator[StoredBlob]:
        folders = sorted(self._root.iterdir()) if self._root.is_dir() else []
        for folder in folders:
            if folder.is_dir() and project_id in (None, folder.name):
                yield from self._walk_project(ProjectId(folder.name), folder)

    def _walk_project(self, project_id: ProjectId, folder: Path) -> Iterator[StoredBlob]:
        names = (path.name for path in folder.glob("*/*"))
        for name in filter(_HASH.fullmatch, names):
            with suppress(NotFound):  # deleted meanwhile
                yield self.find(project_id, ContentHash(name))

    def tidy(self, before_ns: int) -> int:
        half_written = self._root.glob(f"*/*/{_HALF_WRITTEN}*")
        found = [one for one in half_written if one.stat().st_mtime_ns < before_ns]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    @contextmanager
    def _opened(self, project_id: ProjectId, hash_: ContentHash) -> Generator[BinaryIO]:
        try:
            with self._path(project_id, hash_).open("rb") as file:
                yield file
        except FileNotFoundError:
            raise NotFound(
                f"there is no blob {hash_[:64]!r} in this project: it was deleted, or did not fit in"
            ) from None
        except OSError as error:
            raise StoreUnavailable(f"a blob can't be read: {error.strerror}") from error

    def _path(self, project_id: ProjectId, hash_: ContentHash) -> Path:
        """Name the file of a blob. Raises: NotFound for anything that could lead out of the folder."""
        if not _HASH.fullmatch(hash_) or not _PROJECT.fullmatch(project_id):
            raise NotFound(f"{hash_[:80]!r} is not the hash of a blob: 64 hex digits")
        return self._root / project_id / hash_[:_SHARD_DIGITS] / hash_


def _facts(file: BinaryIO, project_id: ProjectId, hash_: ContentHash) -> StoredBlob:
    status = os.fstat(file.fileno())
    mime_type = read_head(file.read(HEAD_BYTES))
    return StoredBlob(project_id, hash_, mime_type, status.st_size - HEAD_BYTES, status.st_mtime_ns)


def _touched(path: Path) -> bool:
    """Mark a file as put again, durably; False when there is none."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        os.utime(handle)
        os.fsync(handle)
    finally:
        os.close(handle)
    return True
