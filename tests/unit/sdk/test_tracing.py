"""What `trace`, `tool` and `retrieval` record around an application's code."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import sternpost
from tests.unit.sdk.conftest import Intake, plain


def test_a_traced_function_records_its_arguments_and_result(intake: Intake) -> None:
    @sternpost.trace
    def answer(question: str, *, limit: int = 3) -> dict[str, str]:
        return {"answer": question.upper()}

    assert answer("why", limit=2) == {"answer": "WHY"}

    assert intake.value("answer", "input.value") == {"question": "why", "limit": 2}
    assert intake.value("answer", "output.value") == {"answer": "WHY"}
    assert intake.span("answer").status.code == Status.STATUS_CODE_UNSET


def test_spans_inside_belong_to_the_trace_and_inherit_session_user_and_tags(intake: Intake) -> None:
    with (
        sternpost.trace("outer", session_id="s1", user_id="u1", tags=["beta"]) as outer,
        sternpost.trace("inner", tags=["fast"]) as inner,
    ):
        pass

    found = intake.span("inner")
    assert found.trace_id.hex() == outer.trace_id == inner.trace_id
    assert found.parent_span_id.hex() == outer.span_id
    facts = plain(found.attributes)
    assert (facts["gen_ai.conversation.id"], facts["user.id"]) == ("s1", "u1")
    assert json.loads(str(facts["sternpost.tags"])) == ["beta", "fast"]
    assert not intake.span("outer").parent_span_id


def test_an_exception_is_recorded_and_raised(intake: Intake) -> None:
    @sternpost.trace("risky")
    def risky() -> None:
        raise LookupError("no such page")

    with pytest.raises(LookupError):
        risky()

    span = intake.span("risky")
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "no such page")
    assert plain(span.attributes)["error.type"] == "LookupError"
    assert plain(span.events[0].attributes)["exception.message"] == "no such page"


async def test_coroutines_that_run_together_keep_their_own_parents(intake: Intake) -> None:
    @sternpost.trace
    async def leaf(number: int) -> int:
        await asyncio.sleep(0)
        return number

    @sternpost.trace
    async def branch(number: int) -> int:
        await asyncio.sleep(0)
        return await leaf(number)

    assert await asyncio.gather(branch(1), branch(2)) == [1, 2]

    assert sternpost.flush()
    branches = {span.span_id: span.trace_id for span in intake.spans if span.name == "branch"}
    leaves = [span for span in intake.spans if span.name == "leaf"]
    assert len(branches) == len(leaves) == 2
    assert all(branches[leaf.parent_span_id] == leaf.trace_id for leaf in leaves)


def test_a_generator_is_one_span_that_is_not_current_while_suspended(intake: Intake) -> None:
    @sternpost.trace
    def words() -> Iterator[str]:
        yield "one "
        with sternpost.trace("within"):
            yield "two"

    seen = [(word, sternpost.current_span()) for word in words()]

    assert [word for word, _ in seen] == ["one ", "two"]
    assert seen[0][1] is None
    assert intake.value("words", "output.value") == "one two"
    assert intake.span("within").parent_span_id == intake.span("words").span_id


async def test_an_async_generator_left_early_is_closed_and_marked(intake: Intake) -> None:
    closed: list[bool] = []

    @sternpost.trace
    async def words() -> AsyncIterator[str]:
        try:
            yield "one"
            yield "two"
        finally:
            closed.append(True)

    stream = words()
    assert await anext(stream) == "one"
    await stream.aclose()  # type: ignore[attr-defined]

    facts = intake.facts("words")
    assert closed == [True]
    assert facts["sternpost.stopped_early"] is True
    assert json.loads(str(facts["output.value"])) == "one"


def test_what_is_sent_or_thrown_reaches_the_generator(intake: Intake) -> None:
    @sternpost.trace
    def echo() -> Iterator[object]:
        with suppress(KeyError):
            got = yield "ready"
            yield got
        yield "survived"

    steps = echo()
    assert next(steps) == "ready"
    assert steps.send("ping") == "ping"  # type: ignore[attr-defined]
    assert steps.throw(KeyError("x")) == "survived"  # type: ignore[attr-defined]
    assert list(steps) == []


def test_a_tool_records_its_arguments_and_result(intake: Intake) -> None:
    @sternpost.tool
    def weather(city: str) -> str:
        return f"rain in {city}"

    weather("Oslo")
    with sternpost.tool("search", arguments={"q": "tea"}, call_id="call_1") as call:
        call.set_output(["a", "b"])

    facts = intake.facts("execute_tool weather")
    assert (facts["gen_ai.operation.name"], facts["gen_ai.tool.name"]) == ("execute_tool", "weather")
    assert json.loads(str(facts["gen_ai.tool.call.arguments"])) == {"city": "Oslo"}
    assert json.loads(str(facts["gen_ai.tool.call.result"])) == "rain in Oslo"
    assert intake.value("execute_tool search", "gen_ai.tool.call.arguments") == {"q": "tea"}
    assert intake.facts("execute_tool search")["gen_ai.tool.call.id"] == "call_1"


def test_a_retrieval_records_the_query_and_its_documents(intake: Intake) -> None:
    with sternpost.retrieval("why?", source="docs", top_k=2) as found:
        found.add("Because.", id="a.md#1", score=0.9, title="A", uri="docs/a.md")
        found.add("Perhaps.", id="b.md")

    span = intake.span("retrieval docs")
    facts = plain(span.attributes)
    assert span.kind == Span.SPAN_KIND_CLIENT
    assert (facts["gen_ai.operation.name"], facts["gen_ai.retrieval.query.text"]) == ("retrieval", "why?")
    assert facts["gen_ai.data_source.id"] == "docs"
    assert intake.value("retrieval docs", "gen_ai.retrieval.documents") == [
        {"id": "a.md#1", "score": 0.9, "content": "Because.", "title": "A", "uri": "docs/a.md"},
        {"id": "b.md", "content": "Perhaps."},
    ]


def test_headers_carry_the_trace_session_user_and_tags(intake: Intake) -> None:
    with sternpost.trace("call", session_id="s1", user_id="zoë", tags=["a", "b,c"]) as span:
        sent = sternpost.headers()

    assert sent == {
        "traceparent": f"00-{span.trace_id}-{span.span_id}-01",
        "x-sternpost-session": "s1",  # "zoë" can't stand in a header, "b,c" would be read as two tags
        "x-sternpost-tags": "a",
    }
    assert sternpost.headers() == {}
    assert intake.facts("call")["user.id"] == "zoë"


def test_a_trace_begun_elsewhere_is_continued(intake: Intake) -> None:
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"

    with sternpost.trace("continued", traceparent=traceparent):
        pass

    span = intake.span("continued")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == ("a" * 32, "b" * 16)


def test_capture_can_be_left_out(intake: Intake) -> None:
    @sternpost.trace(capture=False)
    def secret(password: str) -> str:
        return password

    secret("hunter2")

    assert not {"input.value", "output.value"} & intake.facts("secret").keys()


@pytest.mark.parametrize("function", [max, functools.partial(max, key=str), "a".join])
def test_any_callable_can_be_traced(intake: Intake, function: Callable[..., object]) -> None:
    assert sternpost.trace(function)(["b", "c"]) in ("c", "bac")

    assert sternpost.flush()
    assert len(intake.spans) == 1


def test_a_wrong_call_fails_as_without_the_trace(intake: Intake) -> None:
    @sternpost.trace
    def one(argument: int) -> int:
        return argument

    with pytest.raises(TypeError, match="positional argument"):
        one(1, 2)  # type: ignore[call-arg]

    assert intake.facts("one")["error.type"] == "TypeError"


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    "value", [Hostile(), float("nan"), {(1, 2): 3}, {1, 2}, b"\x00", "\ud800", "x" * 1_500_000]
)
def test_any_value_can_pass_through_a_traced_function(intake: Intake, value: object) -> None:
    @sternpost.trace
    def same(value: object) -> object:
        return value

    assert same(value) is value

    assert intake.value("same", "output.value")


def test_without_a_server_functions_run_as_before() -> None:
    sternpost.init("", "")

    @sternpost.trace(session_id="s1")
    def answer() -> dict[str, str]:
        sternpost.feedback(value=True)
        return sternpost.headers()

    assert answer() == {"x-sternpost-session": "s1"}  # no parent is named that would never arrive
    assert sternpost.flush()
