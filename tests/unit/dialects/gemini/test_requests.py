"""Requests for Gemini: every part in its place, signatures where they came from, no field it refuses."""

import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import CacheMark, ChatRequest, ReasoningRequest, ReplyFormat
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
from sternpost.dialects.gemini.signatures import UNSIGNED, seal
from sternpost.dialects.registry import UPSTREAM_CODECS
from sternpost.providers.catalog import load_catalog
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES

GEMINI = UPSTREAM_CODECS["gemini"]
FACTS = {facts.name: facts for facts in load_catalog()["gemini"].models}
ASK = Message("user", (TextPart("How is Paris?"),))
CALL = ToolCallPart("weather", '{"city": "Paris", "at": 1.50}', "c1")
RESULT = Message("tool", (ToolResponsePart("18 degrees", "c1"),))
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"$ref": "#/$defs/City"}},
            "additionalProperties": False,
            "$defs": {"City": {"type": ["string", "null"]}},
        },
    },
}


def written(request: ChatRequest, facts: ModelFacts | None = None, quirks: Quirks = STANDARD) -> Any:
    return json.loads(GEMINI.write_request(request, quirks=quirks, facts=facts).body)


def from_openai(**fields: Any) -> ChatRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return OPENAI.read_request(json.dumps(body).encode())


def said(*parts: Any, facts: ModelFacts | None = None) -> Any:
    """Return the parts of an assistant message as they are written."""
    request = ChatRequest("m", (ASK, Message("assistant", parts)))
    return written(request, facts)["contents"][1]["parts"]


def test_system_texts_stand_apart_and_roles_alternate() -> None:
    messages = (
        Message("system", (TextPart("Be brief."),)),
        ASK,
        Message("user", (TextPart("And Rome?"),)),
        Message("assistant", (TextPart("Mild."),)),
        Message("user", (TextPart(""), TextPart("Thanks"))),
    )
    body = written(ChatRequest("m", messages))
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "How is Paris?"}, {"text": "And Rome?"}]},
        {"role": "model", "parts": [{"text": "Mild."}]},
        {"role": "user", "parts": [{"text": "Thanks"}]},
    ]


def test_a_conversation_of_system_texts_alone_is_asked_as_the_user() -> None:
    body = written(ChatRequest("m", (Message("system", (TextPart("Say hi."),)),)))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}


def test_a_late_system_message_is_moved_and_named() -> None:
    messages = (ASK, Message("system", (TextPart("Be brief."),)))
    request = GEMINI.write_request(ChatRequest("m", messages), quirks=STANDARD, facts=None)
    assert request.dropped == ("messages (a later system message was moved to the top)",)


@pytest.mark.parametrize(
    ("part", "wire"),
    [
        (BlobPart("image", "AAAA", "image/webp"), {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}}),
        (BlobPart("image", "AAAA"), {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        (BlobPart("audio", "AAAA", "audio/mpeg"), {"inlineData": {"mimeType": "audio/mpeg", "data": "AAAA"}}),
        (BlobPart("video", "AAAA"), {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}),
        (BlobPart("document", "AAAA"), {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}),
        (
            UriPart("image", "https://h/a.png?x=1"),
            {"fileData": {"fileUri": "https://h/a.png?x=1", "mimeType": "image/png"}},
        ),
        (
            UriPart("document", "gs://bucket/a", "text/plain"),
            {"fileData": {"fileUri": "gs://bucket/a", "mimeType": "text/plain"}},
        ),
        (FilePart("document", "files/abc"), {"fileData": {"fileUri": "files/abc"}}),
    ],
)
def test_media_of_every_kind_have_a_part(part: Any, wire: Any) -> None:
    assert written(ChatRequest("m", (Message("user", (part,)),)))["contents"][0]["parts"] == [wire]


def test_a_file_of_another_vendor_is_refused_with_what_to_do() -> None:
    with pytest.raises(BadRequest, match="upload it to Google"):
        written(ChatRequest("m", (Message("user", (FilePart("document", "file-abc"),)),)))


def test_arguments_and_results_are_objects_and_the_name_is_found_by_the_id() -> None:
    request = ChatRequest("m", (ASK, Message("assistant", (CALL,)), RESULT))
    body = GEMINI.write_request(request, quirks=STANDARD, facts=None).body
    contents = json.loads(body)["contents"]
    assert b'"args":{"city": "Paris", "at": 1.50}' in body  # as the model wrote them
    assert contents[1]["parts"][0]["functionCall"]["id"] == "c1"
    assert contents[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "weather", "response": {"result": "18 degrees"}, "id": "c1"}}
        ],
    }


