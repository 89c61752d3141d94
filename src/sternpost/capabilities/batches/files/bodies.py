"""The bytes of files in one folder, whole or not there at all; which files there are is in the tables."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from sternpost.base.errors import NotFound, StorageFull, StoreUnavailable
from sternpost.base.files import make_folder, put_in_place
from sternpost.capabilities.batches.records import FileId

_BLOCK = 1_000_000
_LOOK_BYTES = 16_000_000  # between two looks at the free space
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_ORPHAN_S = 86_400.0


class OpenBody(Protocol):
    """A file that is being written; it is nowhere to be seen until `keep`."""

    @property
    def size_bytes(self) -> int: ...

    def write(self, block: bytes) -> None:
        """Raises: StorageFull."""
        ...

    def keep(self, file_id: FileId) -> None:
        """Make it durable under its id, instead of what was there. Raises: StorageFull."""
        ...

    def drop(self) -> None:
        """Forget it, unless it was kept."""
        ...


class FileBodies(Protocol):
    """Blocking; call it through `base.threads`."""

    def begin(self) -> OpenBody:
        """Raises: StorageFull."""
        ...

    def open(self, file_id: FileId) -> BinaryIO:
        """Raises: NotFound."""
        ...

    def remove(self, file_id: FileId) -> None: ...

    def old(self) -> Iterator[FileId]:
        """Return what has been here for a day or longer."""
        ...


class FolderBodies:
    """`FileBodies` in a folder. `min_free_bytes`: what it leaves to the journal."""

    def __init__(
        self,
        folder: Path,
        *,
        min_free_bytes: int = 0,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._free = free

    def begin(self) -> "FolderBody":
        try:
            make_folder(self._folder)
        except OSError as error:
            raise _as_ours(error) from error
        return FolderBody(self._folder, self._check_space)

    def open(self, file_id: FileId) -> BinaryIO:
        try:
            return self._path(file_id).open("rb")
        except FileNotFoundError:
            raise NotFound(f"the content of the file {file_id!r} is gone") from None

    def remove(self, file_id: FileId) -> None:
        self._path(file_id).unlink(missing_ok=True)

    def old(self) -> Iterator[FileId]:
        """Return kept files; unfinished ones that a crash left are removed on the way."""
        now_s = time.time()
        for path in sorted(self._folder.glob("*")):
            if now_s - path.stat().st_mtime < _ORPHAN_S:
                continue
            if path.suffix == ".part":
                path.unlink(missing_ok=True)
            else:
                yield FileId(path.name)

    def _check_space(self) -> None:
        if self._free(self._folder) < self._min_free_bytes:
            raise StorageFull(
                "the disk is nearly full, and the rest is reserved for records; delete files, or make room in"
                " the data folder"
            )

    def _path(self, file_id: FileId) -> Path:
        if not file_id.replace("_", "").replace("-", "").isalnum():  # ids of ours; never a path
            raise NotFound(f"there is no file {file_id!r}")
        return self._folder / file_id


class FolderBody:
    """An `OpenBody`: a file beside the others that is renamed when it is whole."""

    def __init__(self, folder: Path, check_space: Callable[[], None]) -> None:
        check_space()
        self._folder = folder
        self._check_space = check_space
        self._path = folder / f"{os.urandom(12).hex()}.part"
        self._file = self._path.open("xb", buffering=_BLOCK)
        self._path.chmod(0o600)
        self._looked_at = 0
        self.size_bytes = 0

    def write(self, block: bytes) -> None:
        self.size_bytes += len(block)
        if self.size_bytes - self._looked_at > _LOOK_BYTES:
            self._looked_at = self.size_bytes
            self._check_space()
        try:
            self._file.write(block)
        except OSError as error:
            raise _as_ours(error) from error

    def keep(self, file_id: FileId) -> None:
        try:
            put_in_place(self._file, self._path, self._folder / file_id)
            self._file.close()
        except OSError as error:
            raise _as_ours(error) from error

    def drop(self) -> None:
        with contextlib.suppress(OSError):  # the last block may not fit either; the file goes anyway
            self._file.close()
        self._path.unlink(missing_ok=True)


def _as_ours(error: OSError) -> StorageFull | StoreUnavailable:
    if error.errno in _FULL:
        return StorageFull("the disk is full; delete files, or free some space in the data folder")
    return StoreUnavailable(f"the folder of files can't be written ({error.strerror})")
