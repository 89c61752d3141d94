"""The same call told in every convention is the same span: golden files in `fixtures/`."""

import json

import pytest

from sternpost.contracts.span import Span, SpanBundle, SpanStatus, SpanType
from sternpost.contracts.usage import CostStatus, Usage
from sternpost.ingest.mapping.spans import map_span
from tests.unit.ingest.support import NOON, PRICES, SENDER, Desk, by_name, fixture, raw_spans, texts

FAMILIES = ["otel_genai", "otel_genai_old", "openinference", "openllmetry", "langfuse", "vercel_ai"]
# 800 fresh at $0.15, 200 cached at $0.075, 40 + 10 out at $0.60 per million
COST_NANOUSD = 120_000 + 15_000 + 24_000 + 6_000


def mapped(name: str) -> SpanBundle:
    found = [map_span(raw, SENDER, NOON + 1, PRICES) for raw in raw_spans(name)]
    return SpanBundle(
        tuple(one.span for one in found if one.span),
        tuple(content for one in found for content in one.contents),
        tuple(score for one in found for score in one.scores),
    )


def llm_span(batch: SpanBundle) -> Span:
    return next(span for span in batch.spans if span.type == SpanType.LLM)


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_and_cost_are_the_same_in_every_convention(family: str) -> None:
    span = llm_span(mapped(family))
    assert span.usage == Usage(in_fresh=800, in_cache_read=200, out_text=40, out_reasoning=10)
    assert span.cost is not None
    assert (span.cost.status, span.cost.nanousd) == (CostStatus.COMPUTED, COST_NANOUSD)


@pytest.mark.parametrize("family", FAMILIES)
def test_messages_are_the_same_in_every_convention(family: str) -> None:
    batch = mapped(family)
    span = llm_span(batch)
    assert texts(batch, span.input_hashes) == [("system", "Be brief."), ("user", "What is a forklift?")]
    assert texts(batch, span.output_hashes) == [("assistant", "A machine for hoisting.")]
    assert (span.preview_input, span.preview_output) == ("What is a forklift?", "A machine for hoisting.")
    assert span.model.finish_reasons == ("end",)


@pytest.mark.parametrize("family", FAMILIES)
def test_model_and_owner_are_the_same_in_every_convention(family: str) -> None:
    span = llm_span(mapped(family))
    assert span.model.provider == "openai"
    assert span.model.response_model or span.model.request_model == "gpt-4o-mini-2024-07-18"
    assert json.loads(span.model.parameters)["temperature"] in (0.2, "0.2")
    trace = span.trace
    assert (trace.session_id, trace.user_id, trace.service, trace.environment, trace.release) == (
        "s1", "ada", "shop", "prod", "1.2.0",
    )  # fmt: skip


@pytest.mark.parametrize("family", ["otel_genai", "langfuse", "vercel_ai"])
def test_time_to_first_token_is_read_in_any_unit(family: str) -> None:
    assert llm_span(mapped(family)).model.time_to_first_token_ns == 250_000_000


@pytest.mark.parametrize("family", ["openinference", "langfuse"])
def test_tags_are_read(family: str) -> None:
    assert llm_span(mapped(family)).trace.tags == ("beta", "gold")


def test_parent_that_repeats_its_childs_usage_is_a_rollup_with_its_price() -> None:
    parent, child = mapped("vercel_ai").spans
    assert (parent.type, parent.is_rollup) == (SpanType.CHAIN, True)
    assert parent.cost is not None  # counts where no call below reports usage
    assert (child.parent_span_id, child.is_rollup) == (parent.span_id, False)


def test_what_no_column_takes_stays_among_the_attributes() -> None:
    attributes = llm_span(mapped("openinference")).attributes
    assert attributes["metadata"] == '{"plan": "pro"}'
    assert attributes["resource.openinference.project.name"] == "shop"
    assert not any(name.startswith(("llm.", "resource.telemetry")) for name in attributes)


def test_sdk_trace_shows_what_a_person_asked_and_got() -> None:
    span = by_name(mapped("sternpost_sdk"))["answer"]
    assert (span.type, span.preview_input, span.preview_output) == (
        SpanType.CHAIN, "What is a forklift?", "A machine for hoisting.",
    )  # fmt: skip
    assert span.trace.tags == ("beta", "gold")


def test_sdk_retrieval_shows_its_documents() -> None:
    batch = mapped("sternpost_sdk")
    span = by_name(batch)["retrieval docs"]
    assert span.type == SpanType.RETRIEVER
    assert texts(batch, span.input_hashes) == [("user", "What is a forklift?")]
    body = json.loads(next(c.body for c in batch.contents if c.hash == span.output_hashes[0]))
    assert body == {
        "role": "tool",
        "parts": [
            {
                "type": "document", "id": "a.md", "score": 0.9, "content": "A forklift hoists.", "title": "A",
                "uri": "docs/a.md",
            },
            {"type": "document", "id": "b.md", "score": 0.0, "content": "A winch pulls."},
        ],
    }  # fmt: skip


def test_sdk_tool_that_failed_says_why() -> None:
    batch = mapped("sternpost_sdk")
    span = by_name(batch)["execute_tool look_up"]
    assert (span.type, span.status) == (SpanType.TOOL, SpanStatus.ERROR)
    assert (span.error_type, span.error) == ("KeyError", "'sternpost'")
    body = json.loads(next(c.body for c in batch.contents if c.hash == span.input_hashes[0]))
    assert body["parts"] == [
        {"type": "tool_call", "name": "look_up", "arguments": '{"word": "sternpost"}', "id": "call_1"}
    ]


def test_sdk_feedback_is_a_score_and_no_span() -> None:
    batch = mapped("sternpost_sdk")
    assert "gen_ai.evaluation.result" not in by_name(batch)
    (score,) = batch.scores
    assert (score.name, score.kind, score.value, score.label, score.source, score.span_id) == (
        "helpful", "boolean", 1.0, "true", "user_feedback", None,
    )  # fmt: skip
    assert (score.trace_id, score.explanation) == (batch.spans[0].trace_id, "clear")


@pytest.mark.parametrize("family", [*FAMILIES, "sternpost_sdk"])
async def test_shuffled_and_repeated_batches_give_the_same_rows(desk: Desk, family: str) -> None:
    body = json.loads(fixture(family))
    await desk.send(json.dumps(body).encode())
    spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for span in spans:
        span["attributes"].reverse()
    spans.reverse()
    spans += spans
    await desk.send(json.dumps(body).encode())
    first, second = desk.written()
    key = str
    assert sorted(set(map(key, second.spans))) == sorted(map(key, first.spans))
    assert {c.hash for c in second.contents} == {c.hash for c in first.contents}
    assert set(second.scores) == set(first.scores)
