"""When the offline answerer asks for a tool, and what it makes of the result."""

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.providers.offline.client import OfflineClient
from sternpost.providers.offline.tools import Tool, choose_tool

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": "list_files", "description": "List files"}},
    {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}},
]
ASK = {"role": "user", "content": "What is the weather in Oslo?"}


async def post(messages: list[dict[str, object]], **fields: object) -> UpstreamReply:
    body = json.dumps({"model": "extract-large", "messages": messages, "tools": TOOLS, **fields}).encode()
    url = "http://offline.invalid/v1/chat/completions"
    return await OfflineClient().send(UpstreamRequest("POST", url, {}, body, 5.0, 60.0))


async def completion(messages: list[dict[str, object]], **fields: object) -> ChatCompletion:
    return ChatCompletion.model_validate_json(await (await post(messages, **fields)).read(100_000))


async def test_a_tool_named_in_the_question_is_asked_for() -> None:
    choice = (await completion([ASK])).choices[0]

    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city": "Oslo"}')


async def test_a_streamed_tool_call_comes_in_pieces() -> None:
    reply = await post([ASK], stream=True)

    frames = [frame async for frame in reply.chunks()]
    chunks = [ChatCompletionChunk.model_validate_json(frame[6:]) for frame in frames[:-1]]

    pieces = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert [piece.function.name for piece in pieces if piece.function and piece.function.name] == [
        "get_weather"
    ]
    assert "".join(piece.function.arguments or "" for piece in pieces if piece.function) == '{"city": "Oslo"}'
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_the_result_of_the_tool_is_quoted_and_no_tool_asked_for_again() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    told = {"role": "tool", "tool_call_id": "call_1", "content": '{"temperature_c": 12}'}

    choice = (
        await completion([ASK, {"role": "assistant", "content": None, "tool_calls": [call]}, told])
    ).choices[0]

    assert (choice.message.content, choice.finish_reason) == ('{"temperature_c": 12} [tool result]', "stop")


async def test_a_question_without_the_name_of_a_tool_is_answered_in_words() -> None:
    choice = (await completion([{"role": "user", "content": "[a] Tea is hot.\n\nIs tea hot?"}])).choices[0]

    assert choice.message.content == "Tea is hot. [a]"


async def test_the_choice_of_the_caller_is_obeyed() -> None:
    none = await completion([ASK], tool_choice="none")
    named = await completion([ASK], tool_choice={"type": "function", "function": {"name": "list_files"}})
    wrong = await post([ASK], tool_choice={"type": "function", "function": {"name": "nope"}})

    assert none.choices[0].message.tool_calls is None
    assert named.choices[0].message.tool_calls is not None
    assert named.choices[0].message.tool_calls[0].function.name == "list_files"  # type: ignore[union-attr]
    assert wrong.status == 400


@pytest.mark.parametrize(
    ("schema", "question", "arguments"),
    [
        ({"n": {"type": "integer"}}, "Roll dice 3 times", {"n": 3}),
        ({"x": {"type": "number"}}, "Roll dice for -1.5", {"x": -1.5}),
        ({"side": {"enum": ["left", "right"]}}, "Roll the dice to the right", {"side": "right"}),
        ({"a": {"type": "string"}}, 'Roll dice called "lucky one" in Rome', {"a": "lucky one"}),
        (
            {"a": {"type": "string"}, "b": {"type": "string"}},
            "Roll dice for Ada in Rome.",
            {"a": "Rome", "b": "Ada"},
        ),
        ({"a": {"type": "boolean"}}, "Roll dice in Rome", None),
        ({"a": {"type": "string"}}, "Roll dice", None),
    ],
)
def test_arguments_are_read_from_the_question(
    schema: dict[str, object], question: str, arguments: dict[str, object] | None
) -> None:
    tool = Tool("rollDice", "", {"properties": schema, "required": list(schema)})

    call = choose_tool(question, [tool], "auto")

    assert (json.loads(call.arguments) if call else None) == arguments
