"""The folder of journal records that can't be stored, each with the reason beside it; not who decides."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from sternpost.base.errors import StoreUnavailable
from sternpost.base.files import make_folder, sync_folder, write_file
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
            make_folder(self.folder)
            write_file(self.folder / f"{name}.txt", f"{reason}\n".encode())
            write_file(path, payload)  # it may hold prompts: for the owner alone
        except OSError as error:
            raise StoreUnavailable(
                f"a record that can't be stored can't be set aside in {str(self.folder)!r}: {error.strerror}"
            ) from error
        logger.error("a journal record was set aside in %s: %s", path, reason)
        return True

    def count(self) -> int:
        return count_set_aside(self.folder)

    def rewrite(self, changed: Callable[[bytes], bytes | None]) -> int:
        """Replace each record by what `changed` makes of it, None for none; return how many it changed.

        Raises: OSError.
        """
        count = 0
        for path in sorted(self.folder.glob(f"*{RECORD_SUFFIX}")):
            before = path.read_bytes()
            after = changed(before)
            if after == before:
                continue
            count += 1
            if after is not None:
                write_file(path, after)
                continue
            path.unlink()
            path.with_suffix(".txt").unlink(missing_ok=True)
        if count:
            sync_folder(self.folder)
        return count


def count_set_aside(folder: Path) -> int:
    """Count the records that are set aside now."""
    try:
        with os.scandir(folder) as entries:
            return sum(entry.name.endswith(RECORD_SUFFIX) for entry in entries)
    except OSError:  # nothing was ever set aside
        return 0
