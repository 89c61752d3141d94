"""Requests of OpenAI's and Anthropic's callers as Cohere takes them, and what is named as lost."""

import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.dialects.protocols import Codec, WrittenRequest
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC, OPENAI

COHERE = UPSTREAM_CODECS["cohere"]
USER = {"role": "user", "content": "hi"}
TOOL = {"name": "get_weather", "description": "d", "parameters": {"type": "object", "properties": {}}}
REASONS = ModelFacts("cohere", "m", abilities=("tools", "reasoning"))


def written(codec: Codec = OPENAI, facts: ModelFacts | None = None, **fields: Any) -> WrittenRequest:
    body = {"model": "m", "messages": [USER], "max_tokens": 9, **fields}
    return COHERE.write_request(codec.read_request(json.dumps(body).encode()), quirks=STANDARD, facts=facts)


def sent(codec: Codec = OPENAI, facts: ModelFacts | None = None, **fields: Any) -> dict[str, Any]:
    return json.loads(written(codec, facts, **fields).body)


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {**TOOL, **fields}}


def test_sampling_has_coheres_names_and_bounds() -> None:
    request = written(
        temperature=0.5, top_p=1, top_k=600, seed=7, stop=["a"] * 6, frequency_penalty=-1, presence_penalty=2
    )
    assert json.loads(request.body) == {
        "model": "m",
        "messages": [USER],
        "max_tokens": 9,
        "temperature": 0.5,
        "p": 0.99,
        "k": 500,
        "seed": 7,
        "frequency_penalty": 0.0,
        "presence_penalty": 1.0,
        "stop_sequences": ["a"] * 5,
    }
    assert request.dropped == (
        "top_k (lowered to 500)",
        "top_p (lowered to 0.99)",
        "frequency_penalty (raised to 0)",
        "presence_penalty (lowered to 1)",
        "stop (only the first 5 of 6)",
    )


def test_what_the_model_said_before_its_calls_is_its_plan_and_results_are_documents() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    other = {"id": "c2", "type": "function", "function": {"name": "get_weather", "arguments": '{"a": 1}'}}
    messages = [
        USER,
        {"role": "assistant", "content": "I will look.", "tool_calls": [call, other]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"sky": "blue"}'},
        {"role": "tool", "tool_call_id": "c2", "content": '[{"n": 1}, {"n": 2}]'},
        {"role": "tool", "tool_call_id": "c2", "content": "sunny"},
    ]
    request = sent(messages=messages, tools=[function()])
    assert request["messages"][1] == {
        "role": "assistant",
        "tool_plan": "I will look.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}},
            {"id": "c2", "type": "function", "function": {"name": "get_weather", "arguments": '{"a": 1}'}},
        ],
    }
    data = [[d["document"]["data"] for d in m["content"]] for m in request["messages"][2:]]
    assert data == [[{"sky": "blue"}], [{"n": 1}, {"n": 2}], [{"result": "sunny"}]]


def test_anthropics_parallel_results_become_a_message_each_and_failures_say_so() -> None:
    messages = [
        USER,
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}},
                {"type": "tool_use", "id": "t2", "name": "get_weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "fine"},
                {"type": "tool_result", "tool_use_id": "t2", "content": "no such city", "is_error": True},
                {"type": "text", "text": "and now?"},
            ],
        },
    ]
    tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    request = sent(ANTHROPIC, messages=messages, tools=tools, system="Be brief.")
    assert [m["role"] for m in request["messages"]] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert request["messages"][4]["content"][0]["document"]["data"] == {"error": "no such city"}


@pytest.mark.parametrize(
    ("choice", "expected"), [("auto", None), ("none", "NONE"), ("required", "REQUIRED"), (None, None)]
)
def test_tool_choices(choice: str | None, expected: str | None) -> None:
    fields = {"tool_choice": choice} if choice else {}
    assert sent(tools=[function()], **fields).get("tool_choice") == expected


