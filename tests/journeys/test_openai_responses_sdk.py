"""`client.responses` of the official `openai` SDK works, whatever the provider of the model speaks."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost
from tests.unit.dialects.wire import payloads

CONTEXT = "[ports.md] The gateway listens on port 4100. The engine chooses a free port by itself."
ASK: list[Any] = [{"role": "user", "content": f"{CONTEXT}\n\nWhich port does the gateway listen on?"}]
TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
# the caller's own dialect, a second one of the provider, and three translations
MODELS = ("labres/m1", "laball/m1", "lab/m1", "labant/m1", "offline/extract-large")
every_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
def client(sternpost_server: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


@pytest.fixture
async def async_client(sternpost_server: RunningSternpost) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


@every_model
def test_a_question_is_answered_and_becomes_a_trace(
    client: openai.OpenAI, sternpost_server: RunningSternpost, model: str
) -> None:
    raw = client.responses.with_raw_response.create(
        model=model, instructions="Answer from the context.", input=ASK, user="ada"
    )
    reply = raw.parse()
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    span = next(one for one in trace["spans"] if one["type"] == "gateway")

    assert reply.status == "completed"
    assert reply.output_text
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert trace["trace"]["user_id"] == "ada"
    assert [message["role"] for message in span["input"]] == ["system", "user"]
    assert span["input"][-1]["parts"][0]["content"] == ASK[0]["content"]
    assert span["output"][0]["parts"][0]["content"] == reply.output_text
    assert span["usage"]["out_text"] == reply.usage.output_tokens
    assert raw.headers["x-sternpost-target"] == model


@every_model
def test_a_stream_has_the_text_of_the_whole_answer_and_gapless_numbers(
    client: openai.OpenAI, model: str
) -> None:
    whole = client.responses.create(model=model, input=ASK)
    events = list(client.responses.create(model=model, input=ASK, stream=True))

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == whole.output_text
    assert (
        "".join(event.delta for event in events if event.type == "response.output_text.delta")
        == whole.output_text
    )
    assert last.response.usage is not None
    assert last.response.usage.output_tokens > 0


@every_model
def test_the_stream_helper_of_the_sdk_accumulates_the_answer(client: openai.OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input=ASK) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(pieces) == final.output_text != ""


@every_model
async def test_the_async_client_answers_and_streams(async_client: openai.AsyncOpenAI, model: str) -> None:
    whole = await async_client.responses.create(model=model, input=ASK)
    stream = await async_client.responses.create(model=model, input=ASK, stream=True)
    pieces = [event.delta async for event in stream if event.type == "response.output_text.delta"]
    assert "".join(pieces) == whole.output_text != ""


@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("offline")])
def test_a_tool_is_called_and_its_result_goes_back(client: openai.OpenAI, model: str) -> None:
    first = client.responses.create(model=model, input="How is Paris?", tools=[TOOL])
    call = first.output[0]
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})

    with client.responses.stream(model=model, input="How is Paris?", tools=[TOOL]) as stream:
        streamed = stream.get_final_response().output[0]
    assert streamed.type == "function_call"
    assert (streamed.call_id, streamed.arguments.replace(" ", "")) == (
        call.call_id,
        call.arguments.replace(" ", ""),
    )

    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
    history: list[Any] = [
        {"role": "user", "content": "How is Paris?"},
        *[item.model_dump(exclude_none=True) for item in first.output],
        result,
    ]
    assert client.responses.create(model=model, input=history, tools=[TOOL]).output_text


def test_the_provider_gets_the_callers_own_bytes(client: openai.OpenAI, provider: FakeProvider) -> None:
    provider.reset()
    client.responses.create(model="laball/m1", input=ASK, extra_body={"future_field": {"b": 1, "a": [2.50]}})
    sent = provider.requests()[-1]
    assert sent["path"] == "/v1/responses"
    assert '"future_field":{"b":1,"a":[2.5]}' in sent["body"].replace(" ", "")

    client.chat.completions.create(model="laball/m1", messages=ASK)
    assert provider.requests()[-1]["path"] == "/v1/chat/completions"


def test_structured_output_reaches_a_chat_model_in_its_own_form(
    client: openai.OpenAI, provider: FakeProvider
) -> None:
    class City(BaseModel):
        name: str

    form: Any = {"type": "json_schema", "name": "city", "schema": City.model_json_schema(), "strict": True}
    provider.reset()
    client.responses.create(model="lab/m1", input="Which city?", text={"format": form})
    sent = json.loads(provider.requests()[-1]["body"])
    assert sent["response_format"]["type"] == "json_schema"
    assert sent["response_format"]["json_schema"]["name"] == "city"
    assert sent["response_format"]["json_schema"]["schema"] == City.model_json_schema()


def test_a_stream_is_priced_and_its_trace_holds_what_was_said(
    client: openai.OpenAI, sternpost_server: RunningSternpost
) -> None:
    raw = client.responses.with_raw_response.create(model="labres/m1", input=ASK, stream=True)
    final = list(raw.parse())[-1]
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    span = next(one for one in trace["spans"] if one["type"] == "gateway")
    assert final.type == "response.completed"
    usage = final.response.usage
    assert usage is not None
    # 1.00 USD per million tokens in, 2.00 out: tests/conftest.py
    assert span["cost_nanousd"] == usage.input_tokens * 1000 + usage.output_tokens * 2000
    assert span["output"][0]["parts"][0]["content"] == final.response.output_text


def test_a_response_is_gone_on_from_where_it_was_made(client: openai.OpenAI, provider: FakeProvider) -> None:
    first = client.responses.create(model="laball/m1", input="Remember 7.")
    provider.reset()
    raw = client.responses.with_raw_response.create(
        model="twofold", input="Which number?", previous_response_id=first.id
    )
    assert raw.parse().previous_response_id == first.id
    assert raw.headers["x-sternpost-target"] == "laball/m1"

    kept = client.responses.retrieve(first.id)
    assert kept.id == first.id
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_what_cannot_be_gone_on_from_is_refused_by_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as elsewhere:
        client.responses.create(model="labant/m1", input="And?", previous_response_id="resp_1")
    assert elsewhere.value.param == "previous_response_id"

    with pytest.raises(openai.BadRequestError) as ambiguous:
        client.responses.create(model="twofold", input="And?", previous_response_id="resp_unknown")
    assert "which provider" in str(ambiguous.value)

    assert client.responses.create(model="labres/m1", input="And?", previous_response_id="resp_unknown").id


def test_an_answer_cut_at_its_limit_is_incomplete_and_no_error(client: openai.OpenAI) -> None:
    for model in ("labres/fault-incomplete", "offline/extract-large"):
        whole = client.responses.create(model=model, input=ASK, max_output_tokens=2)
        events = list(client.responses.create(model=model, input=ASK, max_output_tokens=2, stream=True))
        assert whole.status == "incomplete"
        assert whole.incomplete_details is not None
        assert whole.incomplete_details.reason == "max_output_tokens"
        assert events[-1].type == "response.incomplete"


def test_a_failed_response_lets_the_next_target_answer(client: openai.OpenAI) -> None:
    raw = client.responses.with_raw_response.create(model="onward", input=ASK)
    assert raw.headers["x-sternpost-target"] == "labant/m1"
    assert raw.parse().output_text


@pytest.mark.parametrize(
    "model", ["labres/fault-cut?after=6", "lab/fault-cut?after=6", "labres/fault-error-event?after=6"]
)
def test_a_broken_stream_is_an_error_the_sdk_raises_and_ends_in_failed(
    client: openai.OpenAI, sternpost_server: RunningSternpost, model: str
) -> None:
    with client.responses.with_streaming_response.create(model=model, input=ASK, stream=True) as raw:
        trace_id = raw.headers["x-sternpost-trace-id"]
        with pytest.raises(openai.APIError):
            list(raw.parse())
    assert sternpost_server.trace(trace_id)["trace"]["status"] in {"truncated", "error"}

    sent = {"model": model, "input": ASK, "stream": True}
    _, _, body = sternpost_server.request("POST", "/v1/responses", sent)
    events = payloads(body)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert events[-1]["response"]["error"]["message"] == events[-2]["message"]


def test_errors_arrive_as_the_sdk_expects_them(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.create(model="labres-no/m1", input=ASK)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as empty:
        client.responses.create(model="labres/m1", input=[])
    assert empty.value.param == "input"
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="labres/fault-429", input=ASK)


def test_chat_and_messages_callers_reach_a_provider_that_speaks_responses_alone(
    client: openai.OpenAI, sternpost_server: RunningSternpost, provider: FakeProvider
) -> None:
    ask: list[Any] = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "What is it?"}]
    provider.reset()
    whole = client.chat.completions.create(model="labres/m1", messages=ask)
    sent = json.loads(provider.requests()[-1]["body"])
    assert (sent["instructions"], sent["store"]) == ("Be short.", False)
    stream = client.chat.completions.create(
        model="labres/m1", messages=ask, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content != ""
    assert chunks[-1].usage is not None

    tool: Any = {"type": "function", "function": {k: v for k, v in TOOL.items() if k != "type"}}
    called = client.chat.completions.create(model="labres/m1", messages=ask, tools=[tool])
    assert called.choices[0].finish_reason == "tool_calls"

    with anthropic.Anthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key, max_retries=0
    ) as other:
        question: list[Any] = [{"role": "user", "content": "What is it?"}]
        with other.messages.stream(model="labres/m1", max_tokens=99, messages=question) as opened:
            message = opened.get_final_message()
    assert message.content[0].type == "text"
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 0


def test_a_background_stream_is_gone_on_with_where_it_was_left(client: openai.OpenAI) -> None:
    first = client.responses.create(model="labres/m1", input="think", background=True)
    events = list(client.responses.retrieve(first.id, stream=True, starting_after=3))
    assert [event.sequence_number for event in events] == list(range(4, 4 + len(events)))
    assert events[-1].type == "response.completed"
