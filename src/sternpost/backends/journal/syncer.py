"""The thread that makes written segments durable, so that a slow disk never delays a write."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sternpost.base.errors import JournalFull
from sternpost.base.files import sync_folder

logger = logging.getLogger(__name__)

Waiter: TypeAlias = "asyncio.Future[None]"


@dataclass(slots=True, eq=False)
class Segment:
    """One open segment file; `size` counts whole records only."""

    number: int
    folder: Path
    handle: int
    size: int
    is_listed: bool = False  # its folder entry is durable


def settle(waiters: Sequence[Waiter], error: JournalFull | None = None) -> None:
    """End the waiting of each; one wake-up per event loop, because each costs a system call."""
    if not waiters:
        return
    loop = waiters[0].get_loop()
    mine = [w for w in waiters if w.get_loop() is loop]
    try:
        loop.call_soon_threadsafe(_settle_here, mine, error)
    except RuntimeError:
        logger.debug("%d appends had nobody waiting: their event loop is closed", len(mine))
    if len(mine) < len(waiters):
        settle([w for w in waiters if w.get_loop() is not loop], error)


def _settle_here(waiters: Sequence[Waiter], error: JournalFull | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)


@dataclass(slots=True)
class _Due:
    segments: list[Segment] = field(default_factory=list[Segment])
    waiters: list[Waiter] = field(default_factory=list[Waiter])
    retired: list[Segment] = field(default_factory=list[Segment])  # no more writes: close after the sync


class Syncer:
    """Syncs at once when somebody waits, else `delay_s` after the first unsynced write."""

    def __init__(self, delay_s: float, on_failure: Callable[[OSError], None]) -> None:
        self._delay_s = delay_s
        self._on_failure = on_failure
        self._due = _Due()
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="sternpost-journal-sync", daemon=True)
        self._thread.start()

    def note(self, segment: Segment, waiters: Sequence[Waiter] = (), *, is_last: bool = False) -> None:
        """Say that `segment` has unsynced bytes and who waits; `is_last` hands its file over for closing."""
        with self._wake:
            is_first = not self._due.segments
            if segment not in self._due.segments:
                self._due.segments.append(segment)
            self._due.waiters.extend(waiters)
            if is_last:
                self._due.retired.append(segment)
            if is_first or waiters:
                self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while (due := self._next()) is not None:
            try:
                for segment in due.segments:
                    _sync(segment)
                for segment in due.retired:
                    os.close(segment.handle)
            except OSError as error:
                self._on_failure(error)
                settle(due.waiters, JournalFull(f"the journal can't reach the disk: {error.strerror}"))
            else:
                settle(due.waiters)

    def _next(self) -> _Due | None:
        with self._wake:
            while not self._due.segments:
                if self._is_closing:
                    return None
                self._wake.wait()
            self._wake.wait_for(lambda: self._due.waiters or self._is_closing, self._delay_s)
            due, self._due = self._due, _Due()
            return due


def _sync(segment: Segment) -> None:
    os.fdatasync(segment.handle) if hasattr(os, "fdatasync") else os.fsync(segment.handle)
    if not segment.is_listed:
        sync_folder(segment.folder)
        sync_folder(segment.folder.parent)
        segment.is_listed = True
