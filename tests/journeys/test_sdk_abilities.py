"""What the official Python SDKs offer beyond a plain call works at a provider of every dialect."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic import beta_tool
from pydantic import BaseModel

from tests.support import fake_thinking
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost

QUESTION = "How is the weather in Paris?"
ASK: list[Any] = [{"role": "user", "content": QUESTION}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "The weather in a city"}
CHAT_TOOL: Any = {"type": "function", "function": {**TOOL, "parameters": SCHEMA}}
MESSAGES_TOOL: Any = {**TOOL, "input_schema": SCHEMA}
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOWN_IN: dict[str, Any] = {
    "lab/m1": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    "labant/m1": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    "labres/m1": {
        "type": "input_image",
        "image_url": f"data:image/png;base64,{PIXEL}",
        "detail": "auto",
    },
}
every_model = pytest.mark.parametrize("model", ["lab/m1", "labant/m1", "labres/m1"])


class Weather(BaseModel):
    city: str
    degrees: float


@pytest.fixture
def chat(sternpost_server: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


@pytest.fixture
def messages(sternpost_server: RunningSternpost) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


@every_model
def test_the_chat_stream_helper_gathers_text_tools_and_usage(chat: openai.OpenAI, model: str) -> None:
    with chat.chat.completions.stream(
        model=model, messages=ASK, tools=[CHAT_TOOL], stream_options={"include_usage": True}
    ) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert "tool_calls.function.arguments.delta" in events
    assert calls
    assert (calls[0].function.name, json.loads(calls[0].function.arguments)) == ("weather", {"city": "Paris"})
    assert final.choices[0].finish_reason == "tool_calls"
    assert final.usage is not None
    assert final.usage.completion_tokens == 9


@every_model
def test_a_chat_goes_round_its_tool_and_ends_in_words(
    chat: openai.OpenAI, sternpost_server: RunningSternpost, model: str
) -> None:
    history = list(ASK)
    headers = {"x-sternpost-session": f"loop-{model}"}
    for _ in range(3):
        raw = chat.chat.completions.with_raw_response.create(
            model=model, messages=history, tools=[CHAT_TOOL], extra_headers=headers
        )
        message = raw.parse().choices[0].message
        if not message.tool_calls:
            break
        history.append(message.model_dump(exclude_none=True))
        history += [
            {"role": "tool", "tool_call_id": one.id, "content": "18 degrees"} for one in message.tool_calls
        ]
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    span = next(one for one in trace["spans"] if one["type"] == "gateway")
    assert message.content
    assert len(history) == 3
    assert [one["role"] for one in span["input"]] == ["user", "assistant", "tool"]
    assert span["input"][1]["parts"][0]["name"] == "weather"
    assert trace["trace"]["session_id"] == f"loop-{model}"


@every_model
def test_the_tool_runner_of_the_anthropic_sdk_goes_round(messages: anthropic.Anthropic, model: str) -> None:
    asked: list[str] = []

    @beta_tool
    def weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: where
        """
        asked.append(city)
        return "18 degrees"

    runner = messages.beta.messages.tool_runner(model=model, max_tokens=500, messages=ASK, tools=[weather])
    final = runner.until_done()
    assert asked == ["Paris"]
    assert final.content[0].type == "text"


@every_model
def test_structured_output_is_parsed_by_each_way_in(
    chat: openai.OpenAI, messages: anthropic.Anthropic, model: str
) -> None:
    expected = Weather(city="Paris", degrees=18.5)
    completion = chat.chat.completions.parse(model=model, messages=ASK, response_format=Weather)
    response = chat.responses.parse(model=model, input=QUESTION, text_format=Weather)
    message = messages.messages.parse(model=model, max_tokens=500, messages=ASK, output_format=Weather)
    assert completion.choices[0].message.parsed == expected
    assert response.output_parsed == expected
    assert message.parsed_output == expected


