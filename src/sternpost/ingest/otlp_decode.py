"""OTLP bytes, protobuf or JSON, as raw spans and log records; what they mean belongs to `mapping`.

A request that the strict readers refuse is read once more by `json_loose`, or repaired by `protobuf_mend`, so
that one bad span never costs its batch.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeVar

import msgspec
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.ingest.json_loose import MOST_DEPTH, hex_id, is_error_code, loose_logs, loose_spans
from sternpost.ingest.protobuf_mend import Malformed, mend
from sternpost.ingest.records import RawEvent, RawLog, RawSpan

_STATUS_ERROR = 2
_INT64 = 2**63
_Request = TypeVar("_Request", ExportTraceServiceRequest, ExportLogsServiceRequest)


def _parsed(kind: type[_Request], name: str, body: bytes) -> tuple[_Request, int]:
    """Return a request and how many of its spans or records had to be left out."""
    try:
        return kind.FromString(body), 0
    except DecodeError:
        pass
    try:
        mended = mend(body, name)
        return kind.FromString(mended.body), mended.left_out
    except (Malformed, DecodeError):
        raise BadRequest(f"the body is not an OTLP {kind.DESCRIPTOR.name} in protobuf") from None


def decode_protobuf(body: bytes) -> list[RawSpan]:
    """Raises: BadRequest when the bytes are no ExportTraceServiceRequest."""
    request, left_out = _parsed(ExportTraceServiceRequest, "traces", body)
    spans = [RawSpan("", "", "", "", 0, 0, {}, fault="a span is broken protobuf")] * left_out
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope.name, scope_spans.scope.version)
            spans.extend(_span(span, resource, scope) for span in scope_spans.spans)
    return spans


def decode_protobuf_logs(body: bytes) -> list[RawLog]:
    """Raises: BadRequest when the bytes are no ExportLogsServiceRequest."""
    request, left_out = _parsed(ExportLogsServiceRequest, "logs", body)
    logs = [RawLog("", "", "", 0, 0, "", None, {}, fault="a log record is broken protobuf")] * left_out
    for resource_logs in request.resource_logs:
        resource = _attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            scope = _scope(scope_logs.scope.name, scope_logs.scope.version)
            logs.extend(_log(record, resource, scope) for record in scope_logs.log_records)
    return logs


def _log(record: LogRecord, resource: dict[str, Json], scope: str) -> RawLog:
    return RawLog(
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        event_name=record.event_name,
        at_ns=record.time_unix_nano or record.observed_time_unix_nano,
        severity=record.severity_number,
        severity_text=record.severity_text,
        body=_value(record.body, 0),
        attributes=_attributes(record.attributes),
        resource=resource,
        scope=scope,
    )


def _span(span: ProtoSpan, resource: dict[str, Json], scope: str) -> RawSpan:
    return RawSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=tuple(
            RawEvent(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events
        ),
        is_error=span.status.code == _STATUS_ERROR,
        status_message=span.status.message,
        dropped_attributes=span.dropped_attributes_count,
        resource=resource,
        scope=scope,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Json]:
    return {pair.key: _value(pair.value, 0) for pair in pairs}


def _value(value: AnyValue, depth: int) -> Json:
    if depth > MOST_DEPTH:
        return MessageToJson(value, indent=None)
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "array_value":
            return [_value(item, depth + 1) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case _:
            return None


# OTLP's JSON form: ids in hex, 64-bit integers as number or text, enums as number or name.
_Int: TypeAlias = int | str


class _JsonArray(msgspec.Struct, rename="camel"):
    values: "list[_JsonValue]" = []


class _JsonValue(msgspec.Struct, rename="camel", omit_defaults=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: _Int | None = None
    double_value: float | str | None = None
    array_value: _JsonArray | None = None
    kvlist_value: "_JsonPairs | None" = None
    bytes_value: str | None = None


class _JsonPair(msgspec.Struct):
    key: str
    value: _JsonValue | None = None


class _JsonPairs(msgspec.Struct):
    values: list[_JsonPair] = []


class _JsonEvent(msgspec.Struct, rename="camel"):
    name: str = ""
    time_unix_nano: _Int = 0
    attributes: list[_JsonPair] | None = None


class _JsonStatus(msgspec.Struct):
    code: _Int = 0
    message: str = ""


class _JsonSpan(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = ""
    name: str = ""
    start_time_unix_nano: _Int = 0
    end_time_unix_nano: _Int = 0
    attributes: list[_JsonPair] | None = None
    events: list[_JsonEvent] | None = None
    status: _JsonStatus | None = None
    dropped_attributes_count: _Int = 0


class _JsonScope(msgspec.Struct):
    name: str = ""
    version: str = ""


class _JsonScopeSpans(msgspec.Struct):
    scope: _JsonScope | None = None
    spans: list[_JsonSpan] = []


class _JsonResource(msgspec.Struct):
    attributes: list[_JsonPair] = []


class _JsonResourceSpans(msgspec.Struct, rename="camel"):
    resource: _JsonResource | None = None
    scope_spans: list[_JsonScopeSpans] = []


class _JsonRequest(msgspec.Struct, rename="camel"):
    resource_spans: list[_JsonResourceSpans] = []


_DECODE_JSON = msgspec.json.Decoder(_JsonRequest)


def decode_json(body: bytes) -> list[RawSpan]:
    """Raises: BadRequest naming the place that can't be read."""
    try:
        request = _DECODE_JSON.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return loose_spans(body)
    if not request.resource_spans and b"resource_spans" in body[:4096]:
        return loose_spans(body)
    spans: list[RawSpan] = []
    for resource_spans in request.resource_spans:
        resource = _json_attributes(resource_spans.resource.attributes if resource_spans.resource else [])
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope or _JsonScope()
            name = _scope(scope.name, scope.version)
            spans.extend(_json_span(span, resource, name) for span in scope_spans.spans)
    return spans


