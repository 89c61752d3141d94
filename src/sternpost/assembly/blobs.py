"""Chooses where media of traces are kept: files in the data folder."""

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.base.settings import Settings
from sternpost.contracts.blobs import BlobStore

_FOLDER = "blobs"


def open_blobs(settings: Settings) -> BlobStore:
    """Make the store; nothing is written before the first blob."""
    return FolderBlobs(settings.home / _FOLDER)
