"""What the worker does for batches: kinds of work for its queue, and the tidying of files."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sternpost.base.clock import Clock
from sternpost.base.errors import ConfigurationError, StoreError
from sternpost.capabilities.batches.provider_batches.look import ProviderBatches
from sternpost.capabilities.batches.records import FileId, QueueSettings
from sternpost.capabilities.batches.rules import END_KIND, LINE_KIND, PROVIDER_KIND, START_KIND
from sternpost.capabilities.batches.running.ending import BatchEnding
from sternpost.capabilities.batches.running.lines import BatchLines
from sternpost.capabilities.batches.running.starting import BatchStart
from sternpost.capabilities.batches.service import BatchService
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.message import Json
from sternpost.contracts.work_queue import Finished, Handle, TryLater, WorkItem, WorkJob, WorkKind

_FILES_AT_ONCE = 2
_LOOKS_AT_ONCE = 8
_AWAY_S = 2.0


@dataclass(frozen=True, slots=True)
class BatchWork:
    """How batches are run; one per worker."""

    store: WorkStore
    start: BatchStart
    lines: BatchLines
    providers: ProviderBatches
    ending: BatchEnding
    clock: Clock
    close: Callable[[], Awaitable[None]]

    def kinds(self) -> tuple[WorkKind, ...]:
        return (
            WorkKind(START_KIND, _patient(self.start.handle), concurrency=_FILES_AT_ONCE, max_attempts=0),
            WorkKind(
                LINE_KIND,
                _patient(self.lines.handle),
                concurrency=self._lines_at_once,
                apply=self.lines.apply,
                on_end=self._on_end,
                close=self.close,
            ),
            WorkKind(
                PROVIDER_KIND,
                _patient(self.providers.handle),
                concurrency=_LOOKS_AT_ONCE,
                max_attempts=0,
                on_end=self._on_end,
            ),
            WorkKind(END_KIND, _patient(self.ending.handle), concurrency=_FILES_AT_ONCE, max_attempts=0),
        )

    def _lines_at_once(self) -> int:
        try:
            return self.lines.settings().concurrency
        except ConfigurationError:
            return QueueSettings().concurrency  # lines wait until the file can be used

    def _on_end(self, job: WorkJob) -> None:
        self.store.work_ended(job, self.clock.now_ns())


def _patient(handle: Handle) -> Handle:
    """Let work wait while tables are away, a disk is full or the configuration can't be used."""

    async def wait_or_handle(item: WorkItem) -> Mapping[str, Json] | Finished:
        try:
            return await handle(item)
        except (StoreError, ConfigurationError) as error:
            raise TryLater(_AWAY_S, holds_lane=True) from error

    return wait_or_handle


def prune_files(service: BatchService) -> int:
    """Delete files past their time, and bytes a day old that no file names; return how many."""
    gone = service.store.expired_files(service.clock.now_ns())
    for file_id in gone:
        service.store.remove_file(file_id)
        service.bodies.remove(file_id)
    old = list(service.bodies.old())
    known = service.store.known_files([str(one) for one in old])
    orphans = [FileId(one) for one in old if one not in known]
    for file_id in orphans:
        service.bodies.remove(file_id)
    return len(gone) + len(orphans)
