"""Keeps one call from its first byte to its record, written exactly once; not what the stages decide."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl

import msgspec

from sternpost.base.errors import StoreError
from sternpost.base.fact_values import FactValue, fact_attributes
from sternpost.base.ids import SpanId, new_span_id
from sternpost.capabilities.access.rules import environment_of
from sternpost.contracts.call import AttemptRecord, CallRecord, Principal
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.journal import CallEntry
from sternpost.contracts.model_client import FACTS_HEADER
from sternpost.contracts.span import SpanStatus, TraceAttributes
from sternpost.contracts.usage import Cost
from sternpost.dialects.json_text.raw_object import read_value
from sternpost.dialects.protocols import Codec, ReplySummary, RequestHead
from sternpost.dialects.registry import CODECS
from sternpost.gateway.exchange import InboundCall
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages.context import TraceParent, read_trace_parent
from sternpost.gateway.state.origins import Origin
from sternpost.gateway.state.traffic import Plan, PlannedTarget

_LOG = logging.getLogger(__name__)
_ENCODER = msgspec.msgpack.Encoder()
_NO_SUMMARY = ReplySummary()
_NO_ATTRIBUTES = TraceAttributes()
_NO_FACTS: Mapping[str, str] = {}
_NO_VALUES: Mapping[str, FactValue] = {}
# Headers worth keeping: an SDK's own retries explain calls that look doubled.
_RECORDED_HEADERS = {
    "x-stainless-retry-count": "client.retry_count",
    "idempotency-key": "client.idempotency_key",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended."""

    status: SpanStatus
    http_status: int
    answered_by: PlannedTarget | None = None
    summary: ReplySummary = _NO_SUMMARY
    cost: Cost | None = None
    error_type: str = ""
    error: str = ""
    reply_body: bytes = b""
    is_reply_cut: bool = False
    first_token_ns: int | None = None


@dataclass(slots=True)
class OpenCall:
    """A call on its way; the stages fill it in, and `finish` or `abandon` closes it."""

    request: InboundCall
    services: GatewayServices
    codec: Codec  # of the caller's dialect
    started_ns: int
    parent: TraceParent
    span_id: SpanId
    principal: Principal | None = None
    head: RequestHead | None = None
    attributes: TraceAttributes = _NO_ATTRIBUTES
    plan: Plan | None = None
    lease: int = 0
    chat: ChatRequest | None = None  # read once, when a target speaks another dialect
    attempts: list[AttemptRecord] = field(default_factory=list[AttemptRecord])
    waited_ns: int = 0  # between attempts
    cut: Outcome | None = None  # of a stream that was given up before its reply began
    dropped: tuple[str, ...] = ()
    sent_body: bytes = b""  # of the last attempt, in the target's dialect
    warnings: list[str] = field(default_factory=list[str])
    is_billed: bool = False  # a part of what was asked has been answered
    unsent: set[SpanId] = field(default_factory=set[SpanId])  # attempts of which nothing reached a provider
    notes: dict[str, str] = field(default_factory=dict[str, str])  # attributes of its record
    # What a stage decided, by the names that plugs declare; another name is not recorded.
    facts: dict[str, FactValue] = field(default_factory=dict[str, FactValue])
    is_settled: bool = False
    following: Awaitable[None] | None = None  # done once a reply made in the background can't be forgotten

    @property
    def owner(self) -> Principal:
        """Whose call it is, once it has been let in."""
        return cast("Principal", self.principal)

    @property
    def request_id(self) -> str:
        return f"req_{self.span_id}"

    def all_warnings(self) -> tuple[str, ...]:
        """Return what the caller should know beside the answer, once each."""
        return tuple(dict.fromkeys((*self.warnings, *(f"dropped:{name}" for name in self.dropped))))

    async def finish(self, outcome: Outcome) -> None:
        """Write the record; a full journal is no error of the call."""
        writing = self._write(outcome)
        if writing is None:
            return
        try:
            await writing
        except StoreError as error:
            self._lost(error)
        else:
            self._kept()
        if self.following is not None:
            await self.following

    def abandon(self, outcome: Outcome) -> None:
        """Write the record without waiting, for a caller who has left."""
        writing = self._write(outcome)
        if writing is not None:
            asyncio.ensure_future(writing).add_done_callback(self._written)

    def _write(self, outcome: Outcome) -> Awaitable[None] | None:
        """Hand the record to the journal, then tell the observer while it is being written."""
        entry = self._settle(outcome)
        if entry is None:
            return None
        try:
            return self.services.journal.append(_ENCODER.encode(entry), "written")
        except StoreError as error:
            self._lost(error)
            return None
        finally:
            self.services.observer.call_ended(entry.call)

    def _settle(self, outcome: Outcome) -> CallEntry | None:
        """Give the lease back and close the record; None when there is nothing (more) to write."""
        if self.is_settled:
            return None
        self.is_settled = True
        if self.lease:
            self.services.counters.release(self.lease)
        if self.principal is None:
            self.services.observer.key_refused()
            return None
        self._remember(self.principal, outcome)
        is_in_background = outcome.summary.is_unfinished and _asks_for_background(self.head)
        if is_in_background:
            self.notes["background"] = "pending"
        entry = CallEntry(_record_of(self, self.principal, outcome))
        if is_in_background:
            self.following = self.services.follow(entry.call, outcome.summary.id)
        return entry

    def _remember(self, principal: Principal, outcome: Outcome) -> None:
        """Note what a later call may need: where a reply was made, how its tool calls were signed."""
        target, reply_id = outcome.answered_by, outcome.summary.id
        if outcome.summary.signatures:
            self.services.signatures.remember(principal.project_id, outcome.summary.signatures)
        if (
            target is not None
            and reply_id
            and target.codec is self.codec
            and self.codec.traits.stores_responses
        ):
            origin = Origin(principal.project_id, target.provider.name, principal.key_id)
            self.services.origins.remember(reply_id, origin)

    def _written(self, writing: asyncio.Future[None]) -> None:
        error = None if writing.cancelled() else writing.exception()
        if isinstance(error, StoreError):
            self._lost(error)
        elif error is not None:
            _LOG.error("a record could not be written: %s", error.__class__.__name__)
            self.services.observer.record_lost()

    def _lost(self, error: StoreError) -> None:
        self.services.observer.record_lost()
        if not self.services.journal_watch.is_refusing:
            self.services.journal_watch.is_refusing = True
            _LOG.error("calls go on without a record: %s", error.message)

    def _kept(self) -> None:
        if self.services.journal_watch.is_refusing:
            self.services.journal_watch.is_refusing = False
            _LOG.warning("calls are recorded again")