@pytest.mark.parametrize(
    ("part", "response"),
    [
        (ToolResponsePart('{"t": 18}', "c1"), {"t": 18}),
        (ToolResponsePart({"t": 18}, "c1"), {"t": 18}),
        (ToolResponsePart("[1, 2]", "c1"), {"result": "[1, 2]"}),
        (ToolResponsePart("{broken", "c1"), {"result": "{broken"}),
        (ToolResponsePart("", "c1"), {"result": ""}),
        (ToolResponsePart("no such city", "c1", is_error=True), {"error": "no such city"}),
    ],
)
def test_a_result_of_any_form_becomes_an_object(part: ToolResponsePart, response: Any) -> None:
    request = ChatRequest("m", (ASK, Message("assistant", (CALL,)), Message("tool", (part,))))
    assert written(request)["contents"][2]["parts"][0]["functionResponse"]["response"] == response


def test_results_of_parallel_calls_share_a_turn_and_pictures_follow_them() -> None:
    calls = Message("assistant", (CALL, ToolCallPart("weather", "", "c2")))
    picture = BlobPart("image", "AAAA", "image/png")
    results = (RESULT, Message("tool", (ToolResponsePart("see", "c2", media=(picture,)),)))
    request = ChatRequest("m", (ASK, calls, *results))
    old = written(request, FACTS["gemini-2.5-flash"])["contents"][2]["parts"]
    new = written(request, FACTS["gemini-3.8-flash"])["contents"][2]["parts"]
    assert ["functionResponse" in part for part in old] == [True, True, False]
    assert new[1]["functionResponse"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]


def test_results_stand_in_the_order_of_their_calls_and_vertex_is_told_no_ids() -> None:
    calls = Message("assistant", (CALL, ToolCallPart("weather", '{"city": "Rome"}', "call_2")))
    second, first = (ToolResponsePart("2", "call_2"), ToolResponsePart("1", "c1"))
    request = ChatRequest("m", (ASK, calls, Message("tool", (second,)), Message("tool", (first,))))
    contents = written(request, quirks=Quirks(is_vertex=True))["contents"]
    assert [part["functionResponse"] for part in contents[2]["parts"]] == [
        {"name": "weather", "response": {"result": "1"}},
        {"name": "weather", "response": {"result": "2"}},
    ]
    assert [sorted(part["functionCall"]) for part in contents[1]["parts"]] == [["args", "name"]] * 2


def test_a_picture_by_its_address_is_no_part_of_a_result() -> None:
    pictures = (UriPart("image", "https://x.y/a.png"), BlobPart("image", "AAAA", "image/png"))
    result = Message("tool", (ToolResponsePart("see", "c1", media=pictures),))
    request = ChatRequest("m", (ASK, Message("assistant", (CALL,)), result))
    parts = written(request, FACTS["gemini-3.8-flash"])["contents"][2]["parts"]
    assert [list(part) for part in parts[0]["functionResponse"]["parts"]] == [["inlineData"]]
    assert parts[1]["fileData"]["fileUri"] == "https://x.y/a.png"


