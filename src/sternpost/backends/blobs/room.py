"""How much room media may take: a project's share, and what the disk keeps free for records; stores nothing.

What projects use is counted from the files once an hour and carried on in between. It is written to a small
file beside them, so that other processes can show it.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from sternpost.base.errors import StorageFull
from sternpost.base.ids import ProjectId

logger = logging.getLogger(__name__)

_USAGE_NAME: Final = "usage.json"
_COUNT_EVERY_S: Final = 3600.0
_WRITE_EVERY_S: Final = 10.0
_MB: Final = 1_000_000


def free_bytes(folder: Path) -> int:
    """Return what may still be written on the disk of a folder that may not be there yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@dataclass(slots=True)
class _Use:
    size_bytes: int
    counted_s: float


class MediaRoom:
    """`project_bytes`: the share of one project, 0: any; `min_free_bytes`: what the disk keeps free."""

    def __init__(
        self,
        root: Path,
        *,
        min_free_bytes: int = 0,
        project_bytes: int = 0,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._root = root
        self._min_free_bytes = min_free_bytes
        self._project_bytes = project_bytes
        self._free = free
        self._uses: dict[ProjectId, _Use] = {}
        self._refused = 0
        self._next_write_s = 0.0

    def check(self, project_id: ProjectId, size_bytes: int) -> None:
        """Raises: StorageFull, saying which of the two is full."""
        if self._min_free_bytes and self._free(self._root) < self._min_free_bytes + size_bytes:
            self._refuse(
                "the disk is nearly full, and the rest is reserved for records;"
                " free some space in the data folder"
            )
        if self._project_bytes and self._use(project_id).size_bytes + size_bytes > self._project_bytes:
            self._refuse(
                f"the project's media have reached {self._project_bytes // _MB} MB"
                " (STERNPOST_PROJECT_MEDIA_BYTES); they are deleted with their traces"
            )

    def change(self, project_id: ProjectId, size_bytes: int) -> None:
        """Count what came (or went: below 0)."""
        if self._project_bytes and (use := self._uses.get(project_id)) is not None:
            use.size_bytes = max(use.size_bytes + size_bytes, 0)
            self._tell()

    def _refuse(self, reason: str) -> None:
        self._refused += 1
        self._tell()
        raise StorageFull(reason)

    def _use(self, project_id: ProjectId) -> _Use:
        use, now_s = self._uses.get(project_id), time.monotonic()
        if use is None or now_s - use.counted_s > _COUNT_EVERY_S:
            use = self._uses[project_id] = _Use(folder_bytes(self._root / project_id), now_s)
        return use

    def _tell(self) -> None:
        if time.monotonic() < self._next_write_s or not self._root.is_dir():
            return
        self._next_write_s = time.monotonic() + _WRITE_EVERY_S
        projects = {name: use.size_bytes for name, use in self._uses.items()}
        fresh = self._root / f".{_USAGE_NAME}-{os.getpid()}"
        try:
            fresh.write_text(json.dumps({"projects": projects, "refused": self._refused}))
            fresh.replace(self._root / _USAGE_NAME)
        except OSError as error:  # a full disk: it is a view for people, and comes with the next change
            logger.debug("the usage of media can't be stored: %s", error.strerror)


@dataclass(frozen=True, slots=True)
class MediaUse:
    """What the worker wrote of the media: bytes of all projects, and blobs without room since its start."""

    size_bytes: int = 0
    refused: int = 0


def read_use(root: Path) -> MediaUse:
    try:
        told = cast("dict[str, object]", json.loads((root / _USAGE_NAME).read_text()))
        projects = cast("dict[str, int]", told["projects"])
        return MediaUse(sum(projects.values()), int(str(told["refused"])))
    except (OSError, ValueError, KeyError, AttributeError):
        return MediaUse()


def folder_bytes(folder: Path) -> int:
    """Add up the files in a folder and those below it; what comes or goes meanwhile may be missed."""
    total = 0
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return 0
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                total += folder_bytes(Path(entry.path))
            else:
                total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total
