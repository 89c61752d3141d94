"""The folder of journal records that can't be stored, each with the reason beside it; not who decides."""

import logging
import os
from pathlib import Path

from sternpost.base.errors import StoreUnavailable
from sternpost.contracts.journal import Position

logger = logging.getLogger(__name__)

FOLDER_NAME = "set-aside"
RECORD_SUFFIX = ".msgpack"


class SetAside:
    """Files of what neither may block the journal nor be lost."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, position: Position, payload: bytes, reason: str) -> bool:
        """Keep a record, durably; False when it has been kept before.

        Raises: StoreUnavailable when the folder can't be written: the record then stays in the journal.
        """
        name = f"{position.writer}-{position.segment}-{position.offset}"
        path = self.folder / f"{name}{RECORD_SUFFIX}"
        if path.exists():
            return False
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self.folder / f"{name}.txt", f"{reason}\n".encode())
            _write(path, payload)
            _sync_folder(self.folder)
            _sync_folder(self.folder.parent)
        except OSError as error:
            raise StoreUnavailable(
                f"a record that can't be stored can't be set aside in {str(self.folder)!r}: {error.strerror}"
            ) from error
        logger.error("a journal record was set aside in %s: %s", path, reason)
        return True

    def count(self) -> int:
        return count_set_aside(self.folder)


def count_set_aside(folder: Path) -> int:
    """Count the records that are set aside now."""
    try:
        with os.scandir(folder) as entries:
            return sum(entry.name.endswith(RECORD_SUFFIX) for entry in entries)
    except OSError:  # nothing was ever set aside
        return 0


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(f"{path.suffix}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it may hold prompts
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
