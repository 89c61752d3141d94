import gzip
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits
from sternpost.base.clock import ManualClock
from sternpost.contracts.journal import JournalState
from sternpost.ingest.flow import OtlpIntake
from tests.unit.ingest.support import NOON, OWNER, PRICES, Desk, by_name, fixture, protobuf

PROTOBUF = "application/x-protobuf"


async def test_json_and_protobuf_of_one_request_are_the_same_rows(desk: Desk) -> None:
    body = fixture("otel_genai")
    as_json = await desk.send(body, content_type="application/json; charset=utf-8")
    as_protobuf = await desk.send(protobuf(body), content_type=PROTOBUF)
    assert (as_json.status, as_json.body, as_json.headers["content-type"]) == (200, b"{}", "application/json")
    assert (as_protobuf.status, as_protobuf.headers["content-type"]) == (200, PROTOBUF)
    first, second = desk.written()
    assert first == second


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress), ("identity", bytes)],
)
async def test_packed_body_is_unpacked(desk: Desk, encoding: str, pack) -> None:
    reply = await desk.send(pack(fixture("openinference")), encoding=encoding)
    assert reply.status == 200
    assert len(desk.written()[0].spans) == 1


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_bomb_is_refused_before_it_unfolds(desk: Desk, encoding: str, pack) -> None:
    reply = await desk.send(pack(b"\0" * 50_000_000), encoding=encoding)
    assert reply.status == 413
    assert json.loads(reply.body)["code"] == 8


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "status"),
    [
        (b"{", "application/json", "", 400),
        (b'{"resourceSpans": 3}', "application/json", "", 400),
        (b"\xff\xff\xff", PROTOBUF, "", 400),
        (b"not gzip", "application/json", "gzip", 400),
        (gzip.compress(b"{}" * 1000, mtime=0)[:-10], "application/json", "gzip", 400),
        (b"not zstd", "application/json", "zstd", 400),
        (gzip.compress(b"{}" * 1000, mtime=0) + b"more", "application/json", "gzip", 400),
        (zstandard.compress(b"{}" * 1000)[:-3], "application/json", "zstd", 400),
        (b"{}", "application/json", "br", 415),
        (b"[" * 100_000, "application/json", "", 400),
        (b'{"resourceSpans":[' + b"{}," * 1_100_000 + b"{}]}", "application/json", "", 413),
        (b"{}", "text/plain", "", 415),
        (b" " * 1_000_001, "application/json", "", 413),
    ],
)
async def test_request_that_cannot_be_read_is_refused(
    desk: Desk, body: bytes, content_type: str, encoding: str, status: int
) -> None:
    reply = await desk.send(body, content_type=content_type, encoding=encoding)
    assert reply.status == status
    assert reply.body
    assert desk.written() == []


async def test_refusal_in_protobuf_is_an_rpc_status(desk: Desk) -> None:
    reply = await desk.send(b"\xff\xff\xff", content_type=PROTOBUF)
    assert reply.headers["content-type"] == PROTOBUF
    assert reply.body[:2] == b"\x08\x03"  # field 1, INVALID_ARGUMENT
    assert b"ExportTraceServiceRequest" in reply.body


async def test_span_without_a_valid_id_is_rejected_and_the_rest_kept(desk: Desk) -> None:
    body = json.loads(fixture("sternpost_sdk"))
    spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[0]["traceId"] = "00" * 16
    spans[1]["spanId"] = "xyz"
    reply = await desk.send(json.dumps(body).encode())
    partial = json.loads(reply.body)["partialSuccess"]
    assert partial == {"rejectedSpans": "2", "errorMessage": "a span has no valid trace id (16 bytes)"}
    assert len(desk.written()[0].spans) == 1  # of two left, one is only a score


async def test_rejection_in_protobuf_says_how_many(desk: Desk) -> None:
    body = json.loads(fixture("otel_genai"))
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"] = "00" * 8
    reply = await desk.send(protobuf(json.dumps(body).encode()), content_type=PROTOBUF)
    assert ExportTraceServiceResponse.FromString(reply.body).partial_success.rejected_spans == 1


