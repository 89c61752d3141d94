"""An OTLP request's messages are counted before they become objects."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sternpost.base.errors import BadRequest, BodyTooLarge
from sternpost.ingest.protobuf_size import check

PADDING = "x" * 300_000  # a small body is not counted at all


def request_with(attributes: int) -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name = PADDING
    for number in range(attributes):
        span.attributes.add(key=f"k{number}").value.int_value = number
    span.attributes.add(key="list").value.array_value.values.add().int_value = 1
    span.events.add(time_unix_nano=7).attributes.add(key="e")
    span.links.add(trace_id=b"a" * 16).attributes.add(key="l")
    return request.SerializeToString()


def test_messages_of_every_level_are_counted_exactly() -> None:
    # 3 to the span, 2 per attribute, 4 of the list, 2 of the event, 2 of the link
    count = 3 + 2 * 1000 + 4 + 2 + 2
    check(request_with(1000), count)
    with pytest.raises(BodyTooLarge):
        check(request_with(1000), count - 1)


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x0a\x00" * 2_000_000,
        b"\x0a\xff\xff\xff\x7f" + b"\x12\x00" * 2_000_000,  # says that it is longer than the body
        b"\x0a\x04\x12\x02\x12\x00" * 400_000,
    ],
)
def test_many_empty_messages_are_refused(hostile: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        check(hostile, 500_000)


def test_endless_nesting_ends_in_a_sentence() -> None:
    value = b"\x0a" * 300_000
    for field in (b"\x0a", b"\x2a") * 60:
        value = field + _length(value) + value
    for field in (b"\x12", b"\x4a", b"\x12", b"\x12", b"\x0a"):
        value = field + _length(value) + value
    with pytest.raises(BadRequest, match="deeply"):
        check(value, 100)


def _length(value: bytes) -> bytes:
    size, out = len(value), bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size])


@pytest.mark.parametrize("body", [b"\xff" * 300_000, b"\x0b\x0a" * 200_000, b"\x0a" * 300_001, b""])
def test_what_is_no_protobuf_is_left_to_its_reader(body: bytes) -> None:
    check(body, 200_000)
