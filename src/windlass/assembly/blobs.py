"""Chooses where media of traces are kept: files in the data folder."""

from windlass.backends.blobs.folder import FolderBlobs
from windlass.base.settings import Settings
from windlass.contracts.blobs import BlobStore

_FOLDER = "blobs"


def open_blobs(settings: Settings) -> BlobStore:
    """Make the store; nothing is written before the first blob."""
    return FolderBlobs(settings.home / _FOLDER)
