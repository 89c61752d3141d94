"""The hand-written encoder against the generated protobuf classes."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from sternpost.base.ids import SpanId, TraceId
from sternpost.sdk.otlp import encode_batch, read_rejection
from sternpost.sdk.records import FinishedSpan, SpanEvent
from tests.unit.sdk.conftest import plain

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
INT64 = st.integers(-(2**63), 2**63 - 1)
ATTRIBUTES = st.dictionaries(TEXT, TEXT | st.booleans() | INT64 | st.floats(allow_nan=False), max_size=5)


@given(name=TEXT, attributes=ATTRIBUTES, event=ATTRIBUTES, started_ns=st.integers(0, 2**63), error=TEXT)
def test_what_is_encoded_is_what_protobuf_decodes(name, attributes, event, started_ns, error) -> None:
    span = FinishedSpan(
        trace_id=TraceId("0af7651916cd43dd8448eb211c80319c"),
        span_id=SpanId("b7ad6b7169203331"),
        parent_span_id=SpanId("00f067aa0ba902b7"),
        name=name,
        kind="client",
        started_ns=started_ns,
        ended_ns=started_ns + 5,
        attributes=attributes,
        events=(SpanEvent("exception", started_ns, event),),
        error=error,
        is_error=True,
    )

    read = ExportTraceServiceRequest.FromString(encode_batch({"service.name": "bot"}, "0.1.0", [span, span]))

    (resource,) = read.resource_spans
    assert plain(resource.resource.attributes) == {"service.name": "bot"}
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version, len(scope.spans)) == ("sternpost.sdk", "0.1.0", 2)
    decoded = scope.spans[0]
    assert (decoded.trace_id.hex(), decoded.span_id.hex()) == (span.trace_id, span.span_id)
    assert (decoded.parent_span_id.hex(), decoded.name, decoded.kind) == (span.parent_span_id, name, 3)
    assert (decoded.start_time_unix_nano, decoded.end_time_unix_nano) == (started_ns, started_ns + 5)
    assert plain(decoded.attributes) == attributes
    assert [(one.name, plain(one.attributes)) for one in decoded.events] == [("exception", event)]
    assert (decoded.status.code, decoded.status.message) == (2, error)


def test_a_lone_surrogate_is_replaced() -> None:
    span = FinishedSpan(TraceId("0" * 32), SpanId("0" * 16), None, "\ud800", "internal", 0, 0, {})

    read = ExportTraceServiceRequest.FromString(encode_batch({}, "", [span]))

    assert read.resource_spans[0].scope_spans[0].spans[0].name == "?"


@given(count=st.integers(0, 2**31), message=TEXT)
def test_a_rejection_is_read(count: int, message: str) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=count, error_message=message)
    reply = ExportTraceServiceResponse(partial_success=partial)

    assert read_rejection(reply.SerializeToString()) == (count, message)


@given(st.binary(max_size=100))
def test_any_bytes_can_be_read_as_a_reply(reply: bytes) -> None:
    count, message = read_rejection(reply)

    assert isinstance(count, int)
    assert isinstance(message, str)
