"""The verbs of files and batches, for `/v1`, the API and the CLI; running batches is the worker's work."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import BadRequest, Conflict, NotFound, StorageFull
from sternpost.base.ids import KeyId, ProjectId, new_id
from sternpost.capabilities.batches import events, rules
from sternpost.capabilities.batches.files.bodies import FileBodies, OpenBody
from sternpost.capabilities.batches.files.quotas import FileQuotas, FileUse, UploadRoom
from sternpost.capabilities.batches.records import (
    Batch,
    BatchId,
    BatchPage,
    FileId,
    FilePage,
    FilePurpose,
    LinePage,
    LineState,
    OffPeak,
    StoredFile,
)
from sternpost.capabilities.batches.store import BatchStore
from sternpost.contracts.call import Principal

_BLOCK = 262_144
_MAX_NAME = 255


def no_window() -> OffPeak | None:
    """Batches may run at any time."""
    return None


@dataclass(frozen=True, slots=True)
class BatchService:
    """Blocking; on the event loop call it through `base.threads`. Raises: StoreUnavailable anywhere."""

    store: BatchStore
    bodies: FileBodies
    clock: Clock = field(default_factory=SystemClock)
    off_peak: Callable[[], OffPeak | None] = no_window  # as the configuration says now
    uploads: UploadRoom = field(default_factory=lambda: UploadRoom(FileQuotas()))
    max_file_bytes: int = 200_000_000

    def file_use(self, principal: Principal) -> FileUse:
        return self.store.file_use(principal.project_id, principal.key_id)

    def keep_file(
        self, principal: Principal, body: OpenBody, filename: str, *, expires_after_s: int | None = None
    ) -> StoredFile:
        """Keep an uploaded file of batch lines. Raises: BadRequest, StorageFull."""
        if not body.size_bytes:
            raise BadRequest("the file is empty", param="file")
        now_ns = self.clock.now_ns()
        printable = "".join(one if one.isprintable() else "?" for one in filename)
        file = StoredFile(
            file_id=FileId(new_id("file")),
            project_id=principal.project_id,
            filename=printable[:_MAX_NAME],
            purpose="batch",
            size_bytes=body.size_bytes,
            created_ns=now_ns,
            expires_ns=None if expires_after_s is None else now_ns + expires_after_s * 1_000_000_000,
            key_id=principal.key_id,
        )
        body.keep(file.file_id)
        try:
            self.store.add_file(file, self.uploads.quotas)
        except StorageFull:
            self.bodies.remove(file.file_id)
            raise
        return file

    def file(self, file_id: FileId, project_id: ProjectId) -> StoredFile:
        """Raises: NotFound."""
        found = self.store.file(file_id, project_id)
        if found is None:
            raise NotFound(f"there is no file {file_id!r} in this project")
        return found

    def list_files(
        self,
        project_id: ProjectId,
        *,
        after: str,
        limit: int,
        purpose: FilePurpose | None,
        is_oldest_first: bool,
    ) -> FilePage:
        return self.store.files_page(
            project_id, after=after, limit=limit, purpose=purpose, is_oldest_first=is_oldest_first
        )

    def open_file(self, file_id: FileId, project_id: ProjectId) -> tuple[StoredFile, BinaryIO]:
        """Raises: NotFound."""
        return self.file(file_id, project_id), self.bodies.open(file_id)

    def delete_file(self, file_id: FileId, project_id: ProjectId) -> None:
        """Raises: NotFound, Conflict while a batch reads it."""
        self.file(file_id, project_id)
        reader = self.store.open_batch_of(file_id)
        if reader is not None:
            raise Conflict(f"the batch {reader!r} still reads this file; cancel it, or wait until it ends")
        self.store.remove_file(file_id)
        self.bodies.remove(file_id)

    def create_batch(
        self, principal: Principal, *, endpoint: str, window: str, file_id: str, metadata: Mapping[str, str]
    ) -> Batch:
        """Begin a batch; its file is read by the worker. Raises: BadRequest, NotFound."""
        rules.check_new(endpoint, window, metadata)
        file = self.file(FileId(file_id), principal.project_id)
        if file.purpose != "batch":
            raise BadRequest(
                f"the file {file_id!r} is the output of a batch; upload one with the purpose 'batch'",
                param="input_file_id",
            )
        now_ns = self.clock.now_ns()
        batch = Batch(
            batch_id=BatchId(new_id("batch")),
            project_id=principal.project_id,
            key_id=principal.key_id,
            key_name=principal.key_name,
            allowed_models=principal.models,
            endpoint=endpoint,
            input_file_id=file.file_id,
            status="validating",
            created_ns=now_ns,
            expires_ns=now_ns + rules.WINDOW_NS,
            metadata=metadata,
            environment=principal.environment,
        )
        self.store.add_batch(batch)
        return batch

    def batch(self, batch_id: BatchId, project_id: ProjectId) -> Batch:
        """Raises: NotFound."""
        found = self.store.batch(batch_id, project_id)
        if found is None:
            raise NotFound(f"there is no batch {batch_id!r} in this project")
        return found

    def list_batches(
        self, project_id: ProjectId, *, after: str, limit: int, environment: str = ""
    ) -> BatchPage:
        return self.store.batches_page(project_id, after=after, limit=limit, environment=environment)

    def cancel_batch(self, batch_id: BatchId, principal: Principal) -> Batch:
        """Begin to end a batch; what is in flight is finished. Raises: NotFound, Conflict."""
        batch = self.batch(batch_id, principal.project_id)
        rules.refuse_cancel(batch)
        if not self.store.begin_cancel(batch, self.clock.now_ns(), events.cancelled(batch, principal)):
            rules.refuse_cancel(self.batch(batch_id, principal.project_id))
        return self.batch(batch_id, principal.project_id)

    def cancel_batches_of_key(self, key_id: KeyId) -> tuple[BatchId, ...]:
        """Begin to end what a key submitted, because it was revoked; return the batches. Idempotent.

        A batch of which a provider runs a part goes on: that has its price already.
        """
        found = self.store.open_batches_of_key(key_id)
        now_ns = self.clock.now_ns()
        begun = [one for one in found if self.store.begin_cancel(one, now_ns, events.cancelled_with_key(one))]
        return tuple(one.batch_id for one in begun)

    def list_lines(
        self,
        batch_id: BatchId,
        project_id: ProjectId,
        *,
        after: int,
        limit: int,
        states: tuple[LineState, ...],
    ) -> LinePage:
        """Raises: NotFound."""
        self.batch(batch_id, project_id)
        return self.store.lines_page(batch_id, after=after, limit=limit, states=states)

    def waits_until_ns(self, batch: Batch) -> int | None:
        """Return when the own queue continues a batch, None when it may work now."""
        off_peak = self.off_peak()
        if off_peak is None or batch.status != "in_progress":
            return None
        now_ns = self.clock.now_ns()
        opens_ns = rules.next_off_peak_ns(off_peak, now_ns)
        return opens_ns if opens_ns > now_ns else None


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    """Read a file to its end, block by block, and close it."""
    with file:
        while block := file.read(_BLOCK):
            yield block
