"""The files of one writer: its locked folder and its current segment, repaired after a failed write.

No threads and no policy.
"""

import fcntl
import os
import time
from pathlib import Path

from sternpost.backends.journal.frames import MAGIC
from sternpost.backends.journal.layout import LOCK_NAME, segment_path
from sternpost.backends.journal.syncer import Segment
from sternpost.base.files import make_folder

_PROBE = bytes(256_000)


class SegmentFiles:
    """Makes folder and segments when they are first written, so that an idle start leaves no files."""

    def __init__(self, root: Path, segment_bytes: int) -> None:
        self._root = root
        self._segment_bytes = segment_bytes
        # Sorts by time of start; the pid tells apart two that start within the same nanosecond.
        self.folder = root / f"w-{time.time_ns():019d}-{os.getpid()}"
        self._lock = -1
        self._number = 0
        self._current: Segment | None = None

    def current(self) -> Segment:
        """Return the segment to write to. Raises: OSError."""
        if self._current is None:
            if self._lock < 0:
                self._lock = _make_locked_folder(self.folder)
            self._number += 1
            self._current = _open_segment(self.folder, self._number)
        return self._current

    def write(self, frames: bytes) -> Segment:
        """Append whole records. Raises: OSError, after taking back what was written of them."""
        segment = self.current()
        view = memoryview(frames)
        try:
            while view:
                view = view[os.write(segment.handle, view) :]
        except OSError:
            os.ftruncate(segment.handle, segment.size)
            raise
        segment.size += len(frames)
        return segment

    def give_up(self, *, only_if_full: bool = False) -> Segment | None:
        """Let go of the current segment: the next write begins a new one. The caller closes its file."""
        segment = self._current
        if segment is None or (only_if_full and segment.size < self._segment_bytes):
            return None
        self._current = None
        return segment

    def probe(self) -> None:
        """Write and take back some bytes. Raises: OSError while the disk takes none."""
        segment = self.current()
        try:
            os.write(segment.handle, _PROBE)
        finally:
            os.ftruncate(segment.handle, segment.size)

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _make_locked_folder(folder: Path) -> int:
    """Make the folder with its lock already held, so that no reader takes a new writer for a dead one."""
    fresh = folder.with_name(f"new-{folder.name}")
    make_folder(fresh)
    lock = os.open(fresh / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fresh.rename(folder)
    except OSError:
        os.close(lock)
        raise
    return lock


def _open_segment(folder: Path, number: int) -> Segment:
    path = segment_path(folder, number)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        if os.write(handle, MAGIC) != len(MAGIC):
            raise OSError(28, "No space left on device")
    except OSError:
        os.close(handle)
        path.unlink()
        raise
    return Segment(number, folder, handle, len(MAGIC))
