"""The rules below the golden files: values, usage, messages, types."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.contracts.message import (
    BlobPart,
    Json,
    Message,
    OtherPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.contracts.span import SpanStatus, SpanType
from sternpost.contracts.usage import CostStatus, Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.messages import read_messages, read_part
from sternpost.ingest.mapping.spans import MappedSpan, map_span
from sternpost.ingest.mapping.usage import read_usage
from sternpost.ingest.mapping.values import as_json, as_number, as_texts, unflatten
from sternpost.ingest.records import RawEvent, RawSpan
from tests.unit.ingest.support import NOON, PRICES, SENDER


def raw(attributes: dict[str, Json], *events: RawEvent, **changes: object) -> RawSpan:
    fields: dict[str, object] = {
        "trace_id": "a" * 32, "span_id": "b" * 16, "parent_span_id": "", "name": "s", "started_ns": NOON,
        "ended_ns": NOON + 1, "attributes": attributes, "events": events,
    }  # fmt: skip
    return RawSpan(**{**fields, **changes})  # type: ignore[arg-type]


def mapped(attributes: dict[str, Json], *events: RawEvent, **changes: object) -> MappedSpan:
    return map_span(raw(attributes, *events, **changes), SENDER, NOON + 2, PRICES)


def usage_of(attributes: dict[str, Json]) -> Usage | None:
    return read_usage(Attributes(attributes, {}))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"openinference.span.kind": "RERANKER"}, SpanType.RERANKER),
        ({"traceloop.span.kind": "task"}, SpanType.CHAIN),
        ({"langfuse.observation.type": "guardrail"}, SpanType.GUARDRAIL),
        ({"gen_ai.operation.name": "invoke_agent", "openinference.span.kind": "LLM"}, SpanType.AGENT),
        ({"gen_ai.operation.name": "new_thing", "openinference.span.kind": "LLM"}, SpanType.LLM),
        ({"ai.operationId": "ai.toolCall"}, SpanType.TOOL),
        ({"mcp.method.name": "tools/call"}, SpanType.TOOL),
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3}, SpanType.LLM),
        ({"gen_ai.request.model": "m"}, SpanType.CHAIN),
        ({}, SpanType.CHAIN),
    ],
)
def test_type_is_resolved_in_order_of_trust(attributes: dict[str, Json], expected: SpanType) -> None:
    span = mapped(attributes).span
    assert span is not None
    assert span.type == expected


def test_usage_that_leaves_cached_tokens_out_is_recognised() -> None:
    # Anthropic's own counts: 20 fresh beside 500 read; they can't lie inside 20
    usage = usage_of({"gen_ai.usage.input_tokens": 20, "gen_ai.usage.cache_read_input_tokens": 500})
    assert usage == Usage(in_fresh=20, in_cache_read=500)


def test_grand_total_tells_the_conventions_apart() -> None:
    counts: dict[str, Json] = {
        "llm.token_count.prompt": 900, "llm.token_count.completion": 50,
        "llm.token_count.prompt_details.cache_read": 500, "llm.token_count.total": 1450,
    }  # fmt: skip
    assert usage_of(counts) == Usage(in_fresh=900, in_cache_read=500, out_text=50)
    assert usage_of({**counts, "llm.token_count.total": 950}) == Usage(
        in_fresh=400, in_cache_read=500, out_text=50
    )


def test_totals_that_do_not_add_up_are_flagged() -> None:
    usage = usage_of(
        {"llm.token_count.prompt": 10, "llm.token_count.completion": 5, "llm.token_count.total": 99}
    )
    assert usage is not None
    assert usage.is_mismatch


COUNTS = st.integers(0, 10**6)


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_buckets_of_inclusive_totals_add_up_to_them(
    fresh: int, read: int, write: int, text: int, thought: int
) -> None:
    usage = usage_of(
        {
            "gen_ai.usage.input_tokens": fresh + read + write,
            "gen_ai.usage.cache_read.input_tokens": read,
            "gen_ai.usage.cache_creation.input_tokens": str(write),
            "gen_ai.usage.output_tokens": text + thought,
            "gen_ai.usage.reasoning.output_tokens": thought,
        }
    )
    assert usage == Usage(
        in_fresh=fresh, in_cache_read=read, in_cache_write_5m=write, out_text=text, out_reasoning=thought
    )


def test_price_of_the_client_stands_in_where_we_have_none() -> None:
    span = mapped(
        {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cost": "0.25"}
    ).span
    assert span is not None
    assert span.cost is not None
    assert (span.cost.status, span.cost.nanousd, span.cost.reason) == (
        CostStatus.ESTIMATED, 250_000_000, "client_reported",
    )  # fmt: skip


def test_provider_spellings_are_folded_and_priced() -> None:
    span = mapped(
        {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "gemini-2.5-flash", "gen_ai.usage.input_tokens": 1000,
        }
    ).span  # fmt: skip
    assert span is not None
    assert span.cost is not None
    assert (span.model.provider, span.cost.status) == ("gemini", CostStatus.COMPUTED)


def test_level_and_exception_event_make_an_error() -> None:
    event = RawEvent("exception", NOON, {"exception.type": "ValueError", "exception.message": "no"})
    span = mapped({"langfuse.observation.level": "ERROR"}, event).span
    assert span is not None
    assert (span.status, span.error_type, span.error) == (SpanStatus.ERROR, "ValueError", "no")


def test_evaluation_event_on_a_span_scores_that_span() -> None:
    event = RawEvent(
        "gen_ai.evaluation.result", NOON,
        {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": "0.7"},
    )  # fmt: skip
    found = mapped({}, event)
    assert found.span is not None
    assert [(s.span_id, s.kind, s.value, s.source) for s in found.scores] == [
        (found.span.span_id, "numeric", 0.7, "api")
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "text", "text": "a"}, TextPart("a")),
        ("a", TextPart("a")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, ReasoningPart("hm", signature="s")),
        ({"type": "tool_use", "id": "1", "name": "f", "input": {"x": 1}}, ToolCallPart("f", '{"x":1}', "1")),
        ({"type": "tool-call", "toolCallId": "1", "toolName": "f", "args": {}}, ToolCallPart("f", "{}", "1")),
        ({"functionCall": {"name": "f", "args": {"x": 1}}}, ToolCallPart("f", '{"x":1}')),
        ({"type": "tool_result", "tool_use_id": "1", "content": "ok"}, ToolResponsePart("ok", "1")),
        ({"type": "image_url", "image_url": {"url": "http://i"}}, UriPart("image", "http://i")),
        (
            {"type": "image_url", "image_url": "data:image/png;base64,QQ=="},
            BlobPart("image", "QQ==", "image/png"),
        ),
        ({"type": "odd", "x": 1}, OtherPart({"type": "odd", "x": 1})),
    ],
)
def test_parts_of_any_vendor_are_read(value: Json, expected: object) -> None:
    assert read_part(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "content": "hi"}],
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        [[{"role": "human", "content": "hi"}]],
        [{"message": {"role": "user", "content": "hi"}}],
        json.dumps(json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}])),
        "hi",
    ],
)
def test_conversations_of_any_shape_are_read(value: Json) -> None:
    assert read_messages(value, "user") == (Message("user", (TextPart("hi"),)),)


def test_tool_message_answers_its_call() -> None:
    value: Json = [{"role": "tool", "tool_call_id": "c1", "content": '{"found": 2}'}]
    assert read_messages(value, "user") == (Message("tool", (ToolResponsePart({"found": 2}, "c1"),)),)


def test_python_text_stays_text() -> None:
    assert as_json("{'a': None}") == "{'a': None}"


@pytest.mark.parametrize(
    ("value", "expected"), [("3", 3.0), (2, 2.0), ("x", None), (True, None), ("nan", None)]
)
def test_numbers_may_arrive_as_text(value: Json, expected: float | None) -> None:
    assert as_number(value) == expected


@pytest.mark.parametrize("value", [["a", "b"], '["a", "b"]', "a, b"])
def test_tags_may_be_a_list_or_text(value: Json) -> None:
    assert as_texts(value) == ("a", "b")


@given(st.permutations([(n, f"text {n}") for n in (0, 1, 2, 7, 11)]))
def test_flattened_lists_survive_any_order_and_gaps(pairs: list[tuple[int, str]]) -> None:
    attributes: dict[str, Json] = {f"gen_ai.prompt.{n}.content": text for n, text in pairs}
    assert unflatten(attributes, "gen_ai.prompt") == [{"content": f"text {n}"} for n in (0, 1, 2, 7, 11)]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.usage.input_tokens",
        "gen_ai.request.model",
        "llm.input_messages.0.message.content", "llm.input_messages.0", "llm.input_messages.x.message",
        "langfuse.observation.usage_details", "langfuse.observation.cost_details", "gen_ai.usage.cost",
        "langfuse.observation.input", "gen_ai.retrieval.documents", "gen_ai.operation.name", "sternpost.tags",
        "gen_ai.tool.call.arguments", "ai.response.toolCalls", "gen_ai.response.time_to_first_chunk",
        "langfuse.observation.completion_start_time", "openinference.span.kind", "tool.name", "anything",
    ]
)  # fmt: skip
OPERATIONS = st.sampled_from(["chat", "retrieval", "execute_tool", "embeddings", ""])


@given(
    st.dictionaries(NAMES, JSON_VALUES | JSON_VALUES.map(lambda value: json.dumps(value))),
    OPERATIONS,
    st.lists(
        st.tuples(st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "e"]), JSON_VALUES), max_size=2
    ),
)
def test_no_attribute_value_stops_the_mapping(
    attributes: dict[str, Json], operation: str, events: list[tuple[str, Json]]
) -> None:
    told = [RawEvent(name, NOON, {"content": value, "message": value}) for name, value in events]
    found = mapped({"gen_ai.operation.name": operation, **attributes}, *told)
    assert found.span is not None
    assert len(found.span.preview_input) <= 200
