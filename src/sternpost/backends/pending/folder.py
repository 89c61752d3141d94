"""Pending work as one small file each in a folder of the data folder; what they hold is not read here."""

import logging
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from sternpost.base.errors import StoreUnavailable
from sternpost.base.files import PARTIAL, make_folder, write_file

_LOG = logging.getLogger(__name__)


class PendingFolder:
    """Each piece is on disk when `keep` returns; implements `gateway.stored_responses.background.Pending`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, content: bytes) -> None:
        path = self._path(name)
        try:
            make_folder(self._folder)
            write_file(path, content)
        except OSError as error:
            raise StoreUnavailable(
                f"can't keep pending work in {str(self._folder)!r}: {error.strerror}"
            ) from error

    def drop(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def all(self) -> Sequence[tuple[str, bytes]]:
        if not self._folder.is_dir():
            return ()
        paths = [path for path in sorted(self._folder.iterdir()) if path.suffix != PARTIAL]
        return tuple((unquote(path.name), path.read_bytes()) for path in paths)

    def _path(self, name: str) -> Path:
        return self._folder / quote(name, safe="")
