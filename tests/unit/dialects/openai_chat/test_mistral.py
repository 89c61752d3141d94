"""Mistral where it departs from OpenAI: names, ids of calls, content parts, thinking and usage."""

import json
from typing import Any

import pytest
from mistralai.client.models import ChatCompletionRequest

from sternpost.contracts.chat import ThinkingDelta, UsageSeen
from sternpost.contracts.message import BlobPart, ReasoningPart, TextPart, UriPart
from sternpost.dialects.openai_chat.call_ids import fitting
from sternpost.dialects.protocols import WrittenRequest
from sternpost.providers.catalog import load_catalog
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, events_of, fixture, text_of

QUIRKS = load_catalog()["mistral"].provider.quirks
USER = {"role": "user", "content": "hi"}
LONG = "call_0123456789abcdef"


def edited(**fields: Any) -> WrittenRequest:
    body = {"model": "mistral/m", "messages": [USER], **fields}
    head = OPENAI.read_head(json.dumps(body).encode())
    return OPENAI.edit(head, model="m", quirks=QUIRKS, facts=None)


def written(**fields: Any) -> dict[str, Any]:
    body = {"model": "m", "max_tokens": 9, "messages": [USER], **fields}
    chat = ANTHROPIC.read_request(json.dumps(body).encode())
    return json.loads(OPENAI.write_request(chat, quirks=QUIRKS, facts=None).body)


def test_names_are_mistrals_and_what_it_refuses_is_left_out() -> None:
    request = edited(max_completion_tokens=5, seed=7, user="ada", stream_options={"include_usage": True})
    assert json.loads(request.body) == {
        "model": "m",
        "messages": [USER],
        "max_tokens": 5,
        "random_seed": 7,
    } | ({"stream_options": {"include_usage": True}})
    assert request.dropped == (
        "seed (sent as random_seed)",
        "max_completion_tokens (sent as max_tokens)",
        "user",
    )
    streamed = edited(stream=True, stream_options={"include_usage": True})
    assert "stream_options" not in json.loads(streamed.body)


def test_its_own_fields_pass() -> None:
    own = {
        "safe_prompt": True,
        "prompt_mode": "reasoning",
        "tool_choice": "any",
        "parallel_tool_calls": False,
    }
    body = json.loads(edited(**own, random_seed=1).body)
    assert {name: body[name] for name in own} == own
    assert body["random_seed"] == 1


def test_ids_of_calls_fit_the_same_way_for_call_and_result() -> None:
    call = {"id": LONG, "type": "function", "function": {"name": "f", "arguments": '{"a": 1.0}'}}
    fine = {"id": "D681PevKs", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call, fine]},
        {"role": "tool", "tool_call_id": LONG, "content": "x", "own": 1.50},
        {"role": "tool", "tool_call_id": "D681PevKs", "content": '"tool_call_id"'},
    ]
    body = json.loads(edited(messages=messages).body)["messages"]
    fitted = body[1]["tool_calls"][0]["id"]
    assert (len(fitted), fitted.isalnum()) == (9, True)
    assert body[2] == {**messages[2], "tool_call_id": fitted}
    assert body[1]["tool_calls"][1] == fine
    assert body[3] == messages[3]
    assert edited(messages=messages).body == edited(messages=messages).body


def test_a_history_without_calls_keeps_its_bytes() -> None:
    text = b'{"model":"m","messages":[ {"role":"user" ,"content":"hi \\u00e9", "n":1.50} ]}'
    assert OPENAI.edit(OPENAI.read_head(text), model="m", quirks=QUIRKS, facts=None).body == text


def test_what_openai_answers_with_is_left_out_of_a_history() -> None:
    """Mistral answers 422, `extra_forbidden`, to each of these fields."""
    answer = {"role": "assistant", "content": "Hi.", "refusal": None, "annotations": [], "audio": None}
    messages = [
        {"role": "developer", "content": "Be brief.", "name": "house"},
        USER,
        answer | {"reasoning_content": "Greet."},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "tool", "tool_call_id": "D681PevKs", "name": "f", "content": "x"},
    ]
    request = edited(messages=messages)
    assert json.loads(request.body)["messages"] == [
        {"role": "system", "content": "Be brief."},
        USER,
        {"role": "assistant", "content": "Hi."},
        {"role": "assistant", "content": "No."},
        messages[4],
    ]
    assert request.dropped == ("messages.name", "messages.reasoning_content")


