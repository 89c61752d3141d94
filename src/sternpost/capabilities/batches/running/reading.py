"""Reads the input file of a batch into lines and jobs, or into the faults that name its lines; blocking."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sternpost.base.clock import Clock
from sternpost.base.errors import NotFound, PermissionRefused, RequestError
from sternpost.capabilities.batches.files.bodies import FileBodies
from sternpost.capabilities.batches.files.line_format import LineRefused, Request, read_line
from sternpost.capabilities.batches.provider_batches.targets import Models, ProviderTarget
from sternpost.capabilities.batches.records import (
    QUEUE_JOB,
    Batch,
    Line,
    LineFault,
    ProviderJob,
    QueueSettings,
)
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.call import Principal

_MAX_FAULTS = 100
_GROUP = 1000
_EMBEDDINGS = "/v1/embeddings"


@dataclass(frozen=True, slots=True)
class InputReader:
    """What reading needs; one per worker."""

    store: WorkStore
    bodies: FileBodies
    models: Models
    settings: Callable[[], QueueSettings]
    clock: Clock

    def read(self, batch: Batch) -> None:
        """Let the batch begin, or end it as failed; harmless to repeat."""
        self.store.forget_lines(batch.batch_id)
        sheet = _Sheet(batch, self)
        faults = sheet.fill()
        if faults:
            self.store.refuse(batch.batch_id, faults, self.clock.now_ns())
        else:
            self.store.begin(batch.batch_id, sheet.total, sheet.jobs, self.clock.now_ns())


@dataclass(slots=True)
class _Sheet:
    """What was read so far."""

    batch: Batch
    reader: InputReader
    total: int = 0
    jobs: list[ProviderJob] = field(default_factory=list[ProviderJob])
    _faults: list[LineFault] = field(default_factory=list[LineFault])
    _group: list[Line] = field(default_factory=list[Line])
    _seen: dict[bytes, int] = field(default_factory=dict[bytes, int])  # hash of a custom_id -> its line
    _chosen: dict[str, ProviderTarget | RequestError | None] = field(
        default_factory=dict[str, ProviderTarget | RequestError | None]
    )

    @property
    def _principal(self) -> Principal:
        batch = self.batch
        return Principal(
            batch.project_id,
            batch.key_id,
            batch.key_name,
            batch.allowed_models,
            environment=batch.environment,
        )

    def fill(self) -> tuple[LineFault, ...]:
        try:
            for number, offset, text in self._texts():
                self._take(number, offset, text)
                if len(self._faults) >= _MAX_FAULTS:
                    break
        except LineRefused as refused:
            self._faults.append(refused.fault)
        except NotFound as error:
            return (LineFault("file_not_found", error.message),)
        if not self.total and not self._faults:
            return (LineFault("empty_file", "the file has no lines"),)
        if not self._faults:
            self._write()
        return tuple(self._faults)

    def _texts(self) -> Iterator[tuple[int, int, bytes]]:
        """Return number, offset and bytes of each line that is not blank. Raises: LineRefused."""
        settings = self.reader.settings()
        with self.reader.bodies.open(self.batch.input_file_id) as file:
            offset, number = 0, 0
            while text := file.readline(settings.max_line_bytes + 1):
                number += 1
                if len(text) > settings.max_line_bytes:
                    message = f"line {number} is longer than {settings.max_line_bytes} bytes"
                    raise LineRefused(LineFault("line_too_large", message, number))
                if number == 1 and text.startswith(b"\xef\xbb\xbf"):
                    offset, text = 3, text[3:]
                if text.strip():
                    yield number, offset, text
                offset += len(text)

    def _take(self, number: int, offset: int, text: bytes) -> None:
        self.total += 1
        if self.total > self.reader.settings().max_lines:
            message = f"the file has more than {self.reader.settings().max_lines} lines; split it"
            raise LineRefused(LineFault("too_many_lines", message, number))
        try:
            request = read_line(text, number, self.batch.endpoint)
            self._refuse_doubled(request, number)
            job = self._job_of(request, number)
        except LineRefused as refused:
            self._faults.append(refused.fault)
            return
        self._group.append(
            Line(number, request.custom_id, request.url, request.model, offset, len(text), job)
        )
        if len(self._group) >= _GROUP:
            self._write()

    def _refuse_doubled(self, request: Request, number: int) -> None:
        digest = hashlib.blake2b(request.custom_id.encode("utf-8", "replace"), digest_size=12).digest()
        first = self._seen.setdefault(digest, number)
        if first != number:
            message = f"the `custom_id` of line {number} was used in line {first} before"
            raise LineRefused(LineFault("duplicate_custom_id", message, number, "custom_id"))

    def _job_of(self, request: Request, number: int) -> int:
        if request.model not in self._chosen:
            self._chosen[request.model] = self._choose(request)
        chosen = self._chosen[request.model]
        if isinstance(chosen, RequestError):
            code = "model_not_allowed" if isinstance(chosen, PermissionRefused) else chosen.code
            raise LineRefused(LineFault(code, f"line {number}: {chosen.message}", number, "body.model"))
        self._refuse_others(request, number)
        return QUEUE_JOB if chosen is None else self._job_for(chosen)

    def _refuse_others(self, request: Request, number: int) -> None:
        """Hold a key's models against all that a line names, before a provider may see it."""
        if not self.batch.allowed_models:
            return
        try:
            self.reader.models.refuse_others(request.url, request.model, request.body, self._principal)
        except RequestError as error:
            code = "model_not_allowed" if isinstance(error, PermissionRefused) else error.code
            raise LineRefused(LineFault(code, f"line {number}: {error.message}", number, "body")) from error

    def _choose(self, request: Request) -> ProviderTarget | RequestError | None:
        try:
            target = self.reader.models.choose(request.url, request.model, self._principal)
        except RequestError as error:
            return error
        return target if self.reader.settings().uses_providers else None

    def _job_for(self, target: ProviderTarget) -> int:
        path = _provider_path(target, self.batch.endpoint)
        for job in self.jobs:
            if (job.provider, job.model, job.path) == (target.provider.name, target.model, path):
                return job.number
        self.jobs.append(ProviderJob(len(self.jobs) + 1, target.provider.name, target.model, path))
        return len(self.jobs)

    def _write(self) -> None:
        if self._group:
            self.reader.store.add_lines(self.batch.batch_id, self._group)
            self._group.clear()


def _provider_path(target: ProviderTarget, endpoint: str) -> str:
    if endpoint == _EMBEDDINGS:
        return endpoint
    return "/v1" + target.codec.upstream_path(target.model, is_stream=False)
