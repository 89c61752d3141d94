"""How far the reader has come, kept in one small file; not the reading itself."""

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sternpost.backends.journal.layout import CURSOR_NAME, segment_sizes, writer_names
from sternpost.base.files import write_file

logger = logging.getLogger(__name__)


class Mark(msgspec.Struct, frozen=True, order=True):
    """A place in one writer's segments; everything before it is done."""

    segment: int = 0
    offset: int = 0


class _CursorFile(msgspec.Struct, frozen=True):
    writers: dict[str, Mark]


def load_cursor(root: Path) -> dict[str, Mark]:
    """Read the marks, {} when there are none or the file can't be read (records are then read again)."""
    try:
        return msgspec.json.decode((root / CURSOR_NAME).read_bytes(), type=_CursorFile).writers
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError:
        logger.exception("the journal's cursor can't be read: what is still there is read again")
        return {}


def save_cursor(root: Path, marks: Mapping[str, Mark]) -> None:
    """Replace the file atomically and durably."""
    write_file(root / CURSOR_NAME, msgspec.json.encode(_CursorFile(dict(marks))))


def pending_bytes(root: Path) -> int:
    """Count the bytes on disk that the cursor has not passed."""
    marks = load_cursor(root)
    total = 0
    for name in writer_names(root):
        mark = marks.get(name, Mark())
        for number, size in segment_sizes(root / name).items():
            if number >= mark.segment:
                total += size - (min(size, mark.offset) if number == mark.segment else 0)
    return total