def test_documents_and_sounds_of_an_openai_caller_are_written_as_mistrals() -> None:
    data = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}
    own = {"type": "input_audio", "input_audio": "QUJD"}
    content = [
        {"type": "text", "text": '"file": {'},
        {"type": "file", "file": data},
        {"type": "file", "file": {"file_id": "f-1"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
        own,
    ]
    body = json.loads(edited(messages=[{"role": "user", "content": content}]).body)
    assert body["messages"][0]["content"] == [
        content[0],
        {"type": "document_url", "document_url": data["file_data"], "document_name": "a.pdf"},
        {"type": "file", "file_id": "f-1"},
        own,
        own,
    ]
    ChatCompletionRequest.model_validate(body)


@pytest.mark.parametrize(
    ("asked", "sent"), [("auto", "auto"), ("default", "standard_only"), ("flex", None), (None, None)]
)
def test_a_tier_is_one_that_mistral_knows(asked: str | None, sent: str | None) -> None:
    request = edited(service_tier=asked)
    assert json.loads(request.body).get("service_tier") == sent
    assert ("service_tier" in request.dropped) == (asked == "flex")
    chat = OPENAI.read_request(json.dumps({"model": "m", "messages": [USER], "service_tier": asked}).encode())
    translated = OPENAI.write_request(chat, quirks=QUIRKS, facts=None)
    assert json.loads(translated.body).get("service_tier") == sent


def test_an_assistant_speaks_between_results_and_the_users_words() -> None:
    """Mistral answers 400, `Unexpected role 'user' after role 'tool'`."""
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
    words = {"type": "text", "text": "Go on."}
    turns = [USER, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result, words]}]
    messages = written(messages=turns)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert messages[3]["content"]


def test_a_translated_history_has_fitting_ids_too() -> None:
    use = {"type": "tool_use", "id": "toolu_01", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "x"}
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    turns = [USER, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    messages = written(messages=turns, tools=tools)["messages"]
    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"] == fitting("toolu_01", 9)


def test_an_answer_that_was_begun_is_a_prefix() -> None:
    messages = written(messages=[USER, {"role": "assistant", "content": "Well"}])["messages"]
    assert messages[-1] == {"role": "assistant", "content": "Well", "prefix": True}
    assert "prefix" not in written(messages=[USER, messages[-1], USER])["messages"][1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "url", "url": "https://h/a.pdf"}, "https://h/a.pdf"),
        (
            {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
            "data:application/pdf;base64,QUJD",
        ),
    ],
)
def test_documents_are_addresses(source: dict[str, Any], expected: str) -> None:
    content = [{"type": "text", "text": "sum up"}, {"type": "document", "source": source}]
    (message,) = written(messages=[{"role": "user", "content": content}])["messages"]
    assert message["content"][1] == {"type": "document_url", "document_url": expected}


def test_its_parts_are_read_for_other_providers() -> None:
    parts = [
        {"type": "image_url", "image_url": "https://h/a.png"},
        {"type": "document_url", "document_url": "https://h/a.pdf", "document_name": "a"},
        {"type": "document_url", "document_url": "data:application/pdf;base64,QUJD", "document_name": "b"},
        {"type": "input_audio", "input_audio": "QUJD"},
        {"type": "input_audio", "input_audio": "https://h/a.mp3"},
    ]
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": parts}],
        "random_seed": 3,
        "tool_choice": "any",
    }
    chat = OPENAI.read_request(json.dumps(body).encode())
    assert chat.messages[0].parts == (
        UriPart("image", "https://h/a.png"),
        UriPart("document", "https://h/a.pdf"),
        BlobPart("document", "QUJD", "application/pdf", "b"),
        BlobPart("audio", "QUJD", "audio/mpeg"),
        UriPart("audio", "https://h/a.mp3"),
    )
    assert (chat.seed, chat.tool_choice.mode if chat.tool_choice else "") == (3, "required")


def test_thinking_chunks_of_a_whole_reply_are_thinking() -> None:
    thinking = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "Drums "}, {"type": "text", "text": "turn."}],
    }
    content = [thinking, {"type": "text", "text": "A sternpost."}]
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    reply = OPENAI.read_reply(json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode(), QUIRKS)
    assert reply.choices[0].parts == (ReasoningPart("Drums turn."), TextPart("A sternpost."))
    shown = json.loads(ANTHROPIC.write_reply(reply))
    assert [block["type"] for block in shown["content"]] == ["thinking", "text"]


def test_thinking_chunks_of_a_stream_are_thinking_and_usage_comes_with_the_last() -> None:
    events = events_of(OPENAI, [fixture("mistral_thinking.sse")], QUIRKS)
    assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "Drums first."
    assert text_of(events) == "A forklift lifts — très."
    assert [e.usage.out_text for e in events if isinstance(e, UsageSeen)] == [29]
