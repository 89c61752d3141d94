"""Answers of the OTLP intake in the encoding of the request; when which is sent is decided in `flow`."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sternpost.base.errors import SternpostError, StoreError
from sternpost.ingest.records import OtlpReply

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
Signal: TypeAlias = Literal["traces", "logs", "metrics", "langfuse_events", "langfuse_scores"]
LANGFUSE: Final[frozenset[Signal]] = frozenset({"langfuse_events", "langfuse_scores"})
_REJECTED: Mapping[Signal, str] = {
    "traces": "rejectedSpans",
    "logs": "rejectedLogRecords",
    "metrics": "rejectedDataPoints",
}
_RETRY_AFTER_S = "5"
# HTTP status -> google.rpc.Code
_RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 415: 3, 429: 8, 503: 14}
_RPC_INTERNAL = 13


def media_type(content_type: str) -> str:
    """Return the media type in lower case without its parameters; protobuf when there is none."""
    return content_type.partition(";")[0].strip().lower() or PROTOBUF


def accepted(content_type: str, rejected: int, why: str, signal: Signal = "traces") -> OtlpReply:
    """Say that all, or all but some, spans or records are kept; `why` alone is a warning."""
    if media_type(content_type) == JSON:
        partial = {"partialSuccess": {_REJECTED[signal]: str(rejected), "errorMessage": why}}
        return OtlpReply(200, {"content-type": JSON}, msgspec.json.encode(partial if why else {}))
    response = ExportTraceServiceResponse()  # those of the other signals have the same fields
    if why:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = why
    return OtlpReply(200, {"content-type": PROTOBUF}, response.SerializeToString())


def refused(content_type: str, error: SternpostError, *, status: int | None = None) -> OtlpReply:
    """Write an error as google.rpc.Status; a store that is full or away is to be tried again."""
    status = status or error.status
    code = _RPC_CODES.get(status, _RPC_INTERNAL)
    is_json = media_type(content_type) == JSON
    headers = {"content-type": JSON if is_json else PROTOBUF}
    if isinstance(error, StoreError):
        headers["retry-after"] = _RETRY_AFTER_S
    if is_json:
        return OtlpReply(status, headers, msgspec.json.encode({"code": code, "message": error.message}))
    return OtlpReply(status, headers, _rpc_status(code, error.message))


def _rpc_status(code: int, message: str) -> bytes:
    """Write google.rpc.Status{code=1, message=2}; its class is in a package we need for nothing else."""
    text = message.encode()[:2000]
    return bytes((0x08, code, 0x12)) + _varint(len(text)) + text


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
