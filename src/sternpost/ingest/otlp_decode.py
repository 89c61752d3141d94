"""OTLP trace bytes, protobuf or JSON, as raw spans; what their attributes mean belongs to `mapping`."""

import base64
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.ingest.records import RawEvent, RawSpan

_MAX_DEPTH = 30
_STATUS_ERROR = 2


def decode_protobuf(body: bytes) -> list[RawSpan]:
    """Raises: BadRequest when the bytes are no ExportTraceServiceRequest."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        raise BadRequest("the body is not an OTLP ExportTraceServiceRequest in protobuf") from None
    spans: list[RawSpan] = []
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope.name, scope_spans.scope.version)
            spans.extend(_span(span, resource, scope) for span in scope_spans.spans)
    return spans


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
    if depth > _MAX_DEPTH:
        raise BadRequest(f"an attribute is nested deeper than {_MAX_DEPTH} levels")
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


class _JsonValue(msgspec.Struct, rename="camel"):
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
    attributes: list[_JsonPair] = []


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
    attributes: list[_JsonPair] = []
    events: list[_JsonEvent] = []
    status: _JsonStatus | None = None
    dropped_attributes_count: int = 0


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
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not an OTLP trace request in JSON: {error}") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
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
        trace_id=span.trace_id.lower(),
        span_id=span.span_id.lower(),
        parent_span_id=(span.parent_span_id or "").lower(),
        name=span.name,
        started_ns=_int(span.start_time_unix_nano),
        ended_ns=_int(span.end_time_unix_nano),
        attributes=_json_attributes(span.attributes),
        events=tuple(
            RawEvent(event.name, _int(event.time_unix_nano), _json_attributes(event.attributes))
            for event in span.events
        ),
        is_error=status.code in (_STATUS_ERROR, "2", "STATUS_CODE_ERROR"),
        status_message=status.message,
        dropped_attributes=span.dropped_attributes_count,
        resource=resource,
        scope=scope,
    )


def _json_attributes(pairs: Sequence[_JsonPair]) -> dict[str, Json]:
    return {pair.key: _json_value(pair.value, 0) for pair in pairs}


def _json_value(value: _JsonValue | None, depth: int) -> Json:
    if value is None:
        return None
    if depth > _MAX_DEPTH:
        raise BadRequest(f"an attribute is nested deeper than {_MAX_DEPTH} levels")
    if value.array_value is not None:
        return [_json_value(item, depth + 1) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {pair.key: _json_value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    if value.int_value is not None:
        return _int(value.int_value)
    scalars = (value.string_value, value.bool_value, value.double_value, value.bytes_value)
    return next((scalar for scalar in scalars if scalar is not None), None)


def _int(value: _Int) -> int:
    try:
        return int(value)
    except ValueError:
        raise BadRequest(f"{value[:40]!r} is not a whole number" if isinstance(value, str) else "") from None


def _scope(name: str, version: str) -> str:
    return f"{name}@{version}" if version else name