@pytest.mark.parametrize("is_text", [True, False])
def test_a_result_that_is_itself_a_schema_goes_out_as_text(is_text: bool) -> None:
    """The third generation takes `$ref` in a result for the name of a picture."""
    schema: Any = {"properties": {"to": {"$ref": "#/$defs/Address"}}}
    result = ToolResponsePart(json.dumps(schema) if is_text else schema, "c1")
    body = written(ChatRequest("m", (ASK, Message("assistant", (CALL,)), Message("tool", (result,)))))
    response = body["contents"][2]["parts"][0]["functionResponse"]["response"]
    assert json.loads(response["result"]) == schema


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(BadRequest, match="'c1' answers no call"):
        written(ChatRequest("m", (ASK, RESULT)))


def test_a_signature_goes_back_on_the_part_it_came_with() -> None:
    thought = ReasoningPart("Hm.", signature=seal("c1", "sig1"))
    second = ToolCallPart("weather", "{}", "c2")
    assert said(thought, TextPart("Let me see."), CALL, second) == [
        {"text": "Let me see."},
        {
            "functionCall": {"name": "weather", "args": {"city": "Paris", "at": 1.5}, "id": "c1"},
            "thoughtSignature": "sig1",
        },
        {"functionCall": {"name": "weather", "args": {}, "id": "c2"}},
    ]
    assert said(TextPart("Hi."), ReasoningPart(signature=seal("=text", "s/x="))) == [
        {"text": "Hi.", "thoughtSignature": "s/x="}
    ]
    assert said(ReasoningPart(signature=seal("=after", "s")), TextPart("Hi.")) == [
        {"text": "Hi."},
        {"text": "", "thoughtSignature": "s"},
    ]
    assert said(ReasoningPart("Hm.", signature=seal("=thought", "s")), TextPart("Hi.")) == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "s"},
        {"text": "Hi."},
    ]


def test_calls_of_another_model_get_the_documented_signature_where_signatures_are_checked() -> None:
    first, second = CALL, ToolCallPart("weather", "{}", "c2")
    checked = said(first, second, facts=FACTS["gemini-3.8-flash"])
    assert [part.get("thoughtSignature") for part in checked] == [UNSIGNED, None]
    unchecked = said(first, facts=FACTS["gemini-2.5-pro"])
    assert "thoughtSignature" not in unchecked[0]


def test_thinking_of_another_provider_is_left_out_and_named() -> None:
    thought = ReasoningPart("Hm.", signature="EqQBCkYIB")
    request = ChatRequest("m", (ASK, Message("assistant", (thought, TextPart("Hi.")))))
    result = GEMINI.write_request(request, quirks=STANDARD, facts=None)
    assert b"EqQBCkYIB" not in result.body
    assert result.dropped == ("thinking",)


def test_a_signature_of_gemini_is_shown_to_no_other_provider() -> None:
    block = {"type": "thinking", "thinking": "", "signature": seal("c1", "sig1")}
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [block, {"type": "text", "text": "a"}]},
        {"role": "user", "content": "b"},
    ]
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": turns}).encode()
    passed = ANTHROPIC.edit(ANTHROPIC.read_head(body), model="m", quirks=STANDARD, facts=None)
    translated = ANTHROPIC.write_request(ANTHROPIC.read_request(body), quirks=STANDARD, facts=None)
    for result in (passed, translated):
        assert b"sig1" not in result.body
        assert result.dropped == ("thinking",)