def _json_span(span: _JsonSpan, resource: dict[str, Json], scope: str) -> RawSpan:
    status = span.status or _JsonStatus()
    return RawSpan(
        trace_id=hex_id(span.trace_id),
        span_id=hex_id(span.span_id),
        parent_span_id=hex_id(span.parent_span_id or ""),
        name=span.name,
        started_ns=_int(span.start_time_unix_nano),
        ended_ns=_int(span.end_time_unix_nano),
        attributes=_json_attributes(span.attributes),
        events=tuple(
            RawEvent(event.name, _int(event.time_unix_nano), _json_attributes(event.attributes))
            for event in span.events or ()
        ),
        is_error=is_error_code(status.code),
        status_message=status.message,
        dropped_attributes=max(_int(span.dropped_attributes_count), 0),
        resource=resource,
        scope=scope,
    )


def _json_attributes(pairs: Sequence[_JsonPair] | None) -> dict[str, Json]:
    return {pair.key: _json_value(pair.value, 0) for pair in pairs or ()}


def _json_value(value: _JsonValue | None, depth: int) -> Json:
    if value is None:
        return None
    if depth > MOST_DEPTH:
        return msgspec.json.encode(value).decode()
    if value.array_value is not None:
        return [_json_value(item, depth + 1) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {pair.key: _json_value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    if value.int_value is not None:
        return _whole_number(value.int_value)
    scalars = (value.string_value, value.bool_value, value.double_value, value.bytes_value)
    return next((scalar for scalar in scalars if scalar is not None), None)


def _int(value: _Int) -> int:
    try:
        return int(value)
    except ValueError:
        return 0


def _whole_number(value: _Int) -> Json:
    """Return a 64-bit integer; anything else is kept as it was written."""
    try:
        number = int(value)
    except ValueError:
        return value
    return number if -_INT64 <= number < _INT64 else str(value)


def _scope(name: str, version: str) -> str:
    return f"{name}@{version}" if version else name


def decode_json_logs(body: bytes) -> list[RawLog]:
    """Raises: BadRequest when the bytes are no JSON object."""
    return loose_logs(body)
