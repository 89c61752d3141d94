"""What OpenAI's own SDK makes of streams that were translated for it, and what parsers make of arguments."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk, ParsedChatCompletion

from sternpost.contracts.chat import (
    ChatReply,
    Citation,
    CitationSeen,
    Finish,
    FinishReason,
    RedactedThinking,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.message import Message, ToolCallPart
from sternpost.dialects.protocols import Codec
from tests.unit.dialects.wire import OPENAI, RESPONSES, head_for, payloads


def written(codec: Codec, events: Iterable[StreamEvent]) -> list[Any]:
    writer = codec.open_writer(head_for(codec), created_s=1)
    return payloads(b"".join(writer.write(event) for event in (StreamStart("c", "m"), *events, StreamEnd())))


def assembled(*events: StreamEvent) -> ParsedChatCompletion[None]:
    state = ChatCompletionStreamState()
    for chunk in written(OPENAI, events):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return state.get_final_completion()


def test_the_sdk_joins_lists_that_come_in_several_chunks() -> None:
    pages = [Citation(url=f"https://{name}.example", start=0, end=2) for name in "ab"]
    message = (
        assembled(
            ThinkingDelta("hm"),
            ThinkingSignature("s"),
            RedactedThinking("r"),
            TextDelta("ok"),
            *(CitationSeen(page) for page in pages),
            Finish("end"),
        )
        .choices[0]
        .message
    )
    said = message.model_dump()
    assert [block["type"] for block in said["thinking_blocks"]] == ["thinking", "redacted_thinking"]
    assert [one["url_citation"]["url"] for one in said["annotations"]] == [page.url for page in pages]


def test_several_choices_stay_apart() -> None:
    completion = assembled(
        TextDelta("a1"),
        TextDelta("b1", 1),
        ToolStart(0, "t", "f", 1),
        ToolArguments(0, "{}", 1),
        TextDelta("a2"),
        Finish("tool", choice=1),
        Finish("end"),
    )
    told = {choice.index: (choice.message.content, choice.finish_reason) for choice in completion.choices}
    assert told == {0: ("a1a2", "stop"), 1: ("b1", "tool_calls")}
    assert {choice.message.role for choice in completion.choices} == {"assistant"}


def arguments_of(codec: Codec, events: Iterable[StreamEvent]) -> str:
    sent = written(codec, events)
    if codec is RESPONSES:
        deltas = [one["delta"] for one in sent if one["type"] == "response.function_call_arguments.delta"]
        assert sent[-1]["response"]["output"][0]["arguments"] == "".join(deltas)
        return "".join(deltas)
    calls = [choice["delta"].get("tool_calls", []) for chunk in sent for choice in chunk["choices"]]
    return "".join(call["function"]["arguments"] for one in calls for call in one)


@pytest.mark.parametrize("codec", [OPENAI, RESPONSES])
@pytest.mark.parametrize(("reason", "arguments"), [("tool", "{}"), ("length", "")])
def test_a_call_without_arguments_has_some_that_parse_unless_it_was_cut(
    codec: Codec, reason: FinishReason, arguments: str
) -> None:
    assert arguments_of(codec, [ToolStart(0, "t", "f"), Finish(reason)]) == arguments
    message = Message("assistant", (ToolCallPart("f", "", "t"),), finish_reason=reason)
    reply = json.loads(codec.write_reply(ChatReply("c", "m", (message,), None)))
    call = (
        reply["output"][0]
        if codec is RESPONSES
        else reply["choices"][0]["message"]["tool_calls"][0]["function"]
    )
    assert call["arguments"] == arguments
