"""The story of an OTLP request: unpack, decode, map, price, journal, answer; the store is the worker's."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from sternpost.base import json_size
from sternpost.base.clock import Clock
from sternpost.base.content_coding import decode
from sternpost.base.errors import BadRequest, PermissionRefused, SternpostError
from sternpost.base.threads import INTAKE
from sternpost.capabilities.access.rules import refuse_without
from sternpost.contracts.call import Principal
from sternpost.contracts.journal import BatchEntry, Journal
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span import Content, SpanBatch
from sternpost.ingest import protobuf_size
from sternpost.ingest.mapping.money import Prices
from sternpost.ingest.mapping.spans import MappedSpan, map_span
from sternpost.ingest.otlp_decode import decode_json, decode_protobuf
from sternpost.ingest.otlp_reply import JSON, PROTOBUF, accepted, media_type, refused
from sternpost.ingest.records import OtlpReply, RawSpan, Sender

_SPANS_PER_RECORD = 500  # keeps one journal record small against the drain's batches
_INLINE_BYTES = 8_000  # a body this small maps in about a millisecond; a larger one would hold calls up
# Decoding is one step of the interpreter, which lets no call go on: about 80 ms for so many.
_JSON_LIMITS = json_size.JsonLimits(fields=500_000, values=1_000_000)
_MOST_MESSAGES = 500_000  # a batch of 512 spans has about 20,000
_HEX = frozenset("0123456789abcdef")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class IntakeCounts:
    """What the intake did since the start, for `/metrics`."""

    requests: int = 0
    refused: int = 0
    spans: int = 0
    scores: int = 0
    rejected_spans: int = 0
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    payloads: Sequence[bytes]
    span_count: int
    score_count: int
    rejected: int
    why: str


class OtlpIntake:
    """Takes traces at `/v1/traces`; what it acknowledges is on disk."""

    def __init__(self, journal: Journal, prices: Prices, clock: Clock, *, max_body_bytes: int) -> None:
        self.counts = IntakeCounts()
        self._journal = journal
        self._prices = prices
        self._clock = clock
        self._max_body_bytes = max_body_bytes

    async def handle(
        self, *, content_type: str, content_encoding: str, body: bytes, principal: Principal
    ) -> OtlpReply:
        """Keep the spans of one request and answer in its encoding; never raises a SternpostError.

        503 with Retry-After when the journal is full: nothing of the request is then acknowledged.
        """
        self.counts.requests += 1
        self.counts.received_bytes += len(body)
        if media_type(content_type) not in (PROTOBUF, JSON):
            self.counts.refused += 1
            wrong = BadRequest(f"send {PROTOBUF} or {JSON}, not {content_type[:60]!r}")
            return refused(content_type, wrong, status=415)
        try:
            batch = await self._read(content_type, content_encoding, body, principal)
            waiting = [self._journal.append(payload, "synced") for payload in batch.payloads]
            for one in waiting:
                await one
        except SternpostError as error:
            self.counts.refused += 1
            return refused(content_type, error)
        self.counts.spans += batch.span_count
        self.counts.scores += batch.score_count
        self.counts.rejected_spans += batch.rejected
        return accepted(content_type, batch.rejected, batch.why)

    async def _read(
        self, content_type: str, content_encoding: str, body: bytes, principal: Principal
    ) -> _Batch:
        # A packed body may unfold to megabytes, however small it is.
        if content_encoding or len(body) > _INLINE_BYTES:
            return await INTAKE.run(self._map, content_type, content_encoding, body, principal)
        return self._map(content_type, content_encoding, body, principal)

    def _map(self, content_type: str, content_encoding: str, packed: bytes, principal: Principal) -> _Batch:
        body = decode(packed, content_encoding, self._max_body_bytes)
        raw_spans = _decoded(body, is_json=media_type(content_type) == JSON)
        received_ns = self._clock.now_ns()
        sender = Sender(principal.project_id, principal.key_id)
        lacks = _Lacks.of(principal)
        mapped: list[MappedSpan] = []
        rejected, why = 0, ""
        for raw in raw_spans:
            one, fault = self._map_one(raw, sender, received_ns)
            if one is not None:
                fault = lacks.fault(one)
                one = lacks.leave(one)
            if one is not None:
                mapped.append(one)
            else:
                rejected += 1
            why = why or fault
        return _Batch(
            payloads=[_payload(mapped[at : at + _SPANS_PER_RECORD]) for at in _starts(len(mapped))],
            span_count=sum(one.span is not None for one in mapped),
            score_count=sum(len(one.scores) for one in mapped),
            rejected=rejected,
            why=why,
        )

    def _map_one(self, raw: RawSpan, sender: Sender, received_ns: int) -> tuple[MappedSpan | None, str]:
        """Map one span, or say why it can't be kept."""
        if fault := _fault(raw):
            return None, fault
        try:
            return map_span(raw, sender, received_ns, self._prices), ""
        except Exception:  # the edge of one span: the rest of the batch must not suffer
            logger.exception("span %s of scope %r can't be mapped", raw.span_id, raw.scope)
            return None, "a span can't be mapped; the server's log says why"


@dataclass(frozen=True, slots=True)
class _Lacks:
    """What a key that may send something may not send."""

    spans: str  # why not; "" when it may
    scores: str

    @classmethod
    def of(cls, principal: Principal) -> "_Lacks":
        return cls(
            *(_why_without(scope, principal) for scope in (KeyScope.TRACES_WRITE, KeyScope.SCORES_WRITE))
        )

    def fault(self, one: MappedSpan) -> str:
        return (self.spans if one.span else "") or (self.scores if one.scores else "")

    def leave(self, one: MappedSpan) -> MappedSpan | None:
        """Return what may be kept of a span."""
        if one.span is not None and self.spans:
            return None
        if one.scores and self.scores:
            return replace(one, scores=()) if one.span else None
        return one


def _why_without(scope: KeyScope, principal: Principal) -> str:
    try:
        refuse_without(scope, principal)
    except PermissionRefused as error:
        return error.message
    return ""


def _decoded(body: bytes, *, is_json: bool) -> Sequence[RawSpan]:
    if not is_json:
        protobuf_size.check(body, _MOST_MESSAGES)
        return decode_protobuf(body)
    if not json_size.is_surely_small(body, _JSON_LIMITS):
        json_size.check(body, _JSON_LIMITS)
    return decode_json(body)


def _starts(count: int) -> range:
    return range(0, count, _SPANS_PER_RECORD)


def _fault(raw: RawSpan) -> str:
    """Say why a span can't be kept; "" when it can."""
    if len(raw.trace_id) != 32 or not _HEX.issuperset(raw.trace_id) or raw.trace_id == _NO_TRACE:
        return "a span has no valid trace id (16 bytes)"
    if len(raw.span_id) != 16 or not _HEX.issuperset(raw.span_id) or raw.span_id == _NO_SPAN:
        return "a span has no valid span id (8 bytes)"
    if raw.parent_span_id and (len(raw.parent_span_id) != 16 or not _HEX.issuperset(raw.parent_span_id)):
        return "a span has a parent span id that is not 8 bytes"
    return ""


def _payload(mapped: Sequence[MappedSpan]) -> bytes:
    contents: dict[str, Content] = {content.hash: content for one in mapped for content in one.contents}
    batch = SpanBatch(
        spans=tuple(one.span for one in mapped if one.span is not None),
        contents=tuple(contents.values()),
        scores=tuple(score for one in mapped for score in one.scores),
        blobs=tuple({blob.hash: blob for one in mapped for blob in one.blobs}.values()),
    )
    return msgspec.msgpack.encode(BatchEntry(batch))
