"""What files and media take of the disk, for `/metrics` and the doctor; it refuses nothing itself."""

from dataclasses import dataclass
from pathlib import Path

from sternpost.backends.blobs.room import folder_bytes, free_bytes, read_use
from sternpost.base.settings import Settings

_FILES, _MEDIA = "files", "blobs"


@dataclass(frozen=True, slots=True)
class StorageState:
    """Bytes. `floor_bytes`: with less free space than this, files and media are refused."""

    free_bytes: int
    floor_bytes: int
    files_bytes: int
    media_bytes: int  # as the worker counted them; 0 until it keeps some
    media_refused: int  # kept by hash alone since the worker started

    @property
    def has_room(self) -> bool:
        return self.free_bytes >= self.floor_bytes


def storage_floor(settings: Settings) -> int:
    return max(settings.storage_min_free_bytes, settings.journal_min_free_bytes)


def look_at_storage(settings: Settings) -> StorageState:
    """Look at the disk; blocking, a few milliseconds."""
    home: Path = settings.home
    media = read_use(home / _MEDIA)
    return StorageState(
        free_bytes=free_bytes(home),
        floor_bytes=storage_floor(settings),
        files_bytes=folder_bytes(home / _FILES),
        media_bytes=media.size_bytes,
        media_refused=media.refused,
    )
