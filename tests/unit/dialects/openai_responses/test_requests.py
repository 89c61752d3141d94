import json
from dataclasses import replace
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatRequest, ReasoningRequest, ReplyFormat, ToolChoice
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Message,
    OtherPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.dialects.protocols import RequestHead
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES, fixture

GPT5 = ModelFacts("openai", "gpt-5", abilities=("reasoning",), rejects=("temperature",))


def _head(**fields: Any) -> RequestHead:
    return RESPONSES.read_head(json.dumps({"model": "m", "input": "hi"} | fields).encode())


def _read(**fields: Any) -> ChatRequest:
    return RESPONSES.read_request(json.dumps({"model": "m", "input": "hi"} | fields).encode())


def _write(request: ChatRequest, facts: ModelFacts | None = None) -> dict[str, Any]:
    return json.loads(RESPONSES.write_request(request, quirks=STANDARD, facts=facts).body)


def test_every_kind_of_item_is_read() -> None:
    request = RESPONSES.read_request(fixture("responses_request.json"))
    system, developer, user, assistant, results, answer, last = request.messages
    assert (system.role, developer.role, last.parts) == ("system", "system", (TextPart("And now?"),))
    assert user.parts == (
        TextPart("What is this?"),
        BlobPart("image", "iVBORw0KGgo=", "image/png"),
        UriPart("image", "https://example.com/cat.jpg"),
        BlobPart("document", "JVBERi0=", "application/pdf", "a.pdf"),
        FilePart("document", "file-1"),
    )
    assert assistant.parts == (
        ReasoningPart("A cat?", encrypted_content="sternpost.openai_responses.rs_1.gAAAAABo==", id="rs_1"),
        ToolCallPart("get_weather", '{"city": "Ulm", "n": 1.0}', "call_a"),
        ToolCallPart("ping", "", "call_b"),
    )
    assert results.parts == (ToolResponsePart("12 C", "call_a"), ToolResponsePart("pong", "call_b"))
    assert answer == Message("assistant", (TextPart("A cat."),))
    assert request.tool_choice == ToolChoice("named", "ping")
    assert [tool.is_strict for tool in request.tools] == [True, None]
    assert request.reply_format == ReplyFormat("json_schema", "answer", {"type": "object"}, is_strict=True)
    assert request.reasoning == ReasoningRequest("low")
    assert request.max_output_tokens == 500
    assert set(request.unread) == {
        "reasoning.summary",
        "reasoning.encrypted_content",
        "tools.web_search",
    }


def test_unknown_items_are_kept_for_the_record_and_named_when_they_cross() -> None:
    request = _read(input=[{"type": "web_search_call", "id": "ws_1"}, {"role": "user", "content": "hi"}])
    assert isinstance(request.messages[0].parts[0], OtherPart)
    written = OPENAI.write_request(request, quirks=STANDARD, facts=None)
    assert written.dropped == ("content.web_search_call",)


@pytest.mark.parametrize("name", ["openai_chat", "anthropic", "gemini", "bedrock", "cohere", "ollama"])
def test_a_reference_that_cannot_cross_says_to_send_the_item(name: Dialect) -> None:
    reference = _read(input=[{"type": "item_reference", "id": "msg_1"}])
    with pytest.raises(BadRequest, match="send the item itself instead of its 'item_reference'"):
        UPSTREAM_CODECS[name].write_request(reference, quirks=STANDARD, facts=None)


def test_instructions_tools_and_format_are_written_in_the_own_form() -> None:
    chat = OPENAI.read_request(fixture("openai_request.json"))
    body = _write(chat)
    assert isinstance(body["instructions"], str)
    assert body["input"][0]["role"] == "system"  # the second one, in its place
    assert body["store"] is False
    assert all(tool["type"] == "function" and "name" in tool for tool in body["tools"])
    kinds = [item.get("type", "message") for item in body["input"]]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 2


def test_a_tool_of_another_dialect_is_not_made_strict() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    assert _write(OPENAI.read_request(json.dumps(body).encode()))["tools"][0]["strict"] is False