def test_to_name_one_tool_is_to_offer_it_alone() -> None:
    named = {"type": "function", "function": {"name": "b"}}
    request = sent(tools=[function(name="a"), function(name="b")], tool_choice=named)
    assert [tool["function"]["name"] for tool in request["tools"]] == ["b"]
    assert request["tool_choice"] == "REQUIRED"


def test_strict_tools_are_all_or_none() -> None:
    assert sent(tools=[function(strict=True)])["strict_tools"] is True
    mixed = written(tools=[function(name="a", strict=True), function(name="b")])
    assert "strict_tools" not in json.loads(mixed.body)
    assert mixed.dropped == ("tools.strict",)


def test_tool_names_that_cohere_refuses_are_mapped() -> None:
    request = written(tools=[function(name="get-weather"), function(name="1st"), function(name="fine_1")])
    names = [tool["function"]["name"] for tool in json.loads(request.body)["tools"]]
    assert names[2] == "fine_1"
    assert [request.renamed_tools[name] for name in names[:2]] == ["get-weather", "1st"]
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            {"type": "json_object", "json_schema": {"type": "object"}},
        ),
        ({"type": "text"}, None),
    ],
)
def test_response_formats(asked: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert sent(response_format=asked).get("response_format") == expected


def test_cohere_takes_a_format_only_without_tools_and_documents() -> None:
    asked = {"response_format": {"type": "json_object"}}
    assert written(**asked, tools=[function()]).dropped == ("response_format",)
    assert written(**asked, documents=[{"data": {"a": "b"}}]).dropped == ("response_format",)


@pytest.mark.parametrize(
    ("effort", "expected"),
    [
        ("none", {"type": "disabled"}),
        ("low", {"type": "enabled", "token_budget": 2048}),
        ("xhigh", {"type": "enabled"}),
    ],
)
def test_an_effort_is_a_budget_for_models_that_reason(effort: str, expected: dict[str, Any]) -> None:
    assert sent(facts=REASONS, reasoning_effort=effort)["thinking"] == expected
    other = written(reasoning_effort=effort)
    assert "thinking" not in json.loads(other.body)
    assert other.dropped == (() if effort == "none" else ("reasoning_effort",))


def test_thinking_goes_back_where_it_came_from_and_no_further() -> None:
    turn = {"role": "assistant", "content": "ok", "reasoning_content": "hm"}
    back = sent(facts=REASONS, messages=[USER, turn, USER])["messages"][1]
    assert back["content"] == [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ok"}]
    assert written(messages=[USER, turn, USER]).dropped == ("thinking",)
    signed = {"type": "thinking", "thinking": "hm", "signature": "s"}
    foreign = {"role": "assistant", "content": [signed, {"type": "text", "text": "ok"}]}
    request = written(ANTHROPIC, REASONS, messages=[USER, foreign, USER])
    assert json.loads(request.body)["messages"][1] == {"role": "assistant", "content": "ok"}
    assert request.dropped == ("thinking",)


def test_coheres_own_fields_pass_beside_openais() -> None:
    extra = {
        "safety_mode": "STRICT",
        "documents": [{"id": "d", "data": {"text": "t"}}],
        "citation_options": {"mode": "ACCURATE"},
    }
    request = written(**extra, logit_bias={"1": 2})
    assert {name: json.loads(request.body)[name] for name in extra} == extra
    assert request.dropped == ("logit_bias",)


def test_pictures_pass_and_other_media_are_refused() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "what?"}, picture]
    assert sent(messages=[{"role": "user", "content": content}])["messages"][0]["content"] == content
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    with pytest.raises(BadRequest, match="no audio"):
        written(messages=[{"role": "user", "content": [sound]}])


def test_what_cohere_has_no_word_for_is_named() -> None:
    request = written(user="ada", service_tier="flex", parallel_tool_calls=False, tools=[function()])
    assert request.dropped == ("parallel_tool_calls", "user", "service_tier")
    with pytest.raises(BadRequest, match="n=1"):
        written(n=2)


def test_the_same_request_is_the_same_bytes() -> None:
    assert written(tools=[function()], stop="x").body == written(tools=[function()], stop="x").body
