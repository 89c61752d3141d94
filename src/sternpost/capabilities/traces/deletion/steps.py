"""The steps of one deletion, each harmless to repeat; who calls them is `jobs`'."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import Final

from sternpost.base.clock import Clock
from sternpost.base.errors import NotFound, StoreUnavailable
from sternpost.base.ids import ContentHash
from sternpost.capabilities.traces.deletion.records import STEPS, Counts, Deletion, Step
from sternpost.capabilities.traces.deletion.set_aside import delete_set_aside
from sternpost.capabilities.traces.deletion.store import DeletionStore
from sternpost.capabilities.traces.deletion.trace_rows import ROWS_OF_TRACES, TraceRows
from sternpost.capabilities.traces.writing.retention import delete_medium
from sternpost.capabilities.traces.writing.set_aside import SetAside
from sternpost.capabilities.traces.writing.tombstones import Tombstones
from sternpost.capabilities.traces.writing.turns import FlushTurns
from sternpost.contracts.blobs import BlobStore, StoredBlob
from sternpost.contracts.trace_store import TraceStore

_POLL_S: Final = 0.1
_SLOW_POLL_S: Final = 2.0
_QUICK_POLLS: Final = 100
HOLD_S: Final = 60.0  # how long a worker that says nothing keeps a deletion to itself
_HOLD_EVERY_S: Final = 10.0

logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """The worker stops; the deletion goes on with the step that it was at."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a deletion works on. tombstones: not those of the drain, which another thread uses."""

    deletions: DeletionStore
    store: TraceStore
    blobs: BlobStore
    turns: FlushTurns
    aside: SetAside
    tombstones: Tombstones
    clock: Clock


class DeletionRun:
    """One deletion by one worker. Blocking. Raises: StoreError, Interrupted; it may be run again then."""

    def __init__(self, around: Around, deletion: Deletion, stop: Event) -> None:
        self._around = around
        self._deletion = deletion
        self._stop = stop
        self._rows = TraceRows.of(around.store, deletion)
        self._counts = deletion.counts
        self._next_hold_s = 0.0

    def run(self) -> Deletion:
        """Do what is left, and return the deletion as it ended."""
        steps: dict[Step, Callable[[], None]] = {
            "find": self._find,
            "content": self._delete_content,
            "spans": self._delete_rows,
            "figures": self._delete_figures,
            "files": self._delete_files,
            "clean": self._clean,
        }
        for number in range(STEPS.index(self._deletion.step), len(STEPS)):
            self._go_on()
            steps[STEPS[number]]()
            if STEPS[number] != STEPS[-1]:
                following = STEPS[number + 1]
                self._around.deletions.advance(self._deletion.deletion_id, following, self._counts)
        ended_ns = self._around.clock.now_ns()
        ended = replace(self._deletion, state="done", counts=self._counts, ended_ns=ended_ns, error="")
        self._around.deletions.finish(ended)
        return ended

    def _find(self) -> None:
        # Flushes from now on leave out what arrives late; those before are in the store.
        with self._around.turns.paused(self._stop.is_set):
            self._go_on()
        self._rows.find(self._deletion)
        found, before = self._rows.count().counts, self._counts
        self._counts = replace(
            before,
            traces=before.traces + found.traces,
            spans=before.spans + found.spans,
            scores=before.scores + found.scores,
            cost_nanousd=type(found.cost_nanousd)(before.cost_nanousd + found.cost_nanousd),
        )

    def _delete_content(self) -> None:
        """Delete messages and media that nothing else refers to, nor comes to refer to meanwhile."""
        self._rows.forget(self._deletion)  # of a run that was cut off
        self._rows.find_buckets()
        turns = self._around.turns
        with turns.noting(self._stop.is_set) as noted:
            self._rows.find_messages()
            lone = self._rows.lone_messages()
            media = [one for one in map(self._medium, self._rows.media_of()) if one is not None]
            used = self._rows.used_media([one.hash for one in media])
            with turns.paused(self._stop.is_set):
                self._go_on()
                gone = [hash_ for hash_ in lone if hash_ not in noted]
                unused = [one for one in media if one.hash not in used and one.hash not in noted]
                deleted = sum(delete_medium(self._around.blobs, one) for one in unused)
                if gone:
                    self._rows.delete_messages(self._deletion, gone)
        self._counts = _with_content(self._counts, len(gone), deleted)
        self._wait_for("content")

    def _medium(self, hash_: str) -> StoredBlob | None:
        try:
            return self._around.blobs.find(self._deletion.project_id, ContentHash(hash_))
        except NotFound:
            return None

    def _delete_rows(self) -> None:
        for table in ROWS_OF_TRACES:
            self._rows.delete_rows(table)
        for table in ROWS_OF_TRACES:
            self._wait_for(table)

    def _delete_figures(self) -> None:
        self._rows.delete_figures()
        self._wait_for("call_figures")
        self._rows.touch()

    def _delete_files(self) -> None:
        self._around.tombstones.read()
        try:
            delete_set_aside(self._around.aside, self._deletion, self._around.tombstones)
        except OSError as error:
            raise StoreUnavailable(
                f"records that were set aside can't be searched for deleted traces: {error.strerror}"
            ) from error
        while not self._around.turns.wait_until_erased(self._is_over_or_due):
            self._go_on()

    def _clean(self) -> None:
        since_s = self._rows.engine_now_s()

        def is_clean() -> bool:
            self._rows.clean()
            return self._rows.old_parts(since_s) == 0

        self._wait_until(is_clean)
        self._rows.forget(self._deletion)

    def _wait_for(self, table: str) -> None:
        self._wait_until(lambda: self._rows.is_rewritten(table))

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        polls = 0
        while not is_so():
            polls += 1
            self._stop.wait(_POLL_S if polls < _QUICK_POLLS else _SLOW_POLL_S)
            self._go_on()

    def _is_over_or_due(self) -> bool:
        return self._stop.is_set() or self._now_s() >= self._next_hold_s

    def _go_on(self) -> None:
        """Keep the deletion to this worker. Raises: Interrupted."""
        if self._stop.is_set():
            raise Interrupted
        if self._now_s() >= self._next_hold_s:
            self._next_hold_s = self._now_s() + _HOLD_EVERY_S
            until_ns = self._around.clock.now_ns() + int(HOLD_S * 1e9)
            self._around.deletions.hold(self._deletion.deletion_id, until_ns)

    def _now_s(self) -> float:
        return self._around.clock.monotonic_ns() / 1e9


def _with_content(counts: Counts, messages: int, media: int) -> Counts:
    return replace(counts, messages=counts.messages + messages, media=counts.media + media)