@pytest.mark.parametrize("codec", [OPENAI, ANTHROPIC, RESPONSES], ids=lambda codec: codec.name)
def test_every_dialect_carries_a_signature_there_and_back(codec: Any) -> None:
    reply = GEMINI.read_reply(
        json.dumps(
            {
                "responseId": "r1",
                "candidates": [
                    {
                        "content": {
                            "parts": [
                                {"text": "Hm.", "thought": True},
                                {"functionCall": {"name": "weather", "args": {}}, "thoughtSignature": "sig1"},
                            ]
                        },
                        "finishReason": "STOP",
                    }
                ],
            }
        ).encode()
    )
    shown = json.loads(codec.write_reply(reply))
    call_id = next(part.id for part in reply.choices[0].parts if isinstance(part, ToolCallPart))
    body: dict[str, Any] = {"model": "m"}
    if codec is OPENAI:
        result: Any = {"role": "tool", "tool_call_id": call_id, "content": "18"}
        body["messages"] = [{"role": "user", "content": "hi"}, shown["choices"][0]["message"], result]
    elif codec is ANTHROPIC:
        result = {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call_id, "content": "18"}],
        }
        turn = {"role": "assistant", "content": shown["content"]}
        body |= {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}, turn, result]}
    else:
        result = {"type": "function_call_output", "call_id": call_id, "output": "18"}
        body["input"] = [{"role": "user", "content": "hi"}, *shown["output"], result]
    contents = written(codec.read_request(json.dumps(body).encode()))["contents"]
    assert contents[1]["parts"] == [
        {"functionCall": {"name": "weather", "args": {}}, "thoughtSignature": "sig1"}  # no id of ours
    ]
    assert contents[2]["parts"] == [{"functionResponse": {"name": "weather", "response": {"result": "18"}}}]


def test_tools_and_their_schemas_go_out_as_they_came() -> None:
    bare = {
        "type": "function",
        "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
    }
    choice = {"type": "function", "function": {"name": "now"}}
    body = written(from_openai(tools=[TOOL, bare], tool_choice=choice))
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "weather",
                    "description": "The weather",
                    "parametersJsonSchema": TOOL["function"]["parameters"],
                },
                {"name": "now"},
            ]
        }
    ]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["now"]}}


@pytest.mark.parametrize(("asked", "mode"), [("auto", "AUTO"), ("none", "NONE"), ("required", "ANY")])
def test_the_choice_of_tools_is_a_mode(asked: str, mode: str) -> None:
    config = written(from_openai(tools=[TOOL], tool_choice=asked))["toolConfig"]["functionCallingConfig"]
    assert config == {"mode": mode}


def test_limits_have_their_names() -> None:
    request = from_openai(
        max_tokens=50, temperature=0.5, top_p=0.9, stop=["x"], seed=7, n=2, frequency_penalty=0.1, top_k=3
    )
    assert written(request)["generationConfig"] == {
        "maxOutputTokens": 50,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 3,
        "stopSequences": ["x"],
        "candidateCount": 2,
        "seed": 7,
        "frequencyPenalty": 0.1,
    }


def test_what_a_model_answers_400_to_is_left_out_or_refused() -> None:
    facts = FACTS["gemini-4-argon"]
    result = GEMINI.write_request(from_openai(presence_penalty=0.1), quirks=STANDARD, facts=facts)
    assert result.dropped == ("presencePenalty",)
    assert b"presencePenalty" not in result.body
    with pytest.raises(BadRequest, match="one choice"):
        written(from_openai(n=2), facts)
    with pytest.raises(BadRequest, match="at most 5"):
        written(ChatRequest("m", (ASK,), stop=tuple("abcdef")))


def test_log_probs_and_modalities_are_asked_for() -> None:
    request = ChatRequest("m", (ASK,), wants_logprobs=True, top_logprobs=3, modalities=("text", "image"))
    assert written(request)["generationConfig"] == {
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT", "IMAGE"],
    }


