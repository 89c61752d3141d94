import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest, ReasoningRequest, ReplyFormat, ToolChoice
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.contracts.provider import STANDARD, ModelFacts, Quirks
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES, fixture


def _read(**fields: Any) -> ChatRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]} | fields
    return OPENAI.read_request(json.dumps(body).encode())


def _write(
    request: ChatRequest, quirks: Quirks = STANDARD, facts: ModelFacts | None = None
) -> dict[str, Any]:
    return json.loads(OPENAI.write_request(request, quirks=quirks, facts=facts).body)


def test_every_kind_of_content_is_read() -> None:
    request = OPENAI.read_request(fixture("openai_request.json"))
    system, brief, user, assistant, *results, last = request.messages
    assert (system.role, brief.role, last.parts) == ("system", "system", (TextPart("And now?"),))
    assert user.parts == (
        TextPart("What is this?"),
        BlobPart("image", "iVBORw0KGgo=", "image/png", detail="low"),
        UriPart("image", "https://example.com/cat.jpg"),
        BlobPart("document", "JVBERi0=", "application/pdf", "a.pdf"),
        FilePart("document", "file-1"),
    )
    assert assistant.parts == (
        ToolCallPart("get_weather", '{"city": "Ulm", "n": 1.0}', "call_a"),
        ToolCallPart("ping", "", "call_b"),
    )
    assert [result.parts for result in results] == [
        (ToolResponsePart("12 C", "call_a"),),
        (ToolResponsePart("pong", "call_b"),),
    ]
    assert request.unread == ("logit_bias",)


def test_a_request_survives_being_read_and_written() -> None:
    body = json.loads(fixture("openai_request.json"))
    written = _write(OPENAI.read_request(fixture("openai_request.json")))
    assert written["messages"][3:] == [
        *body["messages"][3:5],
        {**body["messages"][5], "content": "pong"},
        body["messages"][6],
    ]
    same = ("tool_choice", "parallel_tool_calls", "temperature", "stop", "response_format", "user", "seed")
    assert {name: written[name] for name in same} == {name: body[name] for name in same}
    assert written["max_tokens"] == 500
    assert written["tools"][0] == body["tools"][0]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": ["hi"]}, "messages.0"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"temperature": "hot"}, "temperature"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_path(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        _read(**fields)
    assert refusal.value.param == param


def test_an_image_that_is_no_base64_is_refused_without_quoting_it() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png,SECRET"}}
    with pytest.raises(BadRequest) as refusal:
        _read(messages=[{"role": "user", "content": [part]}])
    assert "SECRET" not in refusal.value.message


def test_functions_of_the_form_before_tools_are_read_as_tools() -> None:
    request = _read(
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        messages=[
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ],
    )
    assert [tool.name for tool in request.tools] == ["f"]
    call, result = request.messages[1].parts[0], request.messages[2].parts[0]
    assert isinstance(call, ToolCallPart)
    assert isinstance(result, ToolResponsePart)
    assert call.id == result.id
    assert request.unread == ("functions",)


@pytest.mark.parametrize(
    ("given", "choice"),
    [("none", ToolChoice("none")), ("auto", ToolChoice("auto")), ({"name": "f"}, ToolChoice("named", "f"))],
)
def test_the_choice_of_a_function_is_read_in_its_older_form(given: Any, choice: ToolChoice) -> None:
    request = _read(functions=[{"name": "f"}], function_call=given)
    assert (request.tool_choice, request.unread) == (choice, ("functions",))


def test_top_logprobs_alone_ask_for_logprobs_too() -> None:
    body = {"model": "m", "input": "hi", "top_logprobs": 2}
    written = _write(RESPONSES.read_request(json.dumps(body).encode()))
    assert (written["logprobs"], written["top_logprobs"]) == (True, 2)


def test_thinking_blocks_of_an_earlier_answer_are_read_for_replay() -> None:
    blocks = [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ]
    turn = {"role": "assistant", "content": "a", "reasoning_content": "t", "thinking_blocks": blocks}
    request = _read(messages=[{"role": "user", "content": "x"}, turn])
    assert request.messages[1].parts == (
        ReasoningPart("t", signature="s"),
        ReasoningPart(encrypted_content="d"),
        TextPart("a"),
    )


def test_an_anthropic_request_is_written_with_results_before_the_users_words() -> None:
    request = ANTHROPIC.read_request(fixture("anthropic_request.json"))
    result = OPENAI.write_request(request, quirks=STANDARD, facts=None)
    messages = json.loads(result.body)["messages"]
    assert [message["role"] for message in messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",  # the image of the first result has no place in a tool message
        "user",
    ]
    assert messages[3:5] == [
        {"role": "tool", "tool_call_id": "toolu_a", "content": "12 C"},
        {"role": "tool", "tool_call_id": "toolu_b", "content": "Error: no answer"},
    ]
    assert messages[5]["content"][0]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="
    assert set(result.dropped) == {"cache_control", "tools.web_search_20250305", "top_k", "thinking"}


def test_thinking_goes_back_only_to_hosts_that_want_it_and_never_signed() -> None:
    request = ANTHROPIC.read_request(fixture("anthropic_request.json"))
    turn = _write(request, Quirks(takes_reasoning_content=True))["messages"][2]
    assert turn["reasoning_content"] == "Look up both."
    assert "thinking_blocks" not in turn


@pytest.mark.parametrize(
    ("ask", "effort"),
    [
        (ReasoningRequest(effort="low"), "low"),
        (ReasoningRequest(budget_tokens=1024), "low"),
        (ReasoningRequest(budget_tokens=8192), "medium"),
        (ReasoningRequest(budget_tokens=30_000), "high"),
        (ReasoningRequest(is_adaptive=True), "medium"),
    ],
)
def test_a_model_known_to_reason_is_asked_for_the_nearest_effort(ask: ReasoningRequest, effort: str) -> None:
    request = ChatRequest("m", (Message("user", (TextPart("x"),)),), reasoning=ask)
    facts = ModelFacts("p", "m", abilities=("reasoning",))
    assert _write(request, facts=facts)["reasoning_effort"] == effort
    assert "reasoning_effort" not in _write(request)


def test_choices_formats_and_limits_are_written() -> None:
    request = ChatRequest(
        "m",
        (Message("user", (TextPart("x"),)),),
        is_stream=True,
        tool_choice=ToolChoice("required"),  # without tools it would be refused
        reply_format=ReplyFormat("json_object"),
        choice_count=2,
        service_tier="standard_only",
        max_output_tokens=9,
    )
    written = _write(request, Quirks(takes_max_completion_tokens=True))
    assert written == {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        "max_completion_tokens": 9,
        "n": 2,
        "response_format": {"type": "json_object"},
        "service_tier": "default",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_content_the_dialect_has_no_place_for_is_refused() -> None:
    request = ChatRequest("m", (Message("user", (UriPart("document", "https://example.com/a.pdf"),)),))
    with pytest.raises(BadRequest, match="document by URL"):
        _write(request)
