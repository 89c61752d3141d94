"""The intake over a real journal, and what it wrote there."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.clock import ManualClock
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.cost.service import PriceBook, open_price_book
from sternpost.contracts.call import Principal
from sternpost.contracts.journal import BatchEntry, JournalEntry
from sternpost.contracts.key_scope import ALL_SCOPES
from sternpost.contracts.message import Json
from sternpost.contracts.span import Span, SpanBundle
from sternpost.ingest.flow import OtlpIntake
from sternpost.ingest.otlp_decode import decode_json
from sternpost.ingest.records import OtlpReply, RawSpan, Sender

FIXTURES = Path(__file__).parent / "fixtures"
PROJECT = ProjectId("prj_1")
OWNER = Principal(PROJECT, KeyId("key_1"), "test", scopes=ALL_SCOPES)
SENDER = Sender(PROJECT, KeyId("key_1"))
NOON = 1_795_176_000_000_000_000  # 2026-11-20 12:00 UTC, when the fixtures' spans start
PRICES: PriceBook = open_price_book()


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def raw_spans(name: str) -> list[RawSpan]:
    return decode_json(fixture(name))


def protobuf(body: bytes) -> bytes:
    """Write OTLP JSON as protobuf; its ids are hex, where protobuf's own JSON form has base64."""
    request = json.loads(body)
    for resource_spans in request["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    span[name] = msgspec.json.decode(msgspec.json.encode(bytes.fromhex(span[name])))
    return ParseDict(request, ExportTraceServiceRequest()).SerializeToString()


class Desk:
    """An intake with its journal, read back without a store."""

    def __init__(self, folder: Path, now_ns: int = NOON + 10**9) -> None:
        self.journal = SegmentJournal(folder)
        self.reader = SegmentReader(folder)
        self.intake = OtlpIntake(self.journal, PRICES, ManualClock(now_ns), max_body_bytes=1_000_000)

    async def send(
        self,
        body: bytes,
        *,
        content_type: str = "application/json",
        encoding: str = "",
        principal: Principal = OWNER,
    ) -> OtlpReply:
        return await self.intake.handle(
            content_type=content_type, content_encoding=encoding, body=body, principal=principal
        )

    def written(self) -> list[SpanBundle]:
        records = self.reader.read(max_records=1000, max_bytes=10**9)
        entries = [msgspec.msgpack.decode(record.payload, type=JournalEntry) for record in records]
        return [entry.batch for entry in entries if isinstance(entry, BatchEntry)]

    def close(self) -> None:
        self.reader.close()
        self.journal.close()


def texts(batch: SpanBundle, hashes: Sequence[str]) -> list[tuple[str, Json]]:
    """Return (role, text of the first part) of each message."""
    bodies = {content.hash: json.loads(content.body) for content in batch.contents}
    return [(bodies[h]["role"], bodies[h]["parts"][0].get("content")) for h in hashes]


def by_name(batch: SpanBundle) -> dict[str, Span]:
    return {span.name: span for span in batch.spans}