@pytest.mark.parametrize(
    ("model", "ask", "config"),
    [
        ("gemini-3.8-flash", ReasoningRequest("minimal"), {"thinkingLevel": "low"}),
        ("gemini-3.5-flash-lite", ReasoningRequest("minimal"), {"thinkingLevel": "minimal"}),
        ("gemini-3.5-flash-lite", ReasoningRequest("none"), {"thinkingLevel": "minimal"}),
        ("gemini-3.8-flash", ReasoningRequest("none"), {"thinkingLevel": "low"}),
        ("gemini-3.8-flash", ReasoningRequest("xhigh"), {"thinkingLevel": "high"}),
        ("gemini-4-neon", ReasoningRequest("xhigh"), {"thinkingLevel": "xhigh"}),
        ("gemini-3.8-flash", ReasoningRequest(budget_tokens=4000), {"thinkingLevel": "medium"}),
        ("gemini-3.8-flash", ReasoningRequest(is_adaptive=True), {}),
        ("gemini-2.5-flash", ReasoningRequest("low"), {"thinkingBudget": 2048}),
        ("gemini-2.5-flash", ReasoningRequest("none"), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", ReasoningRequest("none"), {"thinkingBudget": 128}),
        ("gemini-2.5-pro", ReasoningRequest(budget_tokens=90_000), {"thinkingBudget": 24_576}),
        ("gemini-2.5-pro", ReasoningRequest(is_adaptive=True), {"thinkingBudget": -1}),
    ],
)  # fmt: skip
def test_thinking_is_asked_for_by_level_or_by_budget_as_the_catalogue_says(
    model: str, ask: ReasoningRequest, config: Any
) -> None:
    body = written(ChatRequest("m", (ASK,), reasoning=ask), FACTS[model])
    shown = {} if ask.effort == "none" else {"includeThoughts": True}
    assert body["generationConfig"]["thinkingConfig"] == {**config, **shown}


@pytest.mark.parametrize(("limit", "budget"), [(8000, 6976), (1000, 512), (60_000, 24_576)])
def test_a_budget_for_an_effort_leaves_room_for_an_answer(limit: int, budget: int) -> None:
    request = from_openai(max_completion_tokens=limit, reasoning_effort="high")
    config = written(request, FACTS["gemini-2.5-flash"])["generationConfig"]["thinkingConfig"]
    assert config["thinkingBudget"] == budget  # the limit less 1,024, within what models take


def test_an_unknown_model_is_not_asked_to_think() -> None:
    result = GEMINI.write_request(from_openai(reasoning_effort="high"), quirks=STANDARD, facts=None)
    assert b"thinkingConfig" not in result.body
    assert result.dropped == ("reasoning_effort",)


def test_a_structured_answer_is_asked_for_by_json_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": ["integer", "null"]}}}
    form = ReplyFormat("json_schema", "answer", schema)
    config = written(ChatRequest("m", (ASK,), reply_format=form))["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    plain = written(ChatRequest("m", (ASK,), reply_format=ReplyFormat("json_object")))["generationConfig"]
    assert plain == {"responseMimeType": "application/json"}


def test_a_structured_answer_beside_tools_is_left_to_models_that_take_both() -> None:
    request = from_openai(tools=[TOOL], response_format={"type": "json_object"})
    old = GEMINI.write_request(request, quirks=STANDARD, facts=FACTS["gemini-2.5-flash"])
    assert old.dropped == ("response_format",)
    assert "generationConfig" in written(request, FACTS["gemini-3.8-flash"])


def test_accounts_are_told_as_each_host_takes_it() -> None:
    request = ChatRequest(
        "m", (ASK,), end_user="ada@example.org", metadata={"team": "a1", "Bad Key": "x"}, service_tier="flex",
        cache_key="k", cache_marks=(CacheMark(0, 0),),
    )  # fmt: skip
    gemini = GEMINI.write_request(request, quirks=STANDARD, facts=None)
    vertex = GEMINI.write_request(request, quirks=Quirks(is_vertex=True), facts=None)
    assert json.loads(gemini.body)["serviceTier"] == "flex"
    assert set(gemini.dropped) == {"cache_control", "user", "prompt_cache_key"}
    labels = json.loads(vertex.body)["labels"]
    assert labels["team"] == "a1"
    assert "ada" not in vertex.body.decode()
    assert set(labels) == {"team", "end_user"}
    assert set(vertex.dropped) == {"cache_control", "service_tier", "prompt_cache_key"}


def test_a_model_is_escaped_in_its_path() -> None:
    assert GEMINI.upstream_path("gemini-x", is_stream=False) == "/models/gemini-x:generateContent"
    assert GEMINI.upstream_path("a/b?c", is_stream=True) == "/models/a%2Fb%3Fc:streamGenerateContent?alt=sse"
