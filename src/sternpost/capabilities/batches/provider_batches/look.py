"""Gives lines to a provider's own batch API and brings their results home, priced and recorded per line."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from sternpost.base.clock import Clock
from sternpost.base.errors import BadRequest, SternpostError, StoreError, UpstreamRefused
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.files.bodies import FileBodies
from sternpost.capabilities.batches.files.line_format import unanswered
from sternpost.capabilities.batches.files.requests import read_request
from sternpost.capabilities.batches.provider_batches.api import (
    JobFile,
    LostJob,
    NotYetKnown,
    ProviderApi,
    ProviderHttp,
    ProviderIds,
)
from sternpost.capabilities.batches.provider_batches.lines import write_body
from sternpost.capabilities.batches.provider_batches.results import ResultTaker
from sternpost.capabilities.batches.provider_batches.targets import Models, ProviderTarget
from sternpost.capabilities.batches.records import (
    Batch,
    BatchApi,
    BatchId,
    FileId,
    ProviderJob,
    QueueSettings,
)
from sternpost.capabilities.batches.settling import close_waiting
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.message import Json
from sternpost.contracts.work_queue import TryLater, WorkItem
from sternpost.dialects.errors.failures import classify

_LOG = logging.getLogger(__name__)
_PAGE = 500
_MAX_REASON = 1000
_ABSENT = frozenset({404, 405, 501})  # a host of the provider's dialect without its batch API


@dataclass(slots=True)
class ProviderBatches:
    """One per worker."""

    apis: Mapping[BatchApi, ProviderApi]
    http: ProviderHttp
    store: WorkStore
    bodies: FileBodies
    models: Models
    taker: ResultTaker
    settings: Callable[[], QueueSettings]
    clock: Clock

    async def handle(self, item: WorkItem) -> Mapping[str, Json]:
        """Let one job of a batch go one step on. Raises: TryLater until it has ended."""
        batch_id = BatchId(str(item.job.facts["batch_id"]))
        found = await in_thread(self._find_job, batch_id, int(item.key))
        if found is None:
            return {}
        wait_s = await self._step(*found)
        if wait_s is not None:
            left_s = (found[0].expires_ns - self.clock.now_ns()) / 1e9
            raise TryLater(wait_s if left_s <= 0 else min(wait_s, left_s))
        return {}

    def _find_job(self, batch_id: BatchId, number: int) -> tuple[Batch, ProviderJob] | None:
        """Read a job that has not ended and its batch; one whose time is over has expired."""
        batch = self.store.batch(batch_id)
        job = next((one for one in self.store.jobs(batch_id) if one.number == number), None)
        if batch is None or job is None or job.state == "ended":
            return None
        if batch.status == "in_progress" and self.clock.now_ns() >= batch.expires_ns:
            self.store.expire(batch_id, self.clock.now_ns())
            batch = self.store.batch(batch_id) or batch
        return batch, job

    async def _step(self, batch: Batch, job: ProviderJob) -> float | None:
        """Go on with one job; return how long to wait, None when it has ended.

        What keeps it waiting is kept with it.
        """
        wait_s = self.settings().poll_s
        try:
            gone_on = await self._go_on(batch, job, is_ending=batch.status != "in_progress")
            if job.waits_because:
                gone_on = await self._change(batch, gone_on, waits_because="")
        except UpstreamRefused as error:
            if _is_absent(error, job):
                _LOG.warning("%s has no batch API; its lines go through the gateway one by one", job.provider)
                await in_thread(self.store.to_queue, batch.batch_id, job.number)
                return None
            wait_s = max(wait_s, error.retry_after_s or 0.0)
            gone_on = await self._refused(batch, job, error)
        except StoreError:
            raise
        except SternpostError as error:
            gone_on = await self._wait(batch, job, error.message)
        except Exception as error:  # noqa: BLE001 - the edge of a job: it waits, and says why
            _LOG.exception("the batch %s can't continue at %s; trying again", batch.batch_id, job.provider)
            gone_on = await self._wait(batch, job, f"its answer can't be read ({type(error).__name__})")
        return None if gone_on.state == "ended" else wait_s

    async def _go_on(self, batch: Batch, job: ProviderJob, *, is_ending: bool) -> ProviderJob:
        target = self.models.target(job.provider, job.model, batch.endpoint)
        if target is None:
            await self._fail(
                batch,
                job,
                "provider_not_configured",
                f"the provider {job.provider!r} is not configured any more",
            )
            return await self._change(batch, job, state="ended")
        if job.state in {"waiting", "sending"}:
            if is_ending:
                return await self._leave(batch, job, target)
            return await self._submit(batch, job, target)
        return await self._look(batch, job, target, is_ending=is_ending)

    async def _submit(self, batch: Batch, job: ProviderJob, target: ProviderTarget) -> ProviderJob:
        """Send a job. One whose sending was cut off is looked for first, so that it is not run twice."""
        found = await self._find(batch, job, target)
        if found is None:
            api, token = self.apis[target.api], _token(batch, job)
            job = await self._change(batch, job, state="sending", submitted_ns=self.clock.now_ns())
            sent = await in_thread(self._write_file, batch, job, target, token)
            if sent is None:  # no line of it can be written for this provider
                return await self._change(batch, job, state="ended")
            try:
                found = await api.submit(target, job, sent)
            finally:
                await in_thread(self._drop_file, sent.file, token)
        return await self._run(batch, job, found)

    async def _run(self, batch: Batch, job: ProviderJob, found: ProviderIds) -> ProviderJob:
        return await self._change(
            batch, job, state="running", provider_batch_id=found.batch_id, provider_file_id=found.file_id
        )

    async def _find(self, batch: Batch, job: ProviderJob, target: ProviderTarget) -> ProviderIds | None:
        if job.state != "sending":
            return None
        others = await in_thread(self.store.provider_batch_ids, job.provider)
        lost = LostJob(_token(batch, job), job.submitted_ns or 0, others)
        return await self.apis[target.api].find(target, lost)

    async def _leave(self, batch: Batch, job: ProviderJob, target: ProviderTarget) -> ProviderJob:
        """Give a job up that is not known to have arrived; one that did is cancelled like any other."""
        try:
            found = await self._find(batch, job, target)
        except NotYetKnown:
            found = None
        if found is not None:
            return await self._run(batch, job, found)
        await in_thread(close_waiting, batch, job.number, self.store, self.clock)
        return await self._change(batch, job, state="ended")

    async def _look(
        self, batch: Batch, job: ProviderJob, target: ProviderTarget, *, is_ending: bool
    ) -> ProviderJob:
        api = self.apis[target.api]
        if is_ending and not job.is_cancel_sent:
            try:
                await api.cancel(target, job)
            except UpstreamRefused as error:  # it ended meanwhile
                _LOG.info("a batch at %s was not cancelled: %s", job.provider, error.message)
            job = await self._change(batch, job, is_cancel_sent=True)
        progress = await api.progress(target, job)
        if not progress.is_ended:
            return job
        if progress.refusal:
            await self._fail(batch, job, "provider_refused_batch", progress.refusal)
        for url in progress.result_urls:
            await self.taker.take(batch, job, target, api, self.http.rows(target, url))
        await in_thread(close_waiting, batch, job.number, self.store, self.clock)
        return await self._change(batch, job, state="ended")

    async def _refused(self, batch: Batch, job: ProviderJob, error: UpstreamRefused) -> ProviderJob:
        """Judge a refusal: what may pass is asked again, anything else ends the job."""
        status = error.http_status
        if status in {408, 409, 425, 429} or status >= 500:
            return await self._wait(batch, job, error.message)
        is_ours = _is_about_key(error)
        code = (
            "provider_key_refused"
            if is_ours
            else error.wire_code or error.error_type or "provider_refused_batch"
        )
        message = (
            f"the provider {job.provider!r} refused the key Sternpost has for it"
            if is_ours
            else error.message
        )
        await self._fail(batch, job, code, message)
        return await self._change(batch, job, state="ended", waits_because="")

    async def _wait(self, batch: Batch, job: ProviderJob, reason: str) -> ProviderJob:
        _LOG.warning("the batch %s waits at %s: %s", batch.batch_id, job.provider, reason)
        shown = f"{job.provider}: {reason}"[:_MAX_REASON]
        return job if shown == job.waits_because else await self._change(batch, job, waits_because=shown)

    async def _fail(self, batch: Batch, job: ProviderJob, code: str, message: str) -> None:
        """End every waiting line of a job with one reason."""
        while lines := await in_thread(self.store.waiting, batch.batch_id, job=job.number, limit=_PAGE):
            results = [unanswered(one.number, one.custom_id, code, message) for one in lines]
            await in_thread(self.store.settle, batch.batch_id, results, self.clock.now_ns())

    async def _change(self, batch: Batch, job: ProviderJob, **values: object) -> ProviderJob:
        return await in_thread(self.store.change_job, batch.batch_id, job, **values)

    def _write_file(
        self, batch: Batch, job: ProviderJob, target: ProviderTarget, token: str
    ) -> JobFile | None:
        """Write the lines in the provider's form; those that it can't carry end here. Blocking."""
        file_id = _job_file(token)
        body = self.bodies.begin()
        try:
            lines = _Bodies(self, batch, job, target)
            for block in self.apis[target.api].frame(iter(lines), token):
                body.write(block)
            if not lines.count:
                return None
            body.keep(file_id)
            return JobFile(token, body.size_bytes, self.bodies.open(file_id))
        finally:
            body.drop()

    def _drop_file(self, file: BinaryIO, token: str) -> None:
        file.close()
        self.bodies.remove(_job_file(token))


@dataclass(slots=True)
class _Bodies:
    """The waiting lines of a job as the provider takes them; how many there were is known at the end."""

    lane: ProviderBatches
    batch: Batch
    job: ProviderJob
    target: ProviderTarget
    count: int = 0

    def __iter__(self) -> Iterator[tuple[int, str, bytes]]:
        store, after = self.lane.store, 0
        while lines := store.waiting(self.batch.batch_id, job=self.job.number, after=after, limit=_PAGE):
            after = lines[-1].number
            for line in lines:
                try:
                    request = read_request(self.lane.bodies, self.batch, line)
                    written = write_body(request, self.target)
                except BadRequest as error:
                    refused = unanswered(line.number, line.custom_id, "invalid_request", error.message)
                    store.settle(self.batch.batch_id, [refused], self.lane.clock.now_ns())
                    continue
                self.count += 1
                yield line.number, self.job.path, written.body


def _is_absent(error: UpstreamRefused, job: ProviderJob) -> bool:
    """Say whether a host has no batch API, so that its lines are called one by one."""
    return error.http_status in _ABSENT and not job.provider_batch_id


def _is_about_key(error: UpstreamRefused) -> bool:
    kind = classify(
        error.http_status, error_type=error.error_type, code=error.wire_code, message=error.message
    )
    return kind == "auth"


def _token(batch: Batch, job: ProviderJob) -> str:
    return f"{batch.batch_id}-{job.number}"


def _job_file(token: str) -> FileId:
    return FileId(f"job_{token}")