@every_model
def test_an_image_goes_from_each_way_in_to_each_provider(
    chat: openai.OpenAI, messages: anthropic.Anthropic, provider: FakeProvider, model: str
) -> None:
    url = f"data:image/png;base64,{PIXEL}"
    provider.reset()
    chat.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}],
    )
    response_input: Any = [{"type": "input_image", "image_url": url, "detail": "auto"}]
    chat.responses.create(model=model, input=[{"role": "user", "content": response_input}])
    messages.messages.create(
        model=model, max_tokens=500, messages=[{"role": "user", "content": [SHOWN_IN["labant/m1"]]}]
    )
    seen = [json.loads(request["body"]) for request in provider.requests()]
    parts = [(body.get("messages") or body.get("input"))[-1]["content"][0] for body in seen]
    wanted = SHOWN_IN[model]
    assert [{key: part.get(key) for key in wanted if key != "detail"} for part in parts] == [
        {key: value for key, value in wanted.items() if key != "detail"}
    ] * 3


def test_thinking_and_tools_go_back_in_the_callers_own_bytes(
    messages: anthropic.Anthropic, provider: FakeProvider
) -> None:
    with messages.messages.stream(
        model="labant/m1", max_tokens=2000, messages=ASK, tools=[MESSAGES_TOOL], thinking=THINKING
    ) as stream:
        first = stream.get_final_message()
    thought, call = first.content
    assert (thought.type, call.type) == ("thinking", "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"}
    history: list[Any] = [
        *ASK,
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": [result]},
    ]
    provider.reset()
    messages.messages.create(
        model="labant/m1", max_tokens=2000, messages=history, tools=[MESSAGES_TOOL], thinking=THINKING
    )
    sent = json.loads(provider.requests()[-1]["body"])
    assert sent["messages"] == history
    assert sent["messages"][1]["content"][0] == fake_thinking.BLOCK


@pytest.mark.parametrize("is_stream", [False, True])
def test_signed_thinking_comes_back_to_its_model_through_the_openai_sdk(
    chat: openai.OpenAI, provider: FakeProvider, is_stream: bool
) -> None:
    more: dict[str, Any] = {"model": "labant/m1?think=1", "tools": [CHAT_TOOL]}
    if is_stream:
        with chat.chat.completions.stream(messages=ASK, **more) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = chat.chat.completions.create(messages=ASK, **more).choices[0].message
    history = [*ASK, message.model_dump(exclude_none=True, exclude={"parsed"})]
    assert message.tool_calls
    history.append({"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "18 degrees"})
    provider.reset()
    chat.chat.completions.create(messages=history, **more)
    sent = json.loads(provider.requests()[-1]["body"])
    assert [block["type"] for block in sent["messages"][1]["content"]] == ["thinking", "tool_use"]
    assert sent["messages"][1]["content"][0] == fake_thinking.BLOCK


def test_signed_thinking_comes_back_to_its_model_through_responses(
    chat: openai.OpenAI, provider: FakeProvider
) -> None:
    tool: Any = {"type": "function", **TOOL, "parameters": SCHEMA}
    more: dict[str, Any] = {"model": "labant/m1?think=1", "tools": [tool]}
    first = chat.responses.create(input=ASK, **more)
    call = first.output[-1]
    assert call.type == "function_call"
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
    history = [*ASK, *[item.model_dump(exclude_none=True) for item in first.output], result]
    provider.reset()
    chat.responses.create(input=history, **more)
    sent = json.loads(provider.requests()[-1]["body"])
    assert sent["messages"][1]["content"][0] == fake_thinking.BLOCK


def test_an_openai_tool_call_survives_the_anthropic_sdk(
    messages: anthropic.Anthropic, provider: FakeProvider
) -> None:
    first = messages.messages.create(model="lab/m1", max_tokens=500, messages=ASK, tools=[MESSAGES_TOOL])
    call = first.content[0]
    assert (call.type, first.stop_reason) == ("tool_use", "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "no such city", "is_error": True}
    history: list[Any] = [
        *ASK,
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    provider.reset()
    messages.messages.create(model="lab/m1", max_tokens=500, messages=history, tools=[MESSAGES_TOOL])
    sent = json.loads(provider.requests()[-1]["body"])["messages"]
    function = sent[1]["tool_calls"][0]
    assert (function["id"], json.loads(function["function"]["arguments"])) == ("call_1", {"city": "Paris"})
    assert (sent[2]["role"], sent[2]["tool_call_id"]) == ("tool", "call_1")
    assert "no such city" in sent[2]["content"]
