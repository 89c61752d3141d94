"""The journal's writer: a bounded queue, one thread that writes in groups, one that syncs; not the reading.

Queue full or disk full: the append fails with JournalFull at once and nothing of it is kept. The writer looks
at the disk every second and takes records again by itself.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from sternpost.backends.journal.frames import MAX_RECORD_BYTES, header_of
from sternpost.backends.journal.segment_files import SegmentFiles
from sternpost.backends.journal.space import JournalLimits, SpaceWatch, free_bytes
from sternpost.backends.journal.syncer import Syncer, Waiter, settle
from sternpost.base.errors import JournalFull
from sternpost.contracts.journal import Durability, JournalState

logger = logging.getLogger(__name__)

_GROUP_BYTES = 1_000_000  # copied into one write
_LOOK_S = 1.0

_Waiting: TypeAlias = tuple[bytes, bool, Waiter]  # payload, has to be synced, who waits


class SegmentJournal:
    """Append-only segment files in its own folder below `root`; start it after any fork."""

    def __init__(
        self,
        root: Path,
        limits: JournalLimits | None = None,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._limits = limits or JournalLimits()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._files = SegmentFiles(root, self._limits.segment_bytes)
        self._space = SpaceWatch(root, self._limits, free)
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._queue_bytes = 0
        self._is_idle = False
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._refusal = self._space.look()
        self._has_failed = False  # the last write or sync did: probe before taking records again
        self._is_suspect = False  # a sync of the current segment failed
        self._is_closing = False
        self._next_look_s = time.monotonic() + _LOOK_S
        if self._refusal:
            logger.error("journal refuses records: %s", self._refusal)
        self._syncer = Syncer(self._limits.sync_delay_s, self._on_sync_failure)
        self._thread = threading.Thread(target=self._run, name="sternpost-journal-write", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path:
        return self._files.folder

    def append(self, payload: bytes, durability: Durability) -> Awaitable[None]:
        """Queue one record for the writer thread; see `contracts.journal.Journal`."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        size = len(payload)
        with self._lock:
            if self._refusal or (self._queue and self._is_over(size)) or size > MAX_RECORD_BYTES:
                raise JournalFull(self._refusal_sentence(size))
            self._queue.append((payload, durability == "synced", waiter))
            self._queue_bytes += size
            is_asleep, self._is_idle = self._is_idle, False
        if is_asleep:
            self._bell.put(None)
        return waiter

    def state(self) -> JournalState:
        return JournalState(
            is_writable=not self._refusal,
            reason=self._refusal,
            pending_bytes=self._space.pending_bytes,
            queue_depth=len(self._queue),
        )

    def close(self) -> None:
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
            self._refusal = self._refusal or "the journal is closed"
        self._bell.put(None)
        self._thread.join()
        self._syncer.close()
        self._files.close()

    def _is_over(self, size: int) -> bool:
        is_long = len(self._queue) >= self._limits.queue_records
        return is_long or self._queue_bytes + size > self._limits.queue_bytes

    def _refusal_sentence(self, size: int) -> str:
        if self._refusal:
            return f"the journal accepts no records: {self._refusal}"
        if size > MAX_RECORD_BYTES:
            return f"a record of {size} bytes is larger than the journal's {MAX_RECORD_BYTES}"
        return f"the journal's queue is full ({len(self._queue)} records): the disk is slower than the calls"

    def _run(self) -> None:
        while not (self._is_closing and not self._queue):
            group = self._take()
            try:
                self._write_all(group)
                if time.monotonic() >= self._next_look_s:
                    self._look()
            except Exception:  # the edge of the thread: without it every later append would wait for ever
                logger.exception("the journal could not handle a group of %d records", len(group))
                settle(
                    [w for _, _, w in group], JournalFull("the journal failed on this record, see its log")
                )
        self._close_segment()

    def _take(self) -> list[_Waiting]:
        """Wait for records or for the next look at the disk, and empty the queue."""
        with self._lock:
            self._is_idle = not self._queue and not self._is_closing
            is_idle = self._is_idle
        if is_idle:
            try:
                self._bell.get(timeout=max(0.0, self._next_look_s - time.monotonic()))
            except queue.Empty:
                return []
        with self._lock:
            group, self._queue = self._queue, []
            self._queue_bytes = 0
        return group

    def _write_all(self, group: Sequence[_Waiting]) -> None:
        start, size = 0, 0
        for index, (payload, _, _) in enumerate(group):
            size += len(payload)
            if size >= _GROUP_BYTES:
                self._write(group[start : index + 1])
                start, size = index + 1, 0
        if start < len(group):
            self._write(group[start:])

    def _write(self, group: Sequence[_Waiting]) -> None:
        if self._has_failed:
            settle([w for _, _, w in group], JournalFull(f"the journal accepts no records: {self._refusal}"))
            return
        parts: list[bytes] = []
        for payload, _, _ in group:
            parts.append(header_of(payload))
            parts.append(payload)
        try:
            segment = self._files.write(b"".join(parts))
        except OSError as error:
            self._fail(error)
            settle([w for _, _, w in group], JournalFull(f"the journal can't be written: {error.strerror}"))
            return
        settle([waiter for _, has_to_sync, waiter in group if not has_to_sync])
        self._syncer.note(segment, [waiter for _, has_to_sync, waiter in group if has_to_sync])
        self._close_segment(only_if_full=True)

    def _look(self) -> None:
        self._next_look_s = time.monotonic() + _LOOK_S
        reason = self._space.look()
        if self._is_suspect:
            self._is_suspect = False
            self._close_segment()
        if not reason and self._has_failed:
            try:
                self._files.probe()
                self._has_failed = False
            except OSError as error:
                reason = f"the journal can't be written: {error.strerror}"
        self._set_refusal(reason)

    def _fail(self, error: OSError) -> None:
        """Begin a new segment after a failed write: what is behind the last whole record is not ours."""
        self._has_failed = True
        self._close_segment()
        self._set_refusal(f"the journal can't be written: {error.strerror}")

    def _close_segment(self, *, only_if_full: bool = False) -> None:
        if (segment := self._files.give_up(only_if_full=only_if_full)) is not None:
            self._syncer.note(segment, is_last=True)

    def _on_sync_failure(self, error: OSError) -> None:
        # After a failed fsync the kernel drops the dirty pages and the next fsync succeeds falsely
        # (https://wiki.postgresql.org/wiki/Fsync_Errors), so this segment can't be trusted again.
        self._is_suspect = self._has_failed = True
        self._set_refusal(f"the journal can't reach the disk: {error.strerror}")

    def _set_refusal(self, reason: str) -> None:
        with self._lock:
            if self._is_closing:
                return
            was, self._refusal = self._refusal, reason
        if reason and not was:
            logger.error("journal refuses records: %s", reason)
        elif was and not reason:
            logger.warning("journal accepts records again")
