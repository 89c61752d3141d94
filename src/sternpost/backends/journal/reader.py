"""The one reader of all writers' segments, with its durable cursor; not the meaning of the records."""

import fcntl
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from sternpost.backends.journal.cursor import Mark, load_cursor, save_cursor
from sternpost.backends.journal.layout import READER_LOCK_NAME, writer_names
from sternpost.backends.journal.writer_log import Losses, WriterLog
from sternpost.base.errors import AlreadyRunning
from sternpost.base.files import make_folder
from sternpost.contracts.journal import ReadRecord

logger = logging.getLogger(__name__)


class SegmentReader:
    """Reads below `root` from the cursor on. Raises: AlreadyRunning while another reader holds the folder."""

    def __init__(self, root: Path) -> None:
        make_folder(root)
        self._root = root
        self._lock = _lock_reading(root)
        self._marks = load_cursor(root)
        self._logs: dict[str, WriterLog] = {}
        self._turn = 0
        self._is_unsaved = False
        self.losses = Losses()

    def read(self, *, max_records: int, max_bytes: int) -> Sequence[ReadRecord]:
        """Return the next records; each call begins with another writer, so that none waits for ever."""
        logs = self._current_logs()
        found: list[ReadRecord] = []
        self._turn += 1
        for index in range(len(logs)):
            records = logs[(self._turn + index) % len(logs)].read(max_records - len(found), max_bytes)
            found.extend(records)
            max_bytes -= sum(len(record.payload) for record in records)
            if len(found) >= max_records or max_bytes <= 0:
                return found
        if not found:
            self._sweep()
        return found

    def commit(self, records: Sequence[ReadRecord]) -> None:
        """Remember the furthest record of each writer and delete what is drained; a full disk is logged."""
        if not records:  # before the first read no writer is known, and the cursor would be written empty
            return
        marks: dict[str, Mark] = {}
        for record in records:
            position = record.position
            mark = Mark(position.segment, position.offset)
            marks[position.writer] = max(marks.get(position.writer, mark), mark)
        for writer, mark in marks.items():
            if writer in self._logs:
                self._logs[writer].commit(mark)
        # Drained segments may go before the cursor is written: a segment that is missing counts as done. On a
        # full disk it is what makes room for the cursor.
        if not self._save():
            self._sweep()
            self._save()
        self._sweep()

    def erase(self) -> None:
        """Overwrite what is done in open segments; not while a crash would need it again."""
        if self._is_unsaved:
            return
        for log in self._logs.values():
            try:
                log.erase()
            except OSError as error:
                logger.warning("drained records of %s can't be erased: %s", log.name, error.strerror)

    def _save(self) -> bool:
        try:
            save_cursor(self._root, {name: log.done for name, log in self._logs.items()})
        except OSError as error:
            if not self._is_unsaved:
                logger.error(
                    "the journal's cursor can't be written (%s): draining continues; after a crash up to one "
                    "segment of each writer is stored again",
                    error.strerror,
                )
            self._is_unsaved = True
            return False
        self._is_unsaved = False
        return True

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _current_logs(self) -> list[WriterLog]:
        for name in writer_names(self._root):
            if name not in self._logs:
                self._logs[name] = WriterLog(self._root, name, self._marks.get(name, Mark()), self.losses)
        return list(self._logs.values())

    def _sweep(self) -> None:
        for name in [name for name, log in self._logs.items() if log.sweep()]:
            del self._logs[name]


def _lock_reading(root: Path) -> int:
    handle = os.open(root / READER_LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise AlreadyRunning(
            f"another worker already drains the journal in {str(root)!r}; stop it first"
        ) from None
    return handle
