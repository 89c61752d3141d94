"""The story of an OTLP request: unpack, decode, map, price, journal, answer; the store is the worker's."""

from collections.abc import Mapping
from dataclasses import dataclass

from sternpost.base import json_size
from sternpost.base.clock import Clock
from sternpost.base.content_coding import decode
from sternpost.base.errors import BadRequest, SternpostError
from sternpost.base.threads import INTAKE
from sternpost.contracts.call import Principal
from sternpost.contracts.journal import Journal
from sternpost.ingest import protobuf_size
from sternpost.ingest.apart import IntakeApart
from sternpost.ingest.batch import Batch, map_logs, map_spans
from sternpost.ingest.intake_pipe import Ask
from sternpost.ingest.langfuse_flow import LangfuseIntake, langfuse_refusal
from sternpost.ingest.mapping.money import Prices
from sternpost.ingest.otlp_decode import (
    decode_json,
    decode_json_logs,
    decode_protobuf,
    decode_protobuf_logs,
)
from sternpost.ingest.otlp_reply import JSON, PROTOBUF, Signal, accepted, media_type, refused
from sternpost.ingest.records import OtlpReply

_INLINE_BYTES = 8_000  # a body this small maps in about a millisecond; a larger one would hold calls up

# Decoding is one step of the interpreter, which lets no call go on: about 80 ms for so many.
_JSON_LIMITS = json_size.JsonLimits(fields=500_000, values=1_000_000)
_MOST_MESSAGES = 500_000  # a batch of 512 spans has about 20,000
_NO_METRICS = (
    "metrics are not kept: Sternpost derives counts and times from spans; set OTEL_METRICS_EXPORTER=none"
)
_OF_A_REQUEST = frozenset({"requests", "received_bytes"})


@dataclass(slots=True)
class IntakeCounts:
    """What the intake did since the start, for `/metrics`."""

    requests: int = 0
    refused: int = 0
    spans: int = 0
    scores: int = 0
    rejected_spans: int = 0
    dropped_logs: int = 0
    received_bytes: int = 0

    def add(self, others: Mapping[str, int]) -> None:
        """Add what the intake process counted of requests that are counted here already."""
        for name, count in others.items():
            if name not in _OF_A_REQUEST:
                setattr(self, name, getattr(self, name) + count)


@dataclass(frozen=True, slots=True)
class _Sent:
    """One request as it came."""

    signal: Signal
    is_json: bool
    encoding: str
    body: bytes


class OtlpIntake:
    """Takes traces at `/v1/traces` and log records at `/v1/logs`; what it acknowledges is on disk."""

    def __init__(
        self,
        journal: Journal,
        prices: Prices,
        clock: Clock,
        *,
        max_body_bytes: int,
        apart: IntakeApart | None = None,
        secret: bytes = b"",
    ) -> None:
        """apart: the process that takes what would hold calls up; None: this one takes everything.

        secret: signs leaves to upload; all processes of a server have the same.
        """
        self.counts = IntakeCounts()
        self._journal = journal
        self._prices = prices
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self.langfuse = LangfuseIntake(self.keep, prices, clock, max_body_bytes=max_body_bytes, secret=secret)
        self._apart = apart

    @property
    def process_ends(self) -> int:
        """How often the intake process ended unexpectedly."""
        return 0 if self._apart is None else self._apart.ends

    async def handle(
        self,
        *,
        content_type: str,
        content_encoding: str,
        body: bytes,
        principal: Principal,
        signal: Signal = "traces",
    ) -> OtlpReply:
        """Keep the spans or log records of one request and answer in its encoding; raises no SternpostError.

        503 with Retry-After when the journal is full: nothing of the request is then acknowledged.
        """
        self.counts.requests += 1
        self.counts.received_bytes += len(body)
        if media_type(content_type) not in (PROTOBUF, JSON):
            self.counts.refused += 1
            wrong = BadRequest(f"send {PROTOBUF} or {JSON}, not {content_type[:60]!r}")
            return refused(content_type, wrong, status=415)
        if signal == "metrics":
            return accepted(content_type, 0, _NO_METRICS, signal)
        sent = _Sent(signal, media_type(content_type) == JSON, content_encoding, body)
        try:
            if self._apart is not None and self._apart.wants(len(body), content_encoding):
                return await self._let_read(self._apart, sent, content_type, principal)
            batch = await self._read(sent, principal)
            await self.keep(batch)
        except SternpostError as error:
            self.counts.refused += 1
            return refused(content_type, error)
        return accepted(content_type, batch.rejected, batch.why, signal)

    async def handle_langfuse(
        self, signal: Signal, *, content_encoding: str, body: bytes, principal: Principal
    ) -> OtlpReply:
        """Keep the events or scores of one request of Langfuse's SDKs; raises no SternpostError.

        All of them go to the intake process: an observation comes in several events, which it remembers.
        """
        self.counts.requests += 1
        self.counts.received_bytes += len(body)
        try:
            if self._apart is not None:
                sent = _Sent(signal, is_json=True, encoding=content_encoding, body=body)
                return await self._let_read(self._apart, sent, JSON, principal)
            return await self.langfuse.handle(signal, body, content_encoding, principal)
        except SternpostError as error:
            self.counts.refused += 1
            return langfuse_refusal(error)

    async def _let_read(
        self, apart: IntakeApart, sent: _Sent, content_type: str, principal: Principal
    ) -> OtlpReply:
        """Let the intake process take a request, which runs this same story. Raises: StoreUnavailable."""
        ask = Ask(content_type, sent.encoding, principal, sent.signal)
        reply, counts = await apart.handle(ask, sent.body)
        self.counts.add(counts)
        return reply

    async def keep(self, batch: Batch) -> None:
        """Write a batch to the journal and count it. Raises: JournalFull; nothing is then acknowledged."""
        waiting = [self._journal.append(payload, "synced") for payload in batch.payloads]
        for one in waiting:
            await one
        self.counts.spans += batch.span_count
        self.counts.scores += batch.score_count
        self.counts.rejected_spans += batch.rejected
        self.counts.dropped_logs += batch.dropped_logs

    async def _read(self, sent: _Sent, principal: Principal) -> Batch:
        # A packed body may unfold to megabytes, however small it is.
        if sent.encoding or len(sent.body) > _INLINE_BYTES:
            return await INTAKE.run(self._map, sent, principal)
        return self._map(sent, principal)

    def _map(self, sent: _Sent, principal: Principal) -> Batch:
        body = decode(sent.body, sent.encoding, self._max_body_bytes)
        _check_size(body, is_json=sent.is_json)
        received_ns = self._clock.now_ns()
        if sent.signal == "logs":
            logs = decode_json_logs(body) if sent.is_json else decode_protobuf_logs(body)
            return map_logs(logs, principal, received_ns, self._prices)
        raw_spans = decode_json(body) if sent.is_json else decode_protobuf(body)
        return map_spans(raw_spans, principal, received_ns, self._prices)


def _check_size(body: bytes, *, is_json: bool) -> None:
    if not is_json:
        protobuf_size.check(body, _MOST_MESSAGES)
    elif not json_size.is_surely_small(body, _JSON_LIMITS):
        json_size.check(body, _JSON_LIMITS)
