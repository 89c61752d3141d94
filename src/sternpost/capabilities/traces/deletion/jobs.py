"""The worker's loop over deletions: takes one, works on it, and looks for what arrived late elsewhere."""

import logging
import os
import socket
from threading import Event
from typing import Final

from sternpost.base.clock import Clock
from sternpost.base.errors import SternpostError
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.deletion.records import Deletion
from sternpost.capabilities.traces.deletion.rules import expires_before_ns, subject_of
from sternpost.capabilities.traces.deletion.steps import HOLD_S, Around, DeletionRun, Interrupted
from sternpost.capabilities.traces.deletion.store import DeletionStore
from sternpost.capabilities.traces.deletion.trace_rows import again_found
from sternpost.capabilities.traces.writing.tombstones import Tombstone, Tombstones
from sternpost.contracts.trace_store import TraceStore

_LOOK_S: Final = 1.0
_FAILED_S: Final = 5.0
_AGAIN_S: Final = 3600.0

logger = logging.getLogger(__name__)


def open_tombstones(deletions: DeletionStore, store: TraceStore, clock: Clock) -> Tombstones:
    """Make what keeps late spans of deleted traces out."""

    def load() -> list[Tombstone]:
        return [_tombstone_of(one) for one in deletions.all()]

    def hash_of(project_id: ProjectId, kind: str, given: str) -> str:
        return subject_of(project_id, "user" if kind == "user" else "session", given)

    return Tombstones(load, hash_of, store, clock)


def delete_traces(around: Around, stop: Event, *, retention_days: int) -> None:
    """Work on deletions until told to stop."""
    worker = f"{socket.gethostname()}-{os.getpid()}"
    next_again_s = 0.0
    while not stop.is_set():
        now_s = around.clock.monotonic_ns() / 1e9
        try:
            if now_s >= next_again_s:
                look_again(around, retention_days)
                next_again_s = now_s + _AGAIN_S
            is_idle = not work_once(around, worker, stop)
        except SternpostError as error:
            logger.warning("deletions wait: %s", error.message)
            stop.wait(_FAILED_S)
        else:
            if is_idle:
                stop.wait(_LOOK_S)


def work_once(around: Around, worker: str, stop: Event) -> bool:
    """Work on one deletion; False when none waits. Raises: SternpostError; it is taken up again later."""
    now_ns = around.clock.now_ns()
    deletion = around.deletions.take(worker, now_ns, now_ns + int(HOLD_S * 1e9))
    if deletion is None:
        return False
    try:
        ended = DeletionRun(around, deletion, stop).run()
    except Interrupted:
        return False
    except SternpostError as error:
        _keep_for_later(around, deletion, error.message)
        raise
    except Exception as error:  # the edge of one deletion: the next look tries again
        logger.exception("deletion %s failed", deletion.deletion_id)
        _keep_for_later(around, deletion, f"the worker failed ({type(error).__name__}), see its log")
        stop.wait(_FAILED_S)
        return True
    logger.info("deletion %s is done: %d spans", ended.deletion_id, ended.counts.spans)
    return True


def look_again(around: Around, retention_days: int) -> None:
    """Begin deletions again whose traces are in the store after all, and forget those that retention covers.

    Another worker may have stored spans that it had read before it knew of the deletion. Raises: StoreError.
    """
    before_ns = expires_before_ns(around.clock.now_ns(), retention_days)
    if before_ns is not None:
        around.deletions.forget_before(before_ns)
    if found := again_found(around.store):
        around.deletions.reopen(found)


def _keep_for_later(around: Around, deletion: Deletion, why: str) -> None:
    around.deletions.hold(deletion.deletion_id, around.clock.now_ns(), why)


def _tombstone_of(deletion: Deletion) -> Tombstone:
    return Tombstone(
        deletion.deletion_id, deletion.project_id, deletion.kind, deletion.subject, deletion.created_ns
    )
