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


LLM: dict[str, Json] = {
    "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50
}  # fmt: skip
OPENAI_USAGE: Json = {
    "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 20},
}  # fmt: skip
EXPECTED = Usage(in_fresh=60, in_cache_read=40, out_text=30, out_reasoning=20)
SPELLINGS: dict[str, dict[str, Json]] = {
    "OpenTelemetry": {
        **LLM, "gen_ai.usage.cache_read.input_tokens": 40, "gen_ai.usage.reasoning.output_tokens": 20,
    },
    "pydantic-ai": {
        **LLM, "gen_ai.usage.details.cache_read_tokens": 40, "gen_ai.usage.details.reasoning_tokens": 20,
    },
    "Sentry": {**LLM, "gen_ai.usage.input_tokens.cached": 40, "gen_ai.usage.output_tokens.reasoning": 20},
    "input_cached_tokens": {
        **LLM, "gen_ai.usage.input_cached_tokens": 40, "gen_ai.usage.output_reasoning_tokens": "20",
    },
    "OpenLLMetry": {**LLM, "gen_ai.usage.cache_read_input_tokens": 40, "gen_ai.usage.reasoning_tokens": 20},
    "OpenInference": {
        "llm.token_count.prompt": 100, "llm.token_count.completion": 50, "llm.token_count.total": 150,
        "llm.token_count.prompt_details.cache_input": 40,
        "llm.token_count.completion_details.reasoning": 20,
    },
    "Vercel 5": {
        "ai.usage.inputTokens": 100, "ai.usage.outputTokens": 50, "ai.usage.cachedInputTokens": 40,
        "ai.usage.reasoningTokens": 20,
    },
    "Vercel 6": {
        "ai.usage.inputTokens": 100, "ai.usage.outputTokens": 50,
        "ai.usage.inputTokenDetails.cacheReadTokens": 40, "ai.usage.outputTokenDetails.reasoningTokens": 20,
    },
    "Langfuse, its own buckets": {
        "langfuse.observation.usage_details": json.dumps(
            {"input": 60, "input_cached_tokens": 40, "output": 30, "output_reasoning_tokens": 20}
        )
    },
    "Langfuse, usage of OpenAI": {"langfuse.observation.usage_details": json.dumps(OPENAI_USAGE)},
    "MLflow": {
        "mlflow.chat.tokenUsage": json.dumps(
            {
                "input_tokens": 100, "output_tokens": 50, "total_tokens": 150, "cache_read_input_tokens": 40,
                "reasoning_tokens": 20,
            }
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("emitter", SPELLINGS)
def test_token_details_of_every_emitter_are_exclusive(emitter: str) -> None:
    assert usage_of(SPELLINGS[emitter]) == EXPECTED


def test_thoughts_that_gemini_counts_beside_its_candidates_stay_beside() -> None:
    usage: Json = {
        "prompt_token_count": 100, "candidates_token_count": 30, "thoughts_token_count": 20,
        "cached_content_token_count": 40, "total_token_count": 150,
    }  # fmt: skip
    assert read_usage(Attributes({}, {}), {"usage_metadata": usage}) == EXPECTED


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.3}, ()),
        ({"gen_ai.client.operation.time_to_first_chunk": "0.3"}, ()),
        ({"lk.response.ttft": 0.3}, ()),
        ({"ai.response.msToFirstChunk": 300}, ()),
        ({"langfuse.observation.completion_start_time": "2026-11-20T12:00:00.300000Z"}, ()),
        ({}, (RawEvent("First Token Stream Event", NOON + 300_000_000, {}),)),
        (
            {},
            (
                RawEvent("gen_ai.content.completion.chunk", NOON + 400_000_000, {}),
                RawEvent("gen_ai.content.completion.chunk", NOON + 300_000_000, {}),
            ),
        ),
    ],
)
def test_time_to_the_first_token_is_read(attributes: dict[str, Json], events: tuple[RawEvent, ...]) -> None:
    span = mapped(attributes, *events).span
    assert span is not None
    assert span.model.time_to_first_token_ns == 300_000_000


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.invocation_parameters": '{"model": "gpt-5-mini", "temperature": 0}'},
        {"langfuse.observation.model.parameters": '{"model": "gpt-5-mini"}'},
        {"input.value": '{"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}]}'},
        {
            "mlflow.spanType": '"LLM"',
            "mlflow.spanInputs": '{"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}]}',
        },
    ],
)
def test_a_failed_call_names_the_model_that_was_asked(attributes: dict[str, Json]) -> None:
    span = mapped({"openinference.span.kind": "LLM", **attributes}, is_error=True).span
    assert span is not None
    assert (span.model.request_model, span.status) == ("gpt-5-mini", SpanStatus.ERROR)


