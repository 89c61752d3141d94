"""The file where spans wait while the server is away; not when they are sent."""

import hashlib
import logging
import os
import struct
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no advisory locks: a file of a dead process is not adopted there
    fcntl = None

_LOGGER = logging.getLogger(__name__)
_LENGTH = struct.Struct("<I")
MAX_BYTES = 256_000_000


def destination_mark(base_url: str, api_key: str) -> str:
    """Return what the files for one server and key begin with; neither can be read back from it."""
    return hashlib.sha256(f"{base_url}\n{api_key}".encode()).hexdigest()[:12]


class Spill:
    """Batches appended to one file, each behind its length. Used by one thread."""

    def __init__(self, folder: Path, mark: str, name: str, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._mark = mark
        self._path = folder / f"{mark}-{name}.spans"
        self._max_bytes = max_bytes
        self._descriptor: int | None = None

    @property
    def path(self) -> Path:
        return self._path

    @property
    def is_empty(self) -> bool:
        return self._descriptor is None or os.fstat(self._descriptor).st_size == 0

    def keep(self, batch: bytes) -> bool:
        """Append a batch; False when the file is full or can't be written."""
        try:
            descriptor = self._open()
            size = os.fstat(descriptor).st_size
            if size + len(batch) > self._max_bytes:
                return False
            frame = _LENGTH.pack(len(batch)) + batch
            if os.write(descriptor, frame) < len(
                frame
            ):  # a disk that fills up takes a part, without an error
                os.ftruncate(descriptor, size)
                return False
        except OSError:
            _LOGGER.debug("can't write %s", self._path, exc_info=True)
            return False
        return True

    def batches(self) -> Iterator[bytes]:
        """Yield the batches kept so far, oldest first; a torn last one is left out."""
        if self._descriptor is None:
            return
        yield from _read_batches(self._path)

    def clear(self) -> None:
        """Forget what was kept, and remove the file."""
        if self._descriptor is None:
            return
        self.release()
        self._path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the file, so that another process may adopt it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def adopt(self) -> int:
        """Take over what processes that ended left for the same server; return how many batches."""
        if fcntl is None or not self._folder.is_dir():
            return 0
        return sum(self._adopt_one(path) for path in sorted(self._folder.glob(f"{self._mark}-*.spans")))

    def _adopt_one(self, path: Path) -> int:
        if path == self._path or fcntl is None:
            return 0
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                batches = list(_read_batches(path))
                if not all(self.keep(batch) for batch in batches):
                    return 0
                path.unlink()
        except OSError:  # its owner lives, or another process was faster
            _LOGGER.debug("%s is not adopted", path, exc_info=True)
            return 0
        return len(batches)

    def _open(self) -> int:
        if self._descriptor is None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # spans hold prompts
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)  # Windows
            self._descriptor = os.open(self._path, flags, 0o600)
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self._descriptor


def _read_batches(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            (size,) = _LENGTH.unpack(head)
            batch = file.read(size)
            if len(batch) < size:
                return
            yield batch
