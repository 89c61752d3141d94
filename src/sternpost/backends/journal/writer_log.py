"""Reading one writer's segments in order and clearing them away; not the cursor and not other writers."""

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

from sternpost.backends.journal.cursor import Mark
from sternpost.backends.journal.frames import HEADER_BYTES, MAGIC, Scan, find_record, scan
from sternpost.backends.journal.layout import (
    BAD_FOLDER,
    LOCK_NAME,
    is_writer_alive,
    segment_path,
    segment_sizes,
)
from sternpost.contracts.journal import Position, ReadRecord

logger = logging.getLogger(__name__)

# A segment that is being written may show a record before all of its bytes; after this long it is damage.
_DAMAGE_AFTER_S = 1.0
_LEAST_READ_BYTES = 65_536
_BLANK = bytes(1_000_000)


@dataclass(slots=True)
class Losses:
    """What could not be read, counted since the reader was opened."""

    torn_bytes: int = 0  # dropped: the end of a record whose writer died before the append ended
    damaged_bytes: int = 0  # kept in the folder `bad`
    damaged_segments: int = 0


class WriterLog:
    """One writer's records. `done` follows what was committed, `next` what was read."""

    def __init__(self, root: Path, name: str, done: Mark, losses: Losses) -> None:
        self.name = name
        self.done = done
        self.next = done
        self._folder = root / name
        self._bad_folder = root / BAD_FOLDER
        self._losses = losses
        self._last_ends: dict[int, int] = {}  # end of the last record read, by segment
        self._bad: set[int] = set()
        self._suspected: tuple[Mark, float] | None = None
        self._searched: tuple[Mark, int] | None = None  # damage behind which nothing was found, and how far
        self._erased = Mark()  # what is done was overwritten up to here
        self._is_kept = False  # drained, and something of somebody else is in the folder

    def read(self, max_records: int, max_bytes: int) -> list[ReadRecord]:
        """Return whole records behind `next` within the limits, but one at least if there is one."""
        found: list[ReadRecord] = []
        is_dead = not is_writer_alive(self._folder)  # asked first: all that a dead writer wrote is then seen
        numbers = [n for n in segment_sizes(self._folder) if n >= self.next.segment]
        for number in numbers:
            if number > self.next.segment:
                self.next = Mark(number, 0)
            is_closed = is_dead or number != numbers[-1]
            while self.next.segment == number:
                if len(found) >= max_records or max_bytes <= 0:
                    return found
                before = self.next
                records = self._step(max_records - len(found), max_bytes, is_closed)
                if self.next == before:
                    return found  # the writer is still at this place
                found.extend(records)
                max_bytes -= sum(len(record.payload) for record in records)
        return found

    def commit(self, mark: Mark) -> None:
        """Move the mark and set aside damaged segments behind it, before the cursor passes them."""
        self.done = max(self.done, mark)
        self.next = max(self.next, mark)
        for number in sorted(self._bad):
            if self._is_drained(number):
                self._remove(number)

    def sweep(self) -> bool:
        """Delete what is drained; return whether the folder went too, because its writer is dead."""
        is_dead = not is_writer_alive(self._folder)
        for number in segment_sizes(self._folder):
            if self._is_drained(number):
                self._remove(number)
        if not is_dead or segment_sizes(self._folder):
            return False
        (self._folder / LOCK_NAME).unlink(missing_ok=True)
        try:
            self._folder.rmdir()
        except OSError as error:
            if not self._is_kept:
                logger.warning("the drained folder %s can't be removed: %s", self._folder, error.strerror)
            self._is_kept = True
            return False
        return True

    def erase(self) -> None:
        """Overwrite what is done of the segment that is being written; its length stays. Raises: OSError."""
        number, end = self.done.segment, self.done.offset
        start = self._erased.offset if self._erased.segment == number else len(MAGIC)
        if end <= start or number in self._bad:
            return
        try:
            handle = os.open(segment_path(self._folder, number), os.O_WRONLY)
        except FileNotFoundError:  # it is drained, and gone
            return
        try:
            for at in range(start, end, len(_BLANK)):
                _write_at(handle, _BLANK[: min(len(_BLANK), end - at)], at)
            os.fsync(handle)
        finally:
            os.close(handle)
        self._erased = self.done

    def _step(self, max_records: int, max_bytes: int, is_closed: bool) -> list[ReadRecord]:
        """Read once from `next`; `next` stays where it is when there is nothing to do but wait."""
        number, offset = self.next.segment, self.next.offset
        with segment_path(self._folder, number).open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            if offset == 0:
                self._begin(os.pread(handle.fileno(), len(MAGIC), 0), size, is_closed)
                return []
            if offset >= size:
                self._finish(is_closed)
                return []
            length = min(max(max_bytes, _LEAST_READ_BYTES), size - offset)
            found = scan(os.pread(handle.fileno(), length, offset), offset, max_records)
            if found.stop == "torn" and not found.frames and found.at + found.wanted <= size and found.wanted:
                found = scan(os.pread(handle.fileno(), found.wanted, offset), offset, 1)
            records = [
                ReadRecord(frame.payload, Position(self.name, number, frame.end)) for frame in found.frames
            ]
            if records:
                self.next = Mark(number, found.at)
                self._last_ends[number] = found.at
            elif found.stop == "header" and _is_blank(handle.fileno(), found.at, size):
                self._drop_tail(found.at, size, is_closed)  # zeros are what a power cut leaves at the tail
            else:
                self._handle_stop(found, size, is_closed)
        return records

    def _begin(self, magic: bytes, size: int, is_closed: bool) -> None:
        number = self.next.segment
        if magic == MAGIC:
            self.next = Mark(number, len(MAGIC))
        elif size >= len(MAGIC) and is_closed:
            self._set_damaged(size, "it is not a segment")
            self._finish(is_closed)
        elif is_closed:
            self._drop_tail(0, size, is_closed)

    def _handle_stop(self, found: Scan, size: int, is_closed: bool) -> None:
        if found.stop == "torn":
            self._drop_tail(found.at, size, is_closed)
        elif not is_closed and not self._is_lasting():
            return
        elif found.stop == "payload":
            self._set_damaged(found.wanted, f"the record at {found.at} fails its checksum")
            self.next = Mark(self.next.segment, found.at + found.wanted)
        else:
            self._search(found.at, size, is_closed)

    def _search(self, at: int, size: int, is_closed: bool) -> None:
        """Continue at the next valid record after damage; in a live segment it may be written later."""
        number = self.next.segment
        if self._searched == (self.next, size):
            return
        with segment_path(self._folder, number).open("rb") as handle:
            behind = find_record(os.pread(handle.fileno(), size - at, at), 1)
        if behind is not None:
            self._set_damaged(behind, f"nothing can be read from {at} to {at + behind}")
            self.next = Mark(number, at + behind)
        elif is_closed:
            self._set_damaged(size - at, f"nothing can be read after {at}")
            self._finish(is_closed)
        else:
            if self._searched is None or self._searched[0] != self.next:
                logger.error("journal segment %s/%d is damaged at %d", self.name, number, at)
            self._searched = (self.next, size)

    def _is_lasting(self) -> bool:
        """Say whether the damage at `next` has been there long enough not to be a write in progress."""
        now_s = time.monotonic()
        if self._suspected is None or self._suspected[0] != self.next:
            self._suspected = (self.next, now_s)
        return now_s - self._suspected[1] >= _DAMAGE_AFTER_S

    def _drop_tail(self, at: int, size: int, is_closed: bool) -> None:
        if is_closed and size > at:
            self._losses.torn_bytes += size - at
            logger.warning(
                "journal segment %s/%d: dropped %d bytes of a record that was never acknowledged",
                self.name, self.next.segment, size - at,
            )  # fmt: skip
        self._finish(is_closed)

    def _set_damaged(self, size: int, reason: str) -> None:
        number = self.next.segment
        self._losses.damaged_bytes += size
        self._losses.damaged_segments += number not in self._bad
        self._bad.add(number)
        logger.error(
            "journal segment %s/%d is damaged (%d bytes): %s; it will be kept in %s",
            self.name, number, size, reason, self._bad_folder,
        )  # fmt: skip

    def _finish(self, is_closed: bool) -> None:
        if is_closed:
            self.next = Mark(self.next.segment + 1, 0)

    def _is_drained(self, number: int) -> bool:
        last_end = self._last_ends.get(number)
        is_done = last_end is None or self.done >= Mark(number, last_end)
        return number < self.next.segment and is_done

    def _remove(self, number: int) -> None:
        path = segment_path(self._folder, number)
        if number in self._bad:
            self._bad.discard(number)
            self._bad_folder.mkdir(mode=0o700, exist_ok=True)
            path.rename(self._bad_folder / f"{self.name}-{path.name}.bad")
        else:
            path.unlink(missing_ok=True)
        self._last_ends.pop(number, None)


def _write_at(handle: int, content: bytes, at: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written


def _is_blank(handle: int, at: int, size: int) -> bool:
    if os.pread(handle, HEADER_BYTES, at).strip(b"\0"):
        return False
    return not os.pread(handle, size - at, at).strip(b"\0")
