"""Writes AWS's binary event stream for tests: frames as Bedrock sends them, and broken ones.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html; checked against botocore's parser in
tests/unit/dialects/bedrock/test_event_stream.py.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32


def string_header(name: str, value: str) -> bytes:
    return typed_header(name, 7, struct.pack(">H", len(value.encode())) + value.encode())


def typed_header(name: str, kind: int, value: bytes) -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([kind]) + value


def frame(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return head + struct.pack(">I", crc32(head))


def event(name: str, payload: Mapping[str, Any]) -> bytes:
    return _named("event", name, payload)


def exception(name: str, message: str) -> bytes:
    return _named("exception", name, {"message": message})


def error(code: str, message: str) -> bytes:
    headers = [(":message-type", "error"), (":error-code", code), (":error-message", message)]
    return frame(b"".join(string_header(*header) for header in headers), b"")


def bad_sum(whole: bytes) -> bytes:
    """The same frame with one bit of its payload turned."""
    position = len(whole) - 6
    return whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]


def stream(*events: tuple[str, Mapping[str, Any]]) -> bytes:
    return b"".join(event(name, payload) for name, payload in events)


def _named(kind: str, name: str, payload: Mapping[str, Any]) -> bytes:
    headers = [
        (f":{kind}-type", name),
        (":content-type", "application/json"),
        (":message-type", kind),
    ]
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return frame(b"".join(string_header(*header) for header in headers), body)
