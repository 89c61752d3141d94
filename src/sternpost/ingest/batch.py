"""Raw spans of one request as journal records: pure, so that it may run in any process."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from sternpost.base.errors import PermissionRefused
from sternpost.capabilities.access.rules import environment_of, refuse_without
from sternpost.contracts.call import Principal
from sternpost.contracts.journal import BatchEntry
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span import Content, SpanBundle
from sternpost.ingest.mapping.logs import spans_of_logs
from sternpost.ingest.mapping.money import Prices
from sternpost.ingest.mapping.spans import MappedSpan, map_span, plain_span
from sternpost.ingest.records import RawLog, RawSpan, Sender

_UNKNOWN_ENVIRONMENT = "deployment.environment.name"  # as OpenTelemetry calls it
_SPANS_PER_RECORD = 500  # keeps one journal record small against the drain's batches
_HEX = frozenset("0123456789abcdef")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """`payloads` are records of the journal; `why` says what is the matter with the first span rejected."""

    payloads: Sequence[bytes]
    span_count: int = 0
    score_count: int = 0
    rejected: int = 0
    why: str = ""
    dropped_logs: int = 0


def map_spans(raw_spans: Iterable[RawSpan], principal: Principal, received_ns: int, prices: Prices) -> Batch:
    """Map each span by itself: one that can't be kept is counted, one that can't be mapped is kept plain."""
    sender, lacks = Sender(principal.project_id, principal.key_id), _Lacks.of(principal)
    mapped: list[MappedSpan] = []
    rejected, why = 0, ""
    for raw in raw_spans:
        fault, kept = _fault(raw), None
        if not fault:
            one = _placed(_map_one(raw, sender, received_ns, prices), principal)
            fault, kept = lacks.fault(one), lacks.leave(one)
        if kept is not None:
            mapped.append(kept)
        else:
            rejected += 1
        why = why or fault
    return pack(mapped, rejected, why)


def _map_one(raw: RawSpan, sender: Sender, received_ns: int, prices: Prices) -> MappedSpan:
    try:
        return map_span(raw, sender, received_ns, prices)
    except Exception:  # the edge of one span: the rest of the batch must not suffer
        logger.exception("span %s of scope %r can't be mapped", raw.span_id, raw.scope)
        return plain_span(raw, sender, received_ns)


def _placed(one: MappedSpan, principal: Principal) -> MappedSpan:
    """Put a span into its environment; a name that does not exist stays readable as an attribute."""
    span = one.span
    if span is None:
        return one
    said = span.trace.environment
    environment = environment_of(principal, said)
    if environment == said:
        return one
    trace = replace(span.trace, environment=environment)
    attributes = (
        {**span.attributes, _UNKNOWN_ENVIRONMENT: said}
        if said.lower() != environment and said
        else span.attributes
    )
    return replace(one, span=replace(span, trace=trace, attributes=attributes))


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


def map_logs(logs: Iterable[RawLog], principal: Principal, received_ns: int, prices: Prices) -> Batch:
    """Map log records: those of a span hang below it, an evaluation is a score, the rest is counted."""
    found = spans_of_logs(logs)
    return replace(map_spans(found.spans, principal, received_ns, prices), dropped_logs=found.dropped)


def pack(mapped: Sequence[MappedSpan], rejected: int = 0, why: str = "") -> Batch:
    """Encode what was mapped as records of the journal."""
    return Batch(
        payloads=[payload_of(mapped[at : at + _SPANS_PER_RECORD]) for at in _starts(len(mapped))],
        span_count=sum(one.span is not None for one in mapped),
        score_count=sum(len(one.scores) for one in mapped),
        rejected=rejected,
        why=why,
    )


def _starts(count: int) -> range:
    return range(0, count, _SPANS_PER_RECORD)


def _fault(raw: RawSpan) -> str:
    """Say why a span can't be kept; "" when it can."""
    if raw.fault:
        return raw.fault
    if not is_trace_id(raw.trace_id):
        return "a span has no valid trace id (16 bytes)"
    if not is_span_id(raw.span_id):
        return "a span has no valid span id (8 bytes)"
    return ""


def is_trace_id(text: str) -> bool:
    return len(text) == 32 and text != _NO_TRACE and _HEX.issuperset(text)


def is_span_id(text: str) -> bool:
    return len(text) == 16 and text != _NO_SPAN and _HEX.issuperset(text)


def payload_of(mapped: Sequence[MappedSpan]) -> bytes:
    contents: dict[str, Content] = {content.hash: content for one in mapped for content in one.contents}
    batch = SpanBundle(
        spans=tuple(one.span for one in mapped if one.span is not None),
        contents=tuple(contents.values()),
        scores=tuple(score for one in mapped for score in one.scores),
        blobs=tuple({blob.hash: blob for one in mapped for blob in one.blobs}.values()),
    )
    return msgspec.msgpack.encode(BatchEntry(batch))
