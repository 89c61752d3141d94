"""What an OpenAI caller says to Gemini and hears from it keeps its text, tools, finish and usage."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sternpost.contracts.message import TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.openai_chat.usage import input_total, output_total
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import OPENAI

GEMINI = UPSTREAM_CODECS["gemini"]
TEXT = st.text(min_size=1, max_size=40)
NAME = st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
ARGUMENTS = st.dictionaries(TEXT, st.one_of(st.integers(-(2**53), 2**53), TEXT, st.booleans(), st.none()))
COUNT = st.integers(0, 10**6)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": draw(TEXT)}]
    for turn in range(draw(st.integers(1, 3))):
        messages.append({"role": "user", "content": draw(TEXT)})
        calls = [
            {
                "id": f"call_{turn}_{number}",
                "type": "function",
                "function": {"name": draw(NAME), "arguments": json.dumps(draw(ARGUMENTS))},
            }
            for number in range(draw(st.integers(0, 2)))
        ]
        if calls:
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            messages += [
                {"role": "tool", "tool_call_id": call["id"], "content": draw(TEXT)} for call in calls
            ]
        messages.append({"role": "assistant", "content": draw(TEXT)})
    return [*messages, {"role": "user", "content": draw(TEXT)}]


@settings(max_examples=100)
@given(conversations())
def test_a_conversation_arrives_whole(messages: list[dict[str, Any]]) -> None:
    request = OPENAI.read_request(json.dumps({"model": "m", "messages": messages}).encode())
    written = GEMINI.write_request(request, quirks=STANDARD, facts=None)
    again = GEMINI.write_request(request, quirks=STANDARD, facts=None)
    body = json.loads(written.body)
    parts = [part for content in body["contents"] for part in content["parts"]]
    said = [message["content"] for message in messages if message["role"] in {"user", "assistant"}]
    calls = [call for message in messages for call in message.get("tool_calls", [])]

    assert again.body == written.body
    assert written.dropped == ()
    assert body["systemInstruction"]["parts"] == [{"text": messages[0]["content"]}]
    assert [part["text"] for part in parts if "text" in part] == [text for text in said if text]
    sent = [part["functionCall"] for part in parts if "functionCall" in part]
    assert [(one["name"], one["args"], one["id"]) for one in sent] == [
        (call["function"]["name"], json.loads(call["function"]["arguments"]), call["id"]) for call in calls
    ]
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    assert [(one["name"], one["id"]) for one in results] == [
        (call["function"]["name"], call["id"]) for call in calls
    ]
    roles = [content["role"] for content in body["contents"]]
    assert all(first != second for first, second in pairwise(roles))


@settings(max_examples=100)
@given(st.lists(TEXT, max_size=3), st.lists(st.tuples(NAME, ARGUMENTS), max_size=3), COUNT, COUNT, COUNT)
def test_an_answer_arrives_whole(
    texts: list[str], calls: list[tuple[str, dict[str, Any]]], prompt: int, given_out: int, thoughts: int
) -> None:
    assume(prompt + given_out + thoughts)  # nothing but zeros is no count
    parts: list[dict[str, Any]] = [{"text": text} for text in texts]
    parts += [{"functionCall": {"name": name, "args": arguments}} for name, arguments in calls]
    total = prompt + given_out + thoughts
    counted = {"promptTokenCount": prompt, "candidatesTokenCount": given_out, "thoughtsTokenCount": thoughts}
    answer = {
        "responseId": "r1",
        "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {**counted, "totalTokenCount": total},
    }
    reply = GEMINI.read_reply(json.dumps(answer).encode())
    back = OPENAI.read_reply(OPENAI.write_reply(reply))
    heard = back.choices[0].parts

    assert "".join(part.content for part in heard if isinstance(part, TextPart)) == "".join(texts)
    assert [
        (part.name, json.loads(part.arguments)) for part in heard if isinstance(part, ToolCallPart)
    ] == calls
    assert back.choices[0].finish_reason == ("tool" if calls else "end")
    assert back.usage is not None
    assert input_total(back.usage) + output_total(back.usage) == total
    assert back.usage.out_reasoning == thoughts