def test_what_the_dialect_or_the_model_cannot_take_is_named() -> None:
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stop": ["x"],
        "seed": 7,
        "temperature": 0.2,
        "reasoning_effort": "high",
    }
    request = OPENAI.read_request(json.dumps(body).encode())
    written = RESPONSES.write_request(request, quirks=STANDARD, facts=GPT5)
    assert set(written.dropped) == {"stop", "seed", "temperature"}
    assert json.loads(written.body)["reasoning"] == {"effort": "high"}
    assert "reasoning_effort" in RESPONSES.write_request(request, quirks=STANDARD, facts=None).dropped
    many = OPENAI.read_request(json.dumps(body | {"n": 2}).encode())
    with pytest.raises(BadRequest):
        RESPONSES.write_request(many, quirks=STANDARD, facts=None)


def test_fewer_output_tokens_than_the_least_are_the_least_and_log_probs_go_with_the_models_refusal() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "logprobs": True}
    request = OPENAI.read_request(json.dumps(body).encode())
    written = RESPONSES.write_request(request, quirks=STANDARD, facts=replace(GPT5, rejects=("logprobs",)))
    assert json.loads(written.body)["max_output_tokens"] == 16
    assert json.loads(written.body)["include"] == ["reasoning.encrypted_content"]
    assert set(written.dropped) == {"max_output_tokens (16 is the least)", "logprobs"}


def test_nothing_stands_between_a_call_and_its_result_where_it_may_not() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "I look. "},
        call,
        {"role": "assistant", "content": "One moment."},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]
    request = RESPONSES.read_request(json.dumps({"model": "m", "input": items}).encode())
    written = json.loads(OPENAI.write_request(request, quirks=STANDARD, facts=None).body)["messages"]
    assert [message["role"] for message in written] == ["user", "assistant", "tool"]
    assert written[1]["content"] == "I look. One moment."
    assert written[1]["tool_calls"][0]["id"] == "c"


@pytest.mark.parametrize(
    ("fields", "field", "stored_id"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "resp_1"),
        ({"conversation": {"id": "conv_1"}}, "conversation", "conv_1"),
        ({"conversation": "conv_1", "input": None}, "conversation", "conv_1"),
        ({"prompt": {"id": "pmpt_1", "version": "2"}}, "prompt", "pmpt_1"),
        ({"background": True}, "background", ""),
        ({"background": False, "previous_response_id": None}, "", ""),
    ],
)
def test_what_a_provider_must_have_kept_is_found_in_the_head(
    fields: dict[str, Any], field: str, stored_id: str
) -> None:
    head = _head(**fields)
    assert (head.stored_field, head.stored_id) == (field, stored_id)


@pytest.mark.parametrize("value", [None, [], "", 7, {"a": 1}])
def test_an_input_that_says_nothing_is_refused(value: object) -> None:
    with pytest.raises(BadRequest) as refused:
        _head(input=value)
    assert refused.value.param == "input"


def test_an_edit_takes_out_what_the_model_rejects_and_thinking_of_other_providers() -> None:
    foreign = {
        "id": "rs_sternpost_0_msg",
        "type": "reasoning",
        "summary": [],
        "encrypted_content": "sternpost.e30=",
    }
    own = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    head = _head(input=[foreign, own, {"role": "user", "content": "hi"}], temperature=1)
    written = RESPONSES.edit(head, model="gpt-5", quirks=STANDARD, facts=GPT5)
    body = json.loads(written.body)
    assert body["input"][0] == own
    assert len(body["input"]) == 2
    assert set(written.dropped) == {"temperature", "reasoning"}


def test_signed_thinking_of_anthropic_comes_back_to_it_byte_for_byte() -> None:
    reply = json.dumps(
        {
            "id": "msg_1",
            "model": "claude",
            "content": [
                {"type": "thinking", "thinking": "Look it up.", "signature": "EqQB+/=="},
                {"type": "redacted_thinking", "data": "EmwK"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
            ],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    ).encode()
    shown = json.loads(RESPONSES.write_reply(ANTHROPIC.read_reply(reply)))
    result = {"type": "function_call_output", "call_id": "toolu_1", "output": "ok"}
    asked = _read(input=[{"role": "user", "content": "hi"}, *shown["output"], result])
    body = json.loads(ANTHROPIC.write_request(asked, quirks=STANDARD, facts=None).body)
    assert body["messages"][1]["content"] == json.loads(reply)["content"]
