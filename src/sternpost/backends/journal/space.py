"""Whether the journal may grow: free space on the disk and bytes that wait to be drained; no writing."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sternpost.backends.journal.cursor import pending_bytes

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """Sizes and times of one writer; queue limits are what a slow disk may hold in memory."""

    segment_bytes: int = 32_000_000
    max_bytes: int = 20_000_000_000
    min_free_bytes: int = 200_000_000
    queue_bytes: int = 128_000_000
    queue_records: int = 50_000
    sync_delay_s: float = 0.05


def free_bytes(folder: Path) -> int:
    """Return what an unprivileged process may still write on the folder's disk."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class SpaceWatch:
    """Looks at the disk when asked, and answers in between from memory."""

    def __init__(self, root: Path, limits: JournalLimits, free: Callable[[Path], int]) -> None:
        self._root = root
        self._limits = limits
        self._free = free
        self.pending_bytes = 0

    def look(self) -> str:
        """Return why the journal may not grow, "" when it may."""
        try:
            self.pending_bytes = pending_bytes(self._root)
            free = self._free(self._root)
        except OSError as error:
            return f"the journal's folder can't be read ({error.strerror})"
        if free < self._limits.min_free_bytes:
            return (
                f"the disk has {free // _MB} MB free and the journal keeps "
                f"{self._limits.min_free_bytes // _MB} MB: free some space"
            )
        if self.pending_bytes > self._limits.max_bytes:
            return (
                f"{self.pending_bytes // _MB} MB are waiting to be drained, more than the journal's "
                f"{self._limits.max_bytes // _MB} MB: check that the worker and the engine are running"
            )
        return ""
