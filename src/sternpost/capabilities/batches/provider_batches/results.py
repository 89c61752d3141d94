"""Turns a provider's results into results of lines, each with its price and its record in the traces."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from sternpost.base.clock import Clock
from sternpost.base.errors import BadRequest
from sternpost.base.fact_values import fact_attributes
from sternpost.base.ids import SpanId, TraceId
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.files.bodies import FileBodies
from sternpost.capabilities.batches.files.line_format import DIALECTS, Request, answered, unanswered
from sternpost.capabilities.batches.files.requests import read_request
from sternpost.capabilities.batches.provider_batches.api import ProviderApi, ProviderResult
from sternpost.capabilities.batches.provider_batches.lines import (
    ProviderAnswer,
    error_body,
    read_answer,
    read_head,
)
from sternpost.capabilities.batches.provider_batches.targets import KeepRecord, PriceLine, ProviderTarget
from sternpost.capabilities.batches.records import Batch, Line, LineResult, ProviderJob
from sternpost.capabilities.batches.work_store import WorkStore
from sternpost.contracts.call import CallRecord
from sternpost.contracts.span import SpanStatus, TraceAttributes
from sternpost.contracts.span_facts import Facts

_GROUP = 100
_KEPT_BYTES = 10_000_000  # of each body, on the record


@dataclass(frozen=True, slots=True)
class _Settled:
    result: LineResult
    record: CallRecord | None


@dataclass(frozen=True, slots=True)
class ResultTaker:
    """One per worker. Records are written before states: a repetition writes the same span again."""

    store: WorkStore
    bodies: FileBodies
    price: PriceLine
    keep: KeepRecord
    clock: Clock
    facts: Facts  # that may be recorded on a call

    async def take(
        self,
        batch: Batch,
        job: ProviderJob,
        target: ProviderTarget,
        api: ProviderApi,
        rows: AsyncIterator[bytes],
    ) -> None:
        """Settle every line that the rows answer; rows that were settled before change nothing."""
        group: list[ProviderResult] = []
        async for row in rows:
            found = api.read_result(row) if row.strip() else None
            if found is not None:
                group.append(found)
            if len(group) >= _GROUP:
                await self._settle(batch, job, target, group)
                group = []
        await self._settle(batch, job, target, group)

    async def _settle(
        self, batch: Batch, job: ProviderJob, target: ProviderTarget, group: list[ProviderResult]
    ) -> None:
        settled = await in_thread(self._read, batch, job, target, group)
        for one in settled:
            if one.record is not None:
                await self.keep(one.record)
        results = [one.result for one in settled]
        await in_thread(self.store.settle, batch.batch_id, results, self.clock.now_ns())

    def _read(
        self, batch: Batch, job: ProviderJob, target: ProviderTarget, group: list[ProviderResult]
    ) -> list[_Settled]:
        """Read results beside their requests; blocking."""
        lines = self.store.lines_of(batch.batch_id, job.number, [one.number for one in group])
        return [
            self._one(batch, job, target, lines[result.number], result)
            for result in group
            if result.number in lines
        ]

    def _one(
        self, batch: Batch, job: ProviderJob, target: ProviderTarget, line: Line, result: ProviderResult
    ) -> _Settled:
        if not result.status:
            return _Settled(
                unanswered(line.number, line.custom_id, result.code or "no_result", result.message), None
            )
        request = read_request(self.bodies, batch, line)
        answer = _shown(result, request, target)
        submitted_ns = job.submitted_ns or batch.created_ns
        cost = None
        if answer.status < 300:
            cost = self.price(target, answer.summary.model, answer.summary.usage, submitted_ns)
        trace_id, span_id = _ids(batch, line)
        settled = answered(
            line.number,
            request,
            status=answer.status,
            body=answer.body,
            request_id=result.request_id,
            trace_id=trace_id,
            cost_nanousd=None if cost is None else cost.nanousd,
        )
        record = replace(
            _record(batch, request, target, answer),
            trace_id=trace_id,
            span_id=span_id,
            started_ns=submitted_ns,
            ended_ns=self.clock.now_ns(),
            error_type=settled.error_code,
            error=settled.error,
            cost=cost,
            reply_body=result.body[:_KEPT_BYTES],
            is_reply_cut=len(result.body) > _KEPT_BYTES,
            attributes=fact_attributes(
                self.facts,
                {
                    "purpose": "batch",
                    "caller": "worker",
                    "batch_id": batch.batch_id,
                    "batch_custom_id": line.custom_id,
                    "provider_batch_id": job.provider_batch_id,
                },
            ),
        )
        return _Settled(settled, record)


def _record(batch: Batch, request: Request, target: ProviderTarget, answer: ProviderAnswer) -> CallRecord:
    """Write what is known of a line's call without looking at the clock."""
    is_ok = answer.status < 300
    return CallRecord(
        project_id=batch.project_id,
        key_id=batch.key_id,
        trace_id=TraceId(""),
        span_id=SpanId(""),
        parent_span_id=None,
        operation="embeddings" if request.url == "/v1/embeddings" else "chat",
        started_ns=0,
        ended_ns=0,
        status=SpanStatus.OK if is_ok else SpanStatus.ERROR,
        http_status=answer.status,
        dialect_in=DIALECTS[request.url],
        dialect_out=target.codec.name if is_ok else None,
        request_model=request.model,
        provider=target.provider.name,
        target_model=target.model,
        response_model=answer.summary.model,
        trace=_attributes(request),
        usage=answer.summary.usage,
        request_body=request.body[:_KEPT_BYTES],
    )


def _shown(result: ProviderResult, request: Request, target: ProviderTarget) -> ProviderAnswer:
    """Return the answer in the line's dialect; one that can't be read is an error of the line."""
    if 200 <= result.status < 300:
        try:
            return read_answer(result.body, request, target)
        except BadRequest as error:
            body = error_body(
                request, status=502, error_type="", code="unreadable_answer", message=error.message
            )
            return ProviderAnswer(502, body)
    if result.body and target.codec.name == DIALECTS[request.url]:
        return ProviderAnswer(result.status, result.body)
    failure = target.codec.read_failure(result.status, {}, result.body, 0.0) if result.body else None
    body = error_body(
        request,
        status=result.status,
        error_type=failure.error_type if failure else result.error_type,
        code=failure.code if failure else "",
        message=failure.message if failure else result.message,
    )
    return ProviderAnswer(result.status, body)


def _attributes(request: Request) -> TraceAttributes:
    try:
        head = read_head(request)
    except BadRequest:
        return TraceAttributes()
    metadata: Mapping[str, str] = head.metadata
    return TraceAttributes(
        user_id=(metadata.get("user_id") or head.end_user)[:500],
        session_id=metadata.get("session_id", "")[:500],
        feature=metadata.get("feature", "")[:500],
    )


def _ids(batch: Batch, line: Line) -> tuple[TraceId, SpanId]:
    """Name the span of a line the same way each time, so that a repetition does not double it."""
    digest = blake2b(f"{batch.batch_id}/{line.number}".encode(), digest_size=24).hexdigest()
    return TraceId(digest[:32]), SpanId(digest[32:])
