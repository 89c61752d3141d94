import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.content import message_content
from sternpost.capabilities.traces.writing.mapping import UNPARSED, spans_of_call
from sternpost.contracts.message import Message, TextPart
from sternpost.contracts.span import SpanStatus, SpanType
from tests.unit.capabilities.traces.calls import NOON, SECOND, attempt, call, reply_body, request_body

PROJECT = ProjectId("prj_1")


def test_call_becomes_a_gateway_span_over_its_attempts() -> None:
    record = call(PROJECT, attempts=(attempt(1, SpanStatus.ERROR), attempt(2)))
    gateway, first, second = spans_of_call(record, NOON).spans
    assert (gateway.type, gateway.name) == (SpanType.GATEWAY, "chat fast")
    assert first.parent_span_id == second.parent_span_id == gateway.span_id
    assert (first.type, first.name, first.status) == (
        SpanType.ATTEMPT, "attempt 1 openai/gpt-5-mini", SpanStatus.ERROR,
    )  # fmt: skip


def test_usage_and_cost_stand_on_the_gateway_span_alone() -> None:
    gateway, only = spans_of_call(call(PROJECT), NOON).spans
    assert gateway.usage is not None
    assert gateway.cost is not None
    assert (only.usage, only.cost) == (None, None)


def test_gateway_span_carries_times_and_previews() -> None:
    gateway = spans_of_call(call(PROJECT), NOON).spans[0]
    assert gateway.model.time_to_first_token_ns == SECOND // 2
    assert gateway.gateway is not None
    assert gateway.gateway.overhead_ns == SECOND // 5  # 1.1 s less 0.9 s upstream
    assert (gateway.preview_input, gateway.preview_output) == (
        "What is a forklift?", "A machine for hoisting.",
    )  # fmt: skip


def test_waits_before_a_retry_are_no_overhead() -> None:
    attempts = (attempt(1, SpanStatus.ERROR), attempt(2, started_ns=NOON + 3 * SECOND))
    record = call(PROJECT, attempts=attempts, ended_ns=NOON + 4 * SECOND, waited_ns=2 * SECOND)
    facts = spans_of_call(record, NOON).spans[0].gateway
    assert facts is not None
    assert facts.overhead_ns == SECOND // 5  # 4 s less twice 0.9 s upstream and a wait of 2 s


def test_answer_and_its_repetition_in_the_next_request_are_one_content() -> None:
    first = spans_of_call(call(PROJECT), NOON).spans[0]
    body = request_body("Be brief.", "What is a forklift?", "A machine for hoisting.", "And a winch?")
    second = spans_of_call(call(PROJECT, request_body=body), NOON).spans[0]
    assert second.input_hashes[:2] == first.input_hashes
    assert second.input_hashes[2] == first.output_hashes[0]


def test_another_project_has_another_hash_for_the_same_message() -> None:
    message = Message("user", (TextPart("hello"),))
    hashes = {message_content(ProjectId(name), message).hash for name in ("prj_1", "prj_2")}
    assert len(hashes) == 2


def test_tools_are_one_content_object() -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    batch = spans_of_call(call(PROJECT, request_body=request_body("s", "q", tools=[tool])), NOON)
    tools_hash = batch.spans[0].attributes["tools_hash"]
    body = next(content.body for content in batch.contents if content.hash == tools_hash)
    assert json.loads(body)["tools"][0]["name"] == "look_up"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b'{"messages": 3}', b"null"])
def test_unreadable_request_is_kept_raw_and_flagged(body: bytes) -> None:
    batch = spans_of_call(call(PROJECT, request_body=body), NOON)
    gateway = batch.spans[0]
    assert gateway.attributes[UNPARSED] == "request"
    stored = json.loads(next(c.body for c in batch.contents if c.hash == gateway.input_hashes[0]))
    assert stored["parts"][0]["payload"]["raw"] == body.decode("utf-8", "replace")


def test_call_that_nobody_answered_has_no_output() -> None:
    record = call(
        PROJECT, dialect_out=None, reply_body=b"", usage=None, cost=None, status=SpanStatus.ERROR,
        error_type="all_targets_failed", error="every target failed", attempts=(),
    )  # fmt: skip
    batch = spans_of_call(record, NOON)
    assert batch.spans[0].output_hashes == ()
    assert batch.spans[0].error == "every target failed"


def test_streamed_reply_is_put_together() -> None:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [{"role": "assistant", "content": "A "}, {"content": "machine."}]
    frames = [{**chunk, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    frames.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    body = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)
    record = call(PROJECT, is_stream=True, reply_body=body + b"data: [DONE]\n\n")
    assert spans_of_call(record, NOON).spans[0].preview_output == "A machine."


@given(st.binary(max_size=200), st.binary(max_size=200), st.booleans())
def test_no_body_stops_the_mapping(request: bytes, reply: bytes, is_stream: bool) -> None:
    batch = spans_of_call(call(PROJECT, request_body=request, reply_body=reply, is_stream=is_stream), NOON)
    assert len(batch.spans) == 2


@given(st.text(max_size=300))
def test_previews_are_one_line_of_at_most_200_characters(text: str) -> None:
    found = spans_of_call(call(PROJECT, reply_body=reply_body(text)), NOON).spans[0].preview_output
    assert len(found) <= 200
    assert found.splitlines() in ([], [found])


def test_what_was_embedded_is_one_message_and_tokens_are_told_by_their_number() -> None:
    record = call(
        PROJECT, operation="embeddings", reply_body=b"", attributes={"vector_count": "2"},
        request_body=b'{"model":"m","input":["a rope",[1,2,3]]}',
    )  # fmt: skip
    batch = spans_of_call(record, NOON)
    assert (batch.spans[0].type, batch.spans[0].name) == (SpanType.EMBEDDING, "embeddings fast")
    assert batch.spans[0].attributes["vector_count"] == "2"
    assert [json.loads(content.body) for content in batch.contents] == [
        {
            "role": "user",
            "parts": [
                {"content": "a rope", "type": "text"},
                {"payload": {"tokens": 3}, "type": "other"},
            ],
        }
    ]
