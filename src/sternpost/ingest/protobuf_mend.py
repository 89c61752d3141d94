"""Mends an OTLP request in protobuf that the strict reader refuses: text that is no UTF-8, deep nesting.

A span or log record whose bytes can't be walked is left out and counted; the rest of its batch is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

_FIXED64, _LENGTH = 1, 2
_MOST_DEPTH: Final = 30  # of values inside values; the strict reader takes 100 messages
_TOO_DEEP: Final = b"[nested too deeply to be kept]"
# Kind of message -> field number -> kind of its content; what is not named is copied.
# Source: opentelemetry-proto 1.x, trace.proto, logs.proto, common.proto, resource.proto.
_FIELDS: Final[Mapping[str, Mapping[int, str]]] = {
    "traces": {1: "resource_spans"},
    "resource_spans": {1: "resource", 2: "scope_spans", 3: "text"},
    "scope_spans": {1: "scope", 2: "span", 3: "text"},
    "span": {3: "text", 5: "text", 9: "pair", 11: "event", 13: "link", 15: "status"},
    "event": {2: "text", 3: "pair"},
    "link": {3: "text", 4: "pair"},
    "status": {2: "text"},
    "logs": {1: "resource_logs"},
    "resource_logs": {1: "resource", 2: "scope_logs", 3: "text"},
    "scope_logs": {1: "scope", 2: "log", 3: "text"},
    "log": {3: "text", 5: "value", 6: "pair", 12: "text"},
    "resource": {1: "pair"},
    "scope": {1: "text", 2: "text", 3: "pair"},
    "pair": {1: "text", 2: "value"},
    "value": {1: "text", 5: "list", 6: "map"},
    "list": {1: "value"},
    "map": {1: "pair"},
}
_UNITS: Final = frozenset({"span", "log"})  # what is left out alone


class Malformed(Exception):
    """The bytes are no protobuf of the expected kind."""


@dataclass(frozen=True, slots=True)
class Mended:
    body: bytes
    left_out: int


class _Field(NamedTuple):
    number: int
    wire: int
    head: bytes  # tag and length
    content: bytes


def mend(body: bytes, kind: str) -> Mended:
    """kind: `traces` or `logs`. Raises: Malformed, when even the envelope can't be walked."""
    left_out = [0]
    return Mended(_mended(body, kind, 0, left_out), left_out[0])


def _mended(body: bytes, kind: str, depth: int, left_out: list[int]) -> bytes:
    kinds = _FIELDS[kind]
    out = bytearray()
    for field in _fields(body):
        inner = kinds.get(field.number) if field.wire == _LENGTH else None
        if inner is None:
            out += field.head + field.content
            continue
        try:
            content = _content(field.content, inner, depth, left_out)
        except Malformed:
            if inner not in _UNITS:
                raise
            left_out[0] += 1
            continue
        out += _varint(field.number << 3 | _LENGTH) + _varint(len(content)) + content
    return bytes(out)


def _content(content: bytes, kind: str, depth: int, left_out: list[int]) -> bytes:
    if kind == "text":
        return content.decode("utf-8", "replace").encode()
    if kind != "value":
        return _mended(content, kind, depth, left_out)
    if depth > _MOST_DEPTH:
        return _varint(1 << 3 | _LENGTH) + _varint(len(_TOO_DEEP)) + _TOO_DEEP
    return _mended(content, kind, depth + 1, left_out)


def _fields(body: bytes) -> Iterator[_Field]:
    at, end = 0, len(body)
    while at < end:
        start = at
        tag, at = _read_varint(body, at)
        wire = tag & 7
        match wire:
            case 2:  # length
                size, at = _read_varint(body, at)
            case 0:  # varint
                size = _read_varint(body, at)[1] - at
            case 1 | 5:  # fixed
                size = 8 if wire == _FIXED64 else 4
            case _:
                raise Malformed
        if at + size > end or not tag >> 3:
            raise Malformed
        yield _Field(tag >> 3, wire, body[start:at], body[at : at + size])
        at += size


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for byte in body[at : at + 10]:
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Malformed


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