@pytest.mark.parametrize(
    ("provider", "model", "shown"),
    [
        ("", "gpt-5-mini", "openai"),
        ("", "openai/gpt-4o", "openai"),
        ("", "anthropic:claude-haiku-4-5", "anthropic"),
        ("", "models/gemini-2.5-flash", "gemini"),
        ("litellm", "gpt-4o", "litellm"),
        ("langchain", "claude-haiku-4-5", "langchain"),
    ],
)
def test_a_model_without_a_provider_is_priced_as_its_vendors(provider: str, model: str, shown: str) -> None:
    told: dict[str, Json] = {"gen_ai.provider.name": provider} if provider else {}
    span = mapped({**LLM, **told, "gen_ai.request.model": model}).span
    assert span is not None
    assert span.cost is not None
    assert (span.model.provider, span.cost.status, span.cost.reason) == (
        shown, CostStatus.ESTIMATED, "provider_by_model",
    )  # fmt: skip


def test_a_model_that_anyone_may_serve_has_no_guessed_price() -> None:
    span = mapped({**LLM, "gen_ai.request.model": "llama-3.3-70b"}).span
    assert span is not None
    assert span.cost is not None
    assert (span.model.provider, span.cost.status) == ("", CostStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("attributes", "changes", "level", "words"),
    [
        (
            {"langfuse.observation.level": "WARNING", "langfuse.observation.status_message": "slow"},
            {},
            "WARNING",
            "slow",
        ),
        ({"langfuse.observation.level": "DEBUG"}, {}, "DEBUG", None),
        ({"langfuse.observation.level": "DEFAULT"}, {"status_message": "fine"}, None, "fine"),
        ({"logfire.level_num": 13}, {}, "WARNING", None),
        ({"logfire.level_num": 9}, {}, None, None),
    ],
)
def test_levels_and_words_that_are_no_error_are_kept(
    attributes: dict[str, Json], changes: dict[str, object], level: str | None, words: str | None
) -> None:
    span = mapped(attributes, **changes).span
    assert span is not None
    assert span.status == SpanStatus.OK
    assert (span.attributes.get("level"), span.attributes.get("status_message")) == (level, words)


@pytest.mark.parametrize(
    ("started", "ended", "expected"),
    [
        (NOON, NOON + 5, (0, 5, None)),
        (NOON + 700 * 10**9, NOON + 701 * 10**9, (2, 2 + 10**9, "true")),  # a clock that runs ahead
        (5, 7, (2, 4, "true")),  # one that was never set
        (0, 0, (2, 2, "true")),
        (NOON, NOON - 5, (0, 0, "true")),
        (NOON, NOON + 10**18, (0, 2, "true")),  # an end decades ahead
        (NOON, NOON + 50 * 10**9, (0, 50 * 10**9, None)),  # a clock that is a little ahead
        (NOON, NOON + 90 * 10**9, (0, 90 * 10**9, "true")),
    ],
)
def test_times_of_wrong_clocks_are_flagged_and_bounded(
    started: int, ended: int, expected: tuple[int, int, str | None]
) -> None:
    span = mapped({}, started_ns=started, ended_ns=ended).span  # received two nanoseconds after noon
    assert span is not None
    flag = span.attributes.get("is_time_skewed")
    assert (span.started_ns - NOON, span.ended_ns - NOON, flag) == expected
    assert span.is_time_skewed == (flag == "true")


def test_mlflow_is_read_with_its_json_in_text() -> None:
    span = mapped(
        {
            "mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"gpt-5-mini"',
            "mlflow.llm.provider": '"openai"',
            "mlflow.spanInputs": '{"messages": [{"role": "user", "content": "hi"}]}',
            "mlflow.chat.tools": '[{"type": "function", "function": {"name": "f"}}]',
            "mlflow.chat.tokenUsage": '{"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}',
        }
    ).span  # fmt: skip
    assert span is not None
    assert (span.type, span.model.request_model, span.model.provider) == (
        SpanType.LLM,
        "gpt-5-mini",
        "openai",
    )
    assert (span.usage, span.preview_input) == (Usage(in_fresh=100, out_text=50), "hi")
    assert "tools_hash" in span.attributes


def test_the_first_form_with_content_wins_over_one_with_roles_alone() -> None:
    span = mapped(
        {
            "openinference.span.kind": "CHAIN", "llm.input_messages.0.message.role": "user",
            "input.value": '{"messages": [{"role": "user", "content": "how warm?"}]}',
        }
    ).span  # fmt: skip
    assert span is not None
    assert span.preview_input == "how warm?"


def test_a_whole_run_is_split_at_its_answer() -> None:
    run = [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "ho"}]},
    ]
    span = mapped({"gen_ai.operation.name": "invoke_agent", "pydantic_ai.all_messages": json.dumps(run)}).span
    assert span is not None
    assert (span.preview_input, span.preview_output) == ("hi", "ho")


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


def test_json_with_half_an_emoji_is_read() -> None:
    assert as_json('{"a": "cut \\ud83d"}') == {"a": "cut \ufffd"}
    assert as_json('{"a": "\\ud83d\\ude00 and \\ud83d"}') == {"a": "\U0001f600 and \ufffd"}


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
