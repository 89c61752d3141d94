"""One span that can't be read as it should never loses the others of its request."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.ingest.support import NOON, Desk, by_name, protobuf

PROTOBUF = "application/x-protobuf"
Span = dict[str, Any]


def pair(key: str, **value: object) -> dict[str, object]:
    return {"key": key, "value": value}


def span(name: str, number: int) -> Span:
    return {
        "traceId": "ab" * 16, "spanId": f"{number:016x}", "parentSpanId": "", "name": name,
        "startTimeUnixNano": str(NOON), "endTimeUnixNano": str(NOON + 5),
        "attributes": [pair("a", stringValue="v")], "events": [], "status": {"code": 0, "message": ""},
    }  # fmt: skip


def body(*spans: Span) -> Span:
    return {
        "resourceSpans": [
            {"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}
        ]
    }


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {"stringValue": "leaf"}
    for _ in range(levels):
        value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
    return value


KEPT: dict[str, Callable[[Span], object]] = {
    "half of an emoji": lambda s: s["attributes"].append(pair("b", stringValue="cut \ud83d")),
    "half of an emoji in a name": lambda s: s.update(name="bad \udd2a"),
    "31 levels": lambda s: s["attributes"].append({"key": "b", "value": nested(31)}),
    "200 levels": lambda s: s["attributes"].append({"key": "b", "value": nested(200)}),
    "no whole number": lambda s: s["attributes"].append(pair("b", intValue="1.5")),
    "a number beyond 64 bits": lambda s: s["attributes"].append(pair("b", intValue=2**70)),
    "text as a count": lambda s: s.update(droppedAttributesCount="3"),
    "attributes null": lambda s: s.update(attributes=None),
    "attributes as an object": lambda s: s.update(attributes={"b": 1}),
    "events null": lambda s: s.update(events=None),
    "event null": lambda s: s.update(events=[None]),
    "status as text": lambda s: s.update(status="STATUS_CODE_ERROR"),
    "status code unknown": lambda s: s.update(status={"code": "STATUS_CODE_NEW"}),
    "time as text": lambda s: s.update(startTimeUnixNano="yesterday"),
    "time null": lambda s: s.update(endTimeUnixNano=None),
    "time as a fraction": lambda s: s.update(startTimeUnixNano=1.5),
    "name missing": lambda s: s.update(name=None),
    "name a number": lambda s: s.update(name=7),
    "value of two kinds": lambda s: s["attributes"].append(pair("b", stringValue="x", intValue=1)),
    "value that is no object": lambda s: s["attributes"].append({"key": "b", "value": "x"}),
    "pair without a key": lambda s: s["attributes"].append({"value": {"stringValue": "x"}}),
    "bad parent": lambda s: s.update(parentSpanId="xyz"),
    "parent of zeros": lambda s: s.update(parentSpanId="0" * 16),
}
LOST: dict[str, Callable[[Span], object]] = {
    "trace id of 15 bytes": lambda s: s.update(traceId="ab" * 15),
    "trace id null": lambda s: s.update(traceId=None),
    "span id a number": lambda s: s.update(spanId=5),
    "span id of zeros": lambda s: s.update(spanId="0" * 16),
}


@pytest.mark.parametrize("what", [*KEPT, *LOST])
async def test_a_bad_span_in_json_leaves_the_others(desk: Desk, what: str) -> None:
    bad, good = span("bad", 1), span("good", 2)
    (KEPT | LOST)[what](bad)
    reply = await desk.send(json.dumps(body(bad, good)).encode())
    spans = desk.written()[0].spans
    assert (reply.status, "good" in {one.name for one in spans}) == (200, True)
    assert len(spans) == (1 if what in LOST else 2)
    assert json.loads(reply.body).get("partialSuccess", {}).get("rejectedSpans", "0") == str(2 - len(spans))


async def test_a_span_that_is_no_object_leaves_the_others(desk: Desk) -> None:
    reply = await desk.send(json.dumps(body("bad", span("good", 2))).encode())  # type: ignore[arg-type]
    assert json.loads(reply.body)["partialSuccess"]["rejectedSpans"] == "1"
    assert set(by_name(desk.written()[0])) == {"good"}


async def test_names_and_ids_as_protobufs_own_json_writes_them_are_read(desk: Desk) -> None:
    sent = {
        "trace_id": "q6urq6urq6urq6urq6urqw==", "span_id": "AAAAAAAAAAI=", "name": "snake",
        "start_time_unix_nano": str(NOON), "end_time_unix_nano": str(NOON + 5),
    }  # fmt: skip
    await desk.send(json.dumps({"resource_spans": [{"scope_spans": [{"spans": [sent]}]}]}).encode())
    (found,) = desk.written()[0].spans
    assert (found.name, found.trace_id, found.span_id) == ("snake", "ab" * 16, f"{2:016x}")


async def test_what_is_nested_too_deep_is_text(desk: Desk) -> None:
    one = span("deep", 1)
    one["attributes"].append({"key": "b", "value": nested(40)})
    await desk.send(json.dumps(body(one)).encode())
    (batch,) = desk.written()
    assert "leaf" in batch.spans[0].attributes["b"]


async def test_json_nested_beyond_any_reader_leaves_the_others(desk: Desk) -> None:
    bad, good = span("bad", 1), span("good", 2)
    bad["attributes"] = [pair("deep", arrayValue="MARK")]
    opened, closed = '{"values":[{"arrayValue":' * 20_000, "}]}" * 20_000
    sent = json.dumps(body(bad, good)).replace('"MARK"', f"{opened}null{closed}")
    reply = await desk.send(sent.encode())
    assert (reply.status, set(by_name(desk.written()[0]))) == (200, {"bad", "good"})


async def test_protobuf_nested_beyond_its_reader_leaves_the_others(desk: Desk) -> None:
    request = ExportTraceServiceRequest.FromString(proto_of(span("bad", 1), span("good", 2)))
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="deep").value
    for _ in range(60):
        value = value.array_value.values.add()
    value.string_value = "leaf"
    reply = await desk.send(request.SerializeToString(), content_type=PROTOBUF)
    assert (reply.status, set(by_name(desk.written()[0]))) == (200, {"bad", "good"})


def proto_of(*spans: Span) -> bytes:
    return protobuf(json.dumps(body(*spans)).encode())


async def test_text_that_is_no_utf8_in_protobuf_is_mended(desk: Desk) -> None:
    bad, good = span("bad", 1), span("good", 2)
    bad["attributes"] = [pair("note", stringValue="MARK and more")]
    bad["events"] = [{"name": "MARK", "timeUnixNano": str(NOON), "attributes": []}]
    sent = proto_of(bad, good).replace(b"MARK", b"M\xff\xfeK")
    reply = await desk.send(sent, content_type=PROTOBUF)
    found = by_name(desk.written()[0])
    assert (reply.status, set(found)) == (200, {"bad", "good"})
    assert found["bad"].attributes["note"] == "M\ufffd\ufffdK and more"


async def test_broken_bytes_of_one_span_in_protobuf_leave_the_others(desk: Desk) -> None:
    bad, good = span("bad", 1), span("good", 2)
    bad["attributes"] = [pair("note", stringValue="MARKMARK")]
    sent = proto_of(bad, good)
    at = sent.index(b"MARKMARK")
    broken = sent[: at - 1] + bytes([0x7F]) + sent[at:]  # a text that says it is longer than its span
    reply = await desk.send(broken, content_type=PROTOBUF)
    assert reply.status == 200
    assert set(by_name(desk.written()[0])) == {"good"}


async def test_a_span_that_cannot_be_mapped_is_kept_as_it_came(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("sternpost.ingest.batch.map_span", broken)
    reply = await desk.send(json.dumps(body(copy.deepcopy(span("odd", 1)))).encode())
    (found,) = desk.written()[0].spans
    assert (reply.status, found.name, found.attributes["a"]) == (200, "odd", "v")
    assert "can't be mapped" in caplog.text
