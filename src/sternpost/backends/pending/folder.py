"""Pending work as one small file each in a folder of the data folder; what they hold is not read here."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from sternpost.base.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)
_FRESH = ".new"


class PendingFolder:
    """Each piece is on disk when `keep` returns; implements `gateway.background.Pending`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, content: bytes) -> None:
        path = self._path(name)
        fresh = path.with_name(path.name + _FRESH)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise StoreUnavailable(
                f"can't keep pending work in {str(self._folder)!r}: {error.strerror}"
            ) from error

    def drop(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def all(self) -> Sequence[tuple[str, bytes]]:
        if not self._folder.is_dir():
            return ()
        paths = [path for path in sorted(self._folder.iterdir()) if path.suffix != _FRESH]
        return tuple((unquote(path.name), path.read_bytes()) for path in paths)

    def _path(self, name: str) -> Path:
        return self._folder / quote(name, safe="")
