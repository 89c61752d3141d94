"""Writes spans as OTLP protobuf; a small encoder, because the generated classes take 70 ms to import.

Field numbers: opentelemetry-proto, trace.proto and common.proto v1. The tests decode with those classes.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

from sternpost.sdk.records import AttributeValue, FinishedSpan, SpanEvent

_VARINT, _FIXED64, _LENGTH = 0, 1, 2
_KINDS = {"internal": 1, "client": 3}
_STATUS_ERROR = 2


def encode_batch(
    resource: Mapping[str, AttributeValue], scope_version: str, spans: Sequence[FinishedSpan]
) -> bytes:
    """Return an ExportTraceServiceRequest with one resource and one scope."""
    scope = _text(1, "sternpost.sdk") + _text(2, scope_version)
    body = [_message(1, scope), *(_message(2, _span(span)) for span in spans)]
    return _message(1, _message(1, _attributes(1, resource)) + _message(2, b"".join(body)))


def read_rejection(reply: bytes) -> tuple[int, str]:
    """Read how many spans an ExportTraceServiceResponse rejects, and why; (0, "") when none."""
    partial = dict(_fields(reply)).get(1, b"")
    if not isinstance(partial, bytes):
        return 0, ""
    found = dict(_fields(partial))
    count, message = found.get(1, 0), found.get(2, b"")
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else ""
    return count if isinstance(count, int) else 0, text


def _span(span: FinishedSpan) -> bytes:
    parts = [_bytes(1, bytes.fromhex(span.trace_id)), _bytes(2, bytes.fromhex(span.span_id))]
    if span.parent_span_id:
        parts.append(_bytes(4, bytes.fromhex(span.parent_span_id)))
    parts += [
        _text(5, span.name),
        _varint_field(6, _KINDS[span.kind]),
        _fixed64(7, span.started_ns),
        _fixed64(8, span.ended_ns),
        _attributes(9, span.attributes),
        *(_message(11, _event(event)) for event in span.events),
    ]
    if span.is_error:
        parts.append(_message(15, _text(2, span.error) + _varint_field(3, _STATUS_ERROR)))
    return b"".join(parts)


def _event(event: SpanEvent) -> bytes:
    return _fixed64(1, event.at_ns) + _text(2, event.name) + _attributes(3, event.attributes)


def _attributes(number: int, attributes: Mapping[str, AttributeValue]) -> bytes:
    return b"".join(_message(number, _text(1, key) + _message(2, _value(v))) for key, v in attributes.items())


def _value(value: AttributeValue) -> bytes:
    if isinstance(value, bool):
        return _varint_field(2, int(value))
    if isinstance(value, int):
        return _varint_field(3, value & 0xFFFF_FFFF_FFFF_FFFF)  # two's complement, as protobuf wants
    if isinstance(value, float):
        return _varint(4 << 3 | _FIXED64) + struct.pack("<d", value)
    return _text(1, value)


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode("utf-8", "replace"))


def _message(number: int, body: bytes) -> bytes:
    return _bytes(number, body)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _fixed64(number: int, value: int) -> bytes:
    return _varint(number << 3 | _FIXED64) + struct.pack("<Q", value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(message: bytes) -> Iterable[tuple[int, int | bytes]]:
    """Yield (number, value) of varint and length-delimited fields; stops at anything else."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        if tag & 7 == _VARINT:
            value, at = _read_varint(message, at)
            yield tag >> 3, value
        elif tag & 7 == _LENGTH:
            size, at = _read_varint(message, at)
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            return


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, at
