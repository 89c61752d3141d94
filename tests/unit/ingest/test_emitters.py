"""What real instrumentations sent, kept by `make instrumentations`: the same question asked through each."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from sternpost.contracts.score import Score
from sternpost.contracts.span import Span, SpanType
from tests.unit.ingest.support import FIXTURES, OWNER, Desk

EMITTERS = FIXTURES / "emitters"
ANSWER = "A forklift lifts what is heavy with a"  # the fake provider's own words


@dataclass(frozen=True)
class Expected:
    calls: int  # spans of type llm, also those that repeat another
    tokens: tuple[int, int]  # of them all
    tools: int = 0
    scores: int = 0


# Tokens are those that the provider reported to the relay of `make instrumentations`.
EXPECTED = {
    "crewai": Expected(1, (95, 8)),
    "dspy": Expected(2, (0, 0)),
    "google-adk": Expected(2, (286, 17), tools=1),
    "haystack": Expected(1, (27, 8)),
    "langfuse-2": Expected(1, (22, 8), scores=1),
    "langfuse-3": Expected(2, (214, 17), scores=1),
    "langfuse-5": Expected(2, (214, 17), scores=1),
    "llama-index": Expected(2, (30, 8)),
    "mlflow": Expected(2, (214, 17)),
    "openai-agents": Expected(2, (276, 17), tools=1),
    "openinference-anthropic": Expected(4, (378, 34)),
    "openinference-langchain": Expected(2, (250, 17), tools=1),
    "openinference-litellm": Expected(2, (214, 17)),
    "openinference-openai": Expected(2, (214, 17)),
    "openllmetry-anthropic": Expected(4, (378, 34)),
    "openllmetry-openai": Expected(2, (214, 17)),
    "opentelemetry-openai": Expected(2, (214, 17)),
    "pydantic-ai": Expected(2, (275, 17), tools=1),
    "smolagents": Expected(3, (2421, 26), tools=2),
    "vercel-ai": Expected(2, (270, 17), tools=1),
}


@dataclass
class Arrived:
    spans: list[Span]
    scores: list[Score]
    words: str
    calls: list[Span]


async def arrived(folder: Path, name: str) -> Arrived:
    desk = Desk(folder)
    for request in json.loads((EMITTERS / f"{name}.json").read_text()):
        body, signal = json.dumps(request["body"]).encode(), request["path"].rpartition("/")[2]
        if signal == "ingestion":
            await desk.intake.langfuse.take_events(body, OWNER)
        elif signal == "scores":
            await desk.intake.langfuse.take_scores(body, OWNER)
        else:
            reply = await desk.intake.handle(
                content_type="application/json",
                content_encoding="",
                body=body,
                principal=OWNER,
                signal=signal,
            )
            assert (reply.status, reply.body) == (200, b"{}")
    batches = desk.written()
    desk.close()
    spans = list({span.span_id: span for batch in batches for span in batch.spans}.values())
    words = "".join(content.body.decode() for batch in batches for content in batch.contents)
    calls = [span for span in spans if span.type == SpanType.LLM]
    return Arrived(spans, [score for batch in batches for score in batch.scores], words, calls)


def test_every_emitter_has_its_golden_file() -> None:
    assert {file.stem for file in EMITTERS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
async def test_calls_tokens_tools_and_scores_are_read(tmp_path: Path, name: str) -> None:
    found = await arrived(tmp_path, name)
    usages = [span.usage for span in found.calls if span.usage]
    tokens = (
        sum(one.in_fresh + one.in_cache_read + one.in_cache_write_5m for one in usages),
        sum(one.out_text + one.out_reasoning for one in usages),
    )
    tools = [span for span in found.spans if span.type == SpanType.TOOL]
    assert Expected(len(found.calls), tokens, len(tools), len(found.scores)) == EXPECTED[name]
    assert all(span.cost is not None and span.cost.nanousd for span in found.calls if span.usage)


@pytest.mark.parametrize("name", EXPECTED)
async def test_question_and_answer_are_messages(tmp_path: Path, name: str) -> None:
    found = await arrived(tmp_path, name)
    assert "How warm is it in Paris?" in found.words
    assert not any("mapping" in span.attributes for span in found.spans)
    shown = [span.preview_output for span in found.spans]
    assert any(ANSWER in text or "Paris" in text for text in shown)
