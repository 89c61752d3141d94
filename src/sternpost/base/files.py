"""Files that are complete or absent, and on disk when that was promised; not what is in them."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".new"  # ends the name of a file that is being written


def write_file(path: Path, content: bytes, *, partial: Path | None = None, like: Path | None = None) -> None:
    """Replace `path` by `content`, for the owner alone; it is on the disk when this returns.

    A reader meanwhile sees the old file or the new one. Two writers of one path at a time need a
    `partial` each, the file beside it that is written first. like: a file whose mode and owner it gets.
    Raises: OSError, with nothing changed.
    """
    partial = partial or path.with_name(path.name + PARTIAL)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if like is not None:
                _make_like(handle, like)
            file.write(content)
            put_in_place(file, partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _make_like(handle: int, like: Path) -> None:
    found, own = like.stat(), os.fstat(handle)
    if (found.st_uid, found.st_gid) != (own.st_uid, own.st_gid):
        with suppress(PermissionError):  # only root may give files away; the mode is kept all the same
            os.fchown(handle, found.st_uid, found.st_gid)
    os.fchmod(handle, stat.S_IMODE(found.st_mode))


def put_in_place(file: BinaryIO, partial: Path, path: Path) -> None:
    """Give a file that was written as `partial` its name, content first. Raises: OSError."""
    file.flush()
    os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder for the owner alone and those above it, each on the disk in the one that holds it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk: of files that were made, renamed or deleted there."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