def open_call(request: InboundCall, services: GatewayServices) -> OpenCall:
    """Begin a call: when it started and which trace it belongs to."""
    return OpenCall(
        request=request,
        services=services,
        codec=CODECS[request.dialect],
        started_ns=services.clock.now_ns(),
        parent=read_trace_parent(request.headers),
        span_id=new_span_id(),
    )


def _record_of(call: OpenCall, principal: Principal, outcome: Outcome) -> CallRecord:
    head, plan, target = call.head, call.plan, outcome.answered_by
    body, kept_bytes = call.request.body, call.services.kept_bytes
    if len(body) > kept_bytes:
        body = body[:kept_bytes]
        call.warnings.append("request_body_cut")
    return CallRecord(
        project_id=principal.project_id,
        key_id=principal.key_id,
        trace_id=call.parent.trace_id,
        span_id=call.span_id,
        parent_span_id=call.parent.span_id,
        operation=call.request.operation,
        started_ns=call.started_ns,
        ended_ns=call.services.clock.now_ns(),
        status=outcome.status,
        http_status=outcome.http_status,
        dialect_in=call.request.dialect,
        dialect_out=target.codec.name if target else None,
        is_stream=head.is_stream if head else False,
        request_model=head.model if head else "",
        route=plan.route if plan else "",
        provider=target.provider.name if target else "",
        target_model=target.target.model if target else "",
        response_model=outcome.summary.model,
        error_type=outcome.error_type,
        error=outcome.error,
        first_token_ns=outcome.first_token_ns,
        trace=call.attributes,
        usage=outcome.summary.usage,
        cost=outcome.cost,
        attempts=tuple(call.attempts),
        waited_ns=call.waited_ns,
        request_body=body,
        reply_body=outcome.reply_body,
        is_reply_cut=outcome.is_reply_cut,
        warnings=call.all_warnings(),
        attributes={**_recorded_headers(call.request.headers), **_facts(call, principal), **call.notes},
        environment=environment_of(principal, call.attributes.environment),
    )


def _asks_for_background(head: RequestHead | None) -> bool:
    return head is not None and read_value(head.fields.get("background")) is True


def _recorded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {kept: headers[name][:200] for name, kept in _RECORDED_HEADERS.items() if name in headers}


def _facts(call: OpenCall, principal: Principal) -> Mapping[str, str]:
    if principal.source == "key" and not call.facts:
        return _NO_FACTS
    return fact_attributes(call.services.facts, {**_caller(call, principal), **call.facts})


def _caller(call: OpenCall, principal: Principal) -> Mapping[str, FactValue]:
    """Say who called where it was no application's key; what the worker adds is believed, nobody else's."""
    if principal.source == "key":
        return _NO_VALUES
    if principal.source != "worker":
        return {"caller": principal.source}
    return {**dict(parse_qsl(call.request.headers.get(FACTS_HEADER, ""))), "caller": "worker"}
