"""Chooses where media of traces are kept: files in the data folder."""

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.backends.blobs.room import MediaRoom
from sternpost.base.settings import Settings
from sternpost.contracts.blobs import BlobStore

_FOLDER = "blobs"


def open_blobs(settings: Settings, *, counts: bool = False) -> BlobStore:
    """Make the store; nothing is written before the first blob.

    counts: whether projects are held to their share; the one process that keeps media of traces does.
    """
    root = settings.home / _FOLDER
    room = MediaRoom(
        root,
        min_free_bytes=settings.storage_min_free_bytes,
        project_bytes=settings.project_media_bytes if counts else 0,
    )
    return FolderBlobs(root, room)