async def test_full_journal_answers_503_with_retry_after(tmp_path: Path) -> None:
    journal = SegmentJournal(tmp_path / "journal", JournalLimits(), free=lambda _: 0)
    desk = Desk(tmp_path / "other")
    desk.intake = OtlpIntake(journal, PRICES, ManualClock(NOON), max_body_bytes=1_000_000)
    state: JournalState = journal.state()
    reply = await desk.send(fixture("otel_genai"))
    journal.close()
    desk.close()
    assert not state.is_writable
    assert (reply.status, int(reply.headers["retry-after"]) > 0) == (503, True)
    assert json.loads(reply.body)["code"] == 14
    assert (desk.intake.counts.refused, desk.intake.counts.spans) == (1, 0)


async def test_times_that_cannot_be_are_straightened(desk: Desk) -> None:
    body = json.loads(fixture("sternpost_sdk"))
    spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"][:3]
    spans[0] |= {
        "startTimeUnixNano": str(NOON + 86_400 * 10**9),
        "endTimeUnixNano": str(NOON + 86_401 * 10**9),
    }
    spans[1] |= {"endTimeUnixNano": "5"}
    spans[2] |= {"startTimeUnixNano": 0, "endTimeUnixNano": 0}
    body["resourceSpans"][0]["scopeSpans"][0]["spans"] = spans
    await desk.send(json.dumps(body).encode())
    received_ns = NOON + 10**9
    shown = {name: (s.started_ns, s.ended_ns) for name, s in by_name(desk.written()[0]).items()}
    assert shown == {
        "answer": (received_ns, received_ns + 10**9),
        "retrieval docs": (NOON, NOON),
        "execute_tool look_up": (received_ns, received_ns),
    }


async def test_large_and_many_attributes_stay_bounded_in_the_row(desk: Desk) -> None:
    body = json.loads(fixture("otel_genai"))
    span = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    extra = [{"key": f"k{n:03}", "value": {"stringValue": "v"}} for n in range(300)]
    span["attributes"] += [*extra, {"key": "a_big_one", "value": {"stringValue": "x" * 5000}}]
    span["droppedAttributesCount"] = 7
    await desk.send(json.dumps(body).encode())
    batch = desk.written()[0]
    attributes = batch.spans[0].attributes
    reference = attributes["a_big_one"]
    assert reference.startswith("sternpost:content:")
    assert next(c.body for c in batch.contents if reference.endswith(c.hash)) == msgspec.json.encode(
        "x" * 5000
    )
    assert int(attributes["dropped_attributes"]) > 7
    assert len(attributes) <= 260


async def test_opentelemetry_sdk_spans_are_taken(desk: Desk) -> None:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415

    bodies: list[bytes] = []

    class Exporter(SpanExporter):
        def export(self, spans) -> SpanExportResult:
            bodies.append(encode_spans(spans).SerializeToString())
            return SpanExportResult.SUCCESS

    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(Exporter()))
    tracer = provider.get_tracer("test", "1.0")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("chat m") as inner:
        inner.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    for body in bodies:
        assert (await desk.send(body, content_type=PROTOBUF)).status == 200
    spans = {span.name: span for batch in desk.written() for span in batch.spans}
    assert spans["chat m"].parent_span_id == spans["outer"].span_id
    assert (spans["chat m"].trace.service, spans["chat m"].scope) == ("shop", "test@1.0")


@pytest.mark.parametrize(
    ("said", "environment", "kept"),
    [("production", "production", None), ("prod", "staging", "prod"), ("", "staging", None)],
)
async def test_a_span_counts_in_the_environment_it_names_or_in_its_keys(
    desk: Desk, said: str, environment: str, kept: str | None
) -> None:
    request = json.loads(fixture("otel_genai"))
    told = {"key": "deployment.environment.name", "value": {"stringValue": said}}
    for one in request["resourceSpans"]:
        one["resource"]["attributes"] = [told]
    await desk.send(json.dumps(request).encode(), principal=replace(OWNER, environment="staging"))
    spans = desk.written()[0].spans
    assert {span.trace.environment for span in spans} == {environment}
    assert {span.attributes.get("deployment.environment.name") for span in spans} == {kept}
