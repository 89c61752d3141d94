"""Where the journal's files are and how their names sort; not what is in them."""

import fcntl
import os
from pathlib import Path

SEGMENT_SUFFIX = ".wlj"
LOCK_NAME = "lock"
CURSOR_NAME = "cursor.json"
READER_LOCK_NAME = "reader.lock"
BAD_FOLDER = "bad"


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}{SEGMENT_SUFFIX}"


def segment_sizes(folder: Path) -> dict[int, int]:
    """Return the size of each segment by number, ascending; {} when the folder has gone."""
    try:
        with os.scandir(folder) as entries:
            sizes = {
                int(entry.name.removesuffix(SEGMENT_SUFFIX)): entry.stat().st_size
                for entry in entries
                if entry.name.endswith(SEGMENT_SUFFIX)
            }
    except FileNotFoundError:  # the reader may delete while a writer counts; the next count is right
        return {}
    return dict(sorted(sizes.items()))


def writer_names(root: Path) -> list[str]:
    """Return the folders of writers, oldest first."""
    try:
        with os.scandir(root) as entries:
            return sorted(e.name for e in entries if e.name.startswith("w-") and e.is_dir())
    except FileNotFoundError:
        return []


def is_writer_alive(folder: Path) -> bool:
    """Say whether a process holds the folder's lock; the system frees it when the process ends."""
    try:
        handle = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
