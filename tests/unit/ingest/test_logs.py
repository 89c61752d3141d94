"""Log records of GenAI events, as OpenTelemetry's own instrumentations send them."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from sternpost.contracts.span import SpanStatus, SpanType
from tests.unit.ingest.support import NOON, OWNER, Desk, texts

TRACE, SPAN = "ab" * 16, "cd" * 8
PROTOBUF = "application/x-protobuf"
Record = dict[str, Any]


def value(content: object) -> dict[str, object]:
    if isinstance(content, dict):
        return {
            "kvlistValue": {"values": [{"key": name, "value": value(one)} for name, one in content.items()]}
        }
    if isinstance(content, list):
        return {"arrayValue": {"values": [value(one) for one in content]}}
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(content), "stringValue")
    return {kind: content}


def record(
    name: str, body: object = None, *, span: str = SPAN, trace: str = TRACE, **attributes: object
) -> Record:
    told = {**attributes, **({"event.name": name} if name else {})}
    pairs = [{"key": key.replace("__", "."), "value": value(one)} for key, one in told.items()]
    found: Record = {"timeUnixNano": str(NOON), "traceId": trace, "spanId": span, "attributes": pairs}
    return found | ({} if body is None else {"body": value(body)})


def request(*records: Record) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}).encode()


DEPRECATED = (
    record("gen_ai.user.message", {"content": "How warm?"}, gen_ai__system="openai"),
    record(
        "gen_ai.choice",
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It is warm."}},
    ),
)
DETAILS = record(
    "gen_ai.client.inference.operation.details",
    gen_ai__operation__name="chat", gen_ai__request__model="gpt-5-mini", gen_ai__provider__name="openai",
    gen_ai__usage__input_tokens=100, gen_ai__usage__output_tokens=50,
    **{
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "It is warm."}]}
        ],
    },
)  # fmt: skip
ADK = (
    record("gen_ai.user.message", {"content": {"role": "user", "parts": [{"text": "How warm?"}]}}),
    record("gen_ai.choice", {"index": 0, "content": {"role": "model", "parts": [{"text": "It is warm."}]}}),
)


async def send(desk: Desk, *records: Record) -> dict[str, Any]:
    reply = await desk.intake.handle(
        content_type="application/json",
        content_encoding="",
        body=request(*records),
        principal=OWNER,
        signal="logs",
    )
    assert reply.status == 200
    return json.loads(reply.body)


@pytest.mark.parametrize("records", [DEPRECATED, (DETAILS,), ADK], ids=["deprecated", "details", "adk"])
async def test_messages_in_log_records_hang_below_their_span(desk: Desk, records: tuple[Record, ...]) -> None:
    await send(desk, *records)
    await send(desk, *records)
    first, second = desk.written()
    (span,) = first.spans
    assert first == second
    assert (span.type, span.trace_id, span.parent_span_id) == (SpanType.EVENT, TRACE, SPAN)
    assert texts(first, span.input_hashes) == [("user", "How warm?")]
    assert texts(first, span.output_hashes) == [("assistant", "It is warm.")]
    assert (span.attributes["sternpost.logs_of"], span.cost) == (SPAN, None)


async def test_protobuf_and_json_of_the_same_records_are_the_same_rows(desk: Desk) -> None:
    await send(desk, *DEPRECATED)
    body = json.loads(request(*DEPRECATED))
    for one in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        one |= {"traceId": "q6urq6urq6urq6urq6urqw==", "spanId": "zc3Nzc3Nzc0="}
    await desk.intake.handle(
        content_type=PROTOBUF, content_encoding="", principal=OWNER, signal="logs",
        body=ParseDict(body, ExportLogsServiceRequest()).SerializeToString(),
    )  # fmt: skip
    first, second = desk.written()
    assert first == second


async def test_a_call_told_by_its_event_alone_is_a_call(desk: Desk) -> None:
    await send(desk, {**DETAILS, "traceId": "", "spanId": ""})
    (span,) = desk.written()[0].spans
    assert (span.type, span.name, span.parent_span_id) == (SpanType.LLM, "chat gpt-5-mini", None)
    assert (span.usage is not None, span.cost is not None, span.preview_input) == (True, True, "How warm?")


async def test_an_evaluation_in_a_log_record_scores_its_span(desk: Desk) -> None:
    told = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.7}
    await send(
        desk, record("gen_ai.evaluation.result", **told), record("gen_ai.evaluation.result", span="", **told)
    )
    (batch,) = desk.written()
    assert batch.spans == ()
    assert [(s.name, s.value, s.span_id, s.source) for s in batch.scores] == [
        ("relevance", 0.7, SPAN, "api"), ("relevance", 0.7, None, "api"),
    ]  # fmt: skip
    assert len({score.score_id for score in batch.scores}) == 2


async def test_an_evaluation_that_names_only_a_reply_waits_for_its_span(desk: Desk) -> None:
    told = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.7}
    named = record("gen_ai.evaluation.result", trace="", span="", **told, **{"gen_ai.response.id": "resp_1"})
    nowhere = record("gen_ai.evaluation.result", trace="", span="", **told)
    assert await send(desk, named, nowhere) == {}
    (batch,) = desk.written()
    assert [(s.trace_id, s.span_id, s.response_id, s.value) for s in batch.scores] == [
        ("", None, "resp_1", 0.7)
    ]
    assert desk.intake.counts.dropped_logs == 1


async def test_an_exception_in_a_log_record_is_the_error_of_its_event(desk: Desk) -> None:
    told = {"exception.type": "TimeoutError", "exception.message": "too late"}
    await send(desk, record("gen_ai.client.operation.exception", **told))
    (span,) = desk.written()[0].spans
    assert (span.status, span.error_type, span.error) == (SpanStatus.ERROR, "TimeoutError", "too late")


async def test_any_record_of_a_span_is_kept_and_one_of_none_is_counted(desk: Desk) -> None:
    loose = record("", "no span", trace="", span="")
    answer = await send(desk, {**record("", "disk is slow"), "severityNumber": 13}, loose)
    (span,) = desk.written()[0].spans
    assert answer == {}
    assert (span.name, span.status, span.attributes["log.level"]) == ("log", SpanStatus.OK, "WARNING")
    assert "disk is slow" in span.attributes["events"]
    assert desk.intake.counts.dropped_logs == 1


async def test_metrics_are_answered_and_not_kept(desk: Desk) -> None:
    reply = await desk.intake.handle(
        content_type=PROTOBUF, content_encoding="", body=b"\x0a\x00", principal=OWNER, signal="metrics"
    )
    assert (reply.status, b"metrics are not kept" in reply.body, desk.written()) == (200, True, [])
