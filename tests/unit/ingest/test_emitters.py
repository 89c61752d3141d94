"""What real instrumentations sent, kept by `make instrumentations`: the same question asked through each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sternpost.contracts.score import Score
from sternpost.contracts.span import Span, SpanType
from tests.unit.ingest.support import FIXTURES, NOON, OWNER, Desk

EMITTERS = FIXTURES / "emitters"
RECORDED_BEFORE_NS = NOON + 9 * 86_400 * 10**9
ANSWER = "A forklift lifts what is heavy with a"  # the fake provider's own words


ASKED = ("system: Be brief.", "user: How warm is it in Paris?")
CALLED = 'assistant: weather({"city": "Paris"})'
DEGREES = "21 degrees in Paris"
SAID = f"assistant: {ANSWER}"


@dataclass(frozen=True)
class Call:
    """What one span of type llm says. Its messages may have come as log records of it."""

    tokens: tuple[int, int] | None
    asked: tuple[str, ...]
    said: tuple[str, ...]
    model: str = "gpt-5-mini"


@dataclass(frozen=True)
class Expected:
    """Written by hand from the attributes in the golden file, of which no mapping knows."""

    calls: tuple[Call, ...] = ()  # in order of start, also those that repeat another
    tools: tuple[tuple[str, str, str], ...] = ()  # name, arguments, result
    scores: int = 0
    ends: tuple[str, str] = ("", "")  # what the root span was given and gave back


def loop(
    first: tuple[int, int],
    second: tuple[int, int],
    *,
    asked: tuple[str, ...] = ASKED,
    result: str = f"tool: {DEGREES}",
    model: str = "gpt-5-mini",
) -> tuple[Call, ...]:
    """A call that wants a tool, and one with its result."""
    return Call(first, asked, (CALLED,), model), Call(second, (*asked, CALLED, result), (SAID,), model)


ALONE = ("user: How warm is it in Paris?",)
WEATHER = ("weather", '{"city": "Paris"}', DEGREES)
QUESTION = 'user: {"question":"How warm is it in Paris?"}'
HISTORY = " | ".join((*ALONE, CALLED, f"tool: {DEGREES}", SAID))
NO_ARGUMENTS = 'user: {"args":[],"kwargs":{}}'
_ANTHROPIC = loop((63, 9), (126, 8), model="claude-haiku-4-5")
_UNTOLD = tuple(replace(call, asked=(), said=()) for call in _ANTHROPIC)
_ADK_SYSTEM = 'system: Be brief.\n\nYou are an agent. Your internal name is "planner".'
_TASK = "user: New task:\nHow warm is it in Paris?"
_STEP = (
    "assistant: Calling tools:\n[{'id': 'call_1', 'type': 'function', 'function': {'name': 'weather', "
    "'arguments': {'city': 'Paris'}}}]",
    f"tool: Observation:\n{DEGREES}",
)
_AGAIN = "user: Based on the above, please provide an answer to the following user task:\n" + _TASK[16:]
# Beginnings of long texts, up to the three dots.
EXPECTED = {
    "crewai": Expected(
        (
            Call(
                (95, 8),
                ("system: You are planner. knows...", "user: \nCurrent Task: How warm is it in Paris?..."),
                (SAID,),
            ),
        ),
        ends=("", 'assistant: {"raw":"A forklift lifts what is heavy with a"...'),
    ),
    "dspy": Expected(
        (
            Call(
                None, ("system: Your input fields are...", "user: [[ ## question ## ]]\nHow warm..."), (SAID,)
            ),
            Call(
                None,
                ("system: Your input fields are...", "user: [[ ## question ## ]]\nHow warm..."),
                ('assistant: {"answer": "Paris"}',),
            ),
        ),
        ends=(QUESTION, 'assistant: {"answer":"Paris"}'),
    ),
    "google-adk": Expected(
        loop(
            (115, 9),
            (171, 8),
            asked=(_ADK_SYSTEM, *ALONE),
            result='tool: {"result": "21 degrees in Paris"}',
            model="openai/gpt-5-mini",
        ),
        tools=(("weather", "", ""),),
    ),
    "haystack": Expected(
        (Call((27, 8), ALONE, (SAID,)),),
        ends=('user: {"data":{"llm":{"messages":["ChatMessage(_role=...', "assistant: ChatMessage(_role=..."),
    ),
    "langfuse-2": Expected((Call((22, 8), ALONE, (SAID,)),), scores=1, ends=(ALONE[0], SAID)),
    "langfuse-3": Expected(loop((81, 9), (133, 8)), scores=1, ends=(NO_ARGUMENTS, SAID)),
    "langfuse-5": Expected(loop((81, 9), (133, 8)), scores=1, ends=(NO_ARGUMENTS, SAID)),
    "llama-index": Expected(
        (Call(None, ("user: ChatMessage(role=...",), (SAID,)), Call((30, 8), ALONE, (SAID,))),
        ends=("user: ChatMessage(role=...", SAID),
    ),
    "mlflow": Expected(loop((81, 9), (133, 8)), ends=(QUESTION, SAID)),
    "openai-agents": Expected(loop((110, 9), (166, 8)), tools=(WEATHER,)),
    "openinference-anthropic": Expected((_ANTHROPIC[0], _UNTOLD[0], _ANTHROPIC[1], _UNTOLD[1])),
    "openinference-langchain": Expected(
        loop((97, 9), (153, 8)), tools=(("weather", "Paris", DEGREES),), ends=(ALONE[0], HISTORY)
    ),
    "openinference-litellm": Expected(loop((81, 9), (133, 8), model="openai/gpt-5-mini")),
    "openllmetry-anthropic": Expected((_ANTHROPIC[0], _UNTOLD[0], _ANTHROPIC[1], _UNTOLD[1])),
    "openinference-openai": Expected(loop((81, 9), (133, 8))),
    "openllmetry-openai": Expected(loop((81, 9), (133, 8))),
    "opentelemetry-openai": Expected(loop((81, 9), (133, 8))),
    "pydantic-ai": Expected(
        loop((110, 9), (165, 8)),
        tools=(WEATHER,),
        ends=(" | ".join((*ASKED, CALLED, f"tool: {DEGREES}", SAID)), SAID),
    ),
    "smolagents": Expected(
        (
            Call((1057, 9), ("system: You are an expert assistant...", _TASK), (CALLED,)),
            Call((1124, 9), ("system: You are an expert assistant...", _TASK, *_STEP), (CALLED,)),
            Call((240, 8), ("system: An agent tried to answer...", _TASK, *_STEP, *_STEP, _AGAIN), (SAID,)),
        ),
        tools=(WEATHER, WEATHER),
        ends=('user: {"task":"How warm is it in Paris?"...', SAID),
    ),
    "vercel-ai": Expected(loop((107, 9), (163, 8)), tools=(WEATHER,), ends=(" | ".join(ASKED), SAID)),
}


@dataclass
class Arrived:
    spans: list[Span]
    scores: list[Score]
    bodies: dict[str, dict]
    calls: list[Span]  # in order of start

    @property
    def words(self) -> str:
        return json.dumps([*self.bodies.values()])

    def parts(self, hashes: Sequence[str]) -> list[dict]:
        return [part for one in hashes for part in self.bodies[one]["parts"]]

    def messages(self, hashes: Sequence[str]) -> list[str]:
        return [_written(self.bodies[one]) for one in hashes]

    def told(self, hashes: Sequence[str], call: Span, side: str) -> list[str]:
        """Return the messages of a call; those of its log records stand on event spans below it."""
        below = [one for one in self.spans if one.attributes.get("sternpost.logs_of") == call.span_id]
        return self.messages(hashes) or [text for one in below for text in self.messages(getattr(one, side))]


def _written(message: dict) -> str:
    parts = message["parts"]
    role = "tool" if all(part["type"] == "tool_call_response" for part in parts) else message["role"]
    return f"{role}: " + " + ".join(map(_text, parts))


def _text(part: dict) -> str:
    match part["type"]:
        case "tool_call":
            arguments = part["arguments"]
            read = json.loads(arguments) if isinstance(arguments, str) else arguments
            return f"{part['name']}({json.dumps(read)})"
        case "tool_call_response":
            return _json(part["response"])
        case _:
            return str(part["content"])


async def arrived(folder: Path, name: str) -> Arrived:
    desk = Desk(folder, RECORDED_BEFORE_NS)
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
    bodies = {content.hash: json.loads(content.body) for batch in batches for content in batch.contents}
    calls = sorted((span for span in spans if span.type == SpanType.LLM), key=lambda span: span.started_ns)
    return Arrived(spans, [score for batch in batches for score in batch.scores], bodies, calls)


def test_every_emitter_has_its_golden_file() -> None:
    assert {file.stem for file in EMITTERS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
async def test_calls_tools_scores_and_both_ends_are_read(tmp_path: Path, name: str) -> None:
    found, expected = await arrived(tmp_path, name), EXPECTED[name]
    for call, told in zip(found.calls, expected.calls, strict=True):
        assert _tokens(call) == told.tokens
        assert call.model.request_model == told.model
        assert_texts([*found.told(call.input_hashes, call, "input_hashes")], told.asked)
        assert_texts([*found.told(call.output_hashes, call, "output_hashes")], told.said)
    tools = [span for span in found.spans if span.type == SpanType.TOOL]
    assert [_tool(found, span) for span in tools] == [*expected.tools]
    assert len(found.scores) == expected.scores
    (root,) = (span for span in found.spans if span.parent_span_id is None)
    for hashes, end in ((root.input_hashes, expected.ends[0]), (root.output_hashes, expected.ends[1])):
        assert_texts([" | ".join(found.messages(hashes))], (end,))
    assert all(span.cost is not None and span.cost.nanousd for span in found.calls if span.usage)


def assert_texts(seen: list[str], expected: tuple[str, ...]) -> None:
    assert len(seen) == len(expected), seen
    pairs = zip(seen, expected, strict=True)
    whole = [one[: len(told) - 3] + "..." if told.endswith("...") else one for one, told in pairs]
    assert whole == [*expected]


def _tokens(span: Span) -> tuple[int, int] | None:
    usage = span.usage
    return (usage.in_fresh + usage.in_cache_read, usage.out_text + usage.out_reasoning) if usage else None


def _tool(found: "Arrived", span: Span) -> tuple[str, str, str]:
    """Return what a tool span says of its call, however its messages are made up."""
    given, made = found.parts(span.input_hashes), found.parts(span.output_hashes)
    arguments = [_json(part.get("arguments", part.get("content"))) for part in given]
    results = [_json(part.get("response", part.get("content"))) for part in made]
    names = [part["name"] for part in given if part.get("name")] or [
        span.attributes.get("gen_ai.tool.name", span.name)
    ]
    return names[0], "".join(arguments), "".join(results)


def _json(value: object) -> str:
    is_object = isinstance(value, str) and value.startswith("{")
    value = json.loads(value) if is_object else value
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("name", EXPECTED)
async def test_question_and_answer_are_messages(tmp_path: Path, name: str) -> None:
    found = await arrived(tmp_path, name)
    assert "How warm is it in Paris?" in found.words
    assert not any("mapping" in span.attributes for span in found.spans)
    shown = [span.preview_output for span in found.spans]
    assert any(ANSWER in text or "Paris" in text for text in shown)
