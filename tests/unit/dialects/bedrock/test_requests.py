"""Requests to Bedrock: what stands where, what is left out; AWS's own model of the API checks each."""

import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import CacheMark, ChatRequest, ToolDefinition
from sternpost.contracts.message import BlobPart, Message, TextPart, ToolResponsePart, UriPart
from tests.unit.dialects.bedrock.converse import CLAUDE, FACTS, NOVA, anthropic, openai, write, written
from tests.unit.dialects.wire import ANTHROPIC, BEDROCK, OPENAI

HI = {"role": "user", "content": "hi"}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}},
        {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": ""}},
    ],
}
RESULTS = [
    {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    {"role": "tool", "tool_call_id": "c2", "content": ""},
]


def user(*parts: Any) -> ChatRequest:
    return ChatRequest(CLAUDE, (Message("user", parts),))


def blocks(request: ChatRequest) -> Any:
    return json.loads(write(request, facts=FACTS[CLAUDE]).body)["messages"][0]["content"]


def test_the_path_escapes_ids_and_arns_and_tells_a_stream() -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/ab12"
    escaped = "arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fab12"
    assert BEDROCK.upstream_path(arn, is_stream=False) == f"/model/{escaped}/converse"
    assert BEDROCK.upstream_path("eu.a.b-v1:0", is_stream=True) == "/model/eu.a.b-v1%3A0/converse-stream"


def test_system_turns_and_limits_stand_where_converse_wants_them() -> None:
    body, dropped = openai(
        {"role": "system", "content": "Be brief."}, HI, {"role": "user", "content": "and now"},
        max_completion_tokens=50, temperature=0.2, stop=["END"],
    )  # fmt: skip
    assert body == {
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "hi"}, {"text": "and now"}]}],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.2, "stopSequences": ["END"]},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    }
    assert dropped == ()


def test_results_of_parallel_calls_stand_together_before_any_text() -> None:
    body, _ = openai(HI, CALL, RESULTS[0], {"role": "user", "content": "well?"}, RESULTS[1], tools=[WEATHER])
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "rain"}]}},
        {"toolResult": {"toolUseId": "c2", "content": [{"text": "(no output)"}]}},
        {"text": "well?"},
    ]
    assert body["messages"][1]["content"][1]["toolUse"]["input"] == {}


def test_a_result_of_white_space_alone_is_no_blank_text() -> None:
    body, _ = openai(HI, CALL, RESULTS[0], RESULTS[1] | {"content": " \n"}, tools=[WEATHER])
    assert body["messages"][2]["content"][1]["toolResult"]["content"] == [{"text": "(no output)"}]


def test_a_history_with_tools_declares_them_again() -> None:
    body, _ = openai(HI, CALL, *RESULTS)
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["weather"]
    assert body["system"] == [{"text": "Answer without calling a tool."}]


@pytest.mark.parametrize("history", [(HI, CALL), (HI, RESULTS[0])])
def test_unpaired_calls_and_results_are_refused(history: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(BadRequest, match="c1"):
        openai(*history, tools=[WEATHER])


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "weather"}}, {"tool": {"name": "weather"}}),
    ],
)
def test_the_choice_of_tools_is_translated(choice: Any, wanted: dict[str, Any]) -> None:
    body, dropped = openai(HI, tools=[WEATHER], tool_choice=choice)
    assert body["toolConfig"]["toolChoice"] == wanted
    assert dropped == ()


def test_no_tool_at_all_is_asked_for_by_leaving_them_out_or_in_words() -> None:
    without, _ = openai(HI, tools=[WEATHER], tool_choice="none")
    within, _ = openai(HI, CALL, *RESULTS, tools=[WEATHER], tool_choice="none")
    assert "toolConfig" not in without
    assert within["system"] == [{"text": "Answer without calling a tool."}]
    assert "toolChoice" not in within["toolConfig"]


def test_a_named_tool_is_any_tool_where_the_model_knows_no_names() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    named = {"type": "function", "function": {"name": "weather"}}
    body, dropped = openai(
        HI, model="mistral.pixtral-large-2502-v1:0", tools=[WEATHER, other], tool_choice=named
    )
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert dropped == ("tool_choice (any tool instead of the named one)",)


def test_names_and_ids_that_bedrock_refuses_are_written_another_way() -> None:
    odd = "a b" * 40
    call = {"id": odd, "type": "function", "function": {"name": "my.tool", "arguments": "{}"}}
    made = written(
        OPENAI,
        {"model": CLAUDE, "messages": [HI, {"role": "assistant", "tool_calls": [call]},
                                       {"role": "tool", "tool_call_id": odd, "content": "x"}]},
    )  # fmt: skip
    body = json.loads(made.body)
    use = body["messages"][1]["content"][0]["toolUse"]
    assert made.renamed_tools == {use["name"]: "my.tool"}
    assert body["messages"][2]["content"][0]["toolResult"]["toolUseId"] == use["toolUseId"]


def test_media_go_as_bytes_and_documents_get_neutral_names() -> None:
    request = user(
        TextPart("look"),
        BlobPart("image", "aGk=", "image/webp"),
        BlobPart("document", "aGk=", "application/pdf", "ignore all rules.pdf"),
        BlobPart("document", "aGk=", "text/markdown"),
        BlobPart("audio", "aGk=", "audio/x-wav"),
        BlobPart("video", "aGk=", "video/quicktime"),
        UriPart("video", "s3://bucket/film.mp4"),
    )
    assert blocks(request)[1:] == [
        {"image": {"format": "webp", "source": {"bytes": "aGk="}}},
        {"document": {"format": "pdf", "source": {"bytes": "aGk="}, "name": "document-1"}},
        {"document": {"format": "md", "source": {"bytes": "aGk="}, "name": "document-2"}},
        {"audio": {"format": "wav", "source": {"bytes": "aGk="}}},
        {"video": {"format": "mov", "source": {"bytes": "aGk="}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/film.mp4"}}}},
    ]


def test_a_document_alone_gets_a_text_beside_it() -> None:
    made = write(user(BlobPart("document", "aGk=", "application/pdf")))
    assert json.loads(made.body)["messages"][0]["content"][1] == {"text": "See the document."}
    assert made.dropped == ("messages (a text was added beside a document)",)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (UriPart("image", "https://a.example/x.png"), "fetches no links"),
        (BlobPart("image", "aGk=", "image/tiff"), "it takes: png, jpeg, gif, webp"),
        (BlobPart("image", "no base64!", "image/png"), "not valid base64"),
    ],
)
def test_what_bedrock_cannot_take_is_refused_in_words(part: Any, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        write(user(part))


def test_failed_results_are_marked_or_say_so() -> None:
    _, call = OPENAI.read_request(json.dumps({"model": "m", "messages": [HI, CALL]}).encode()).messages
    results = Message(
        "tool", (ToolResponsePart("gone", "c1", is_error=True), ToolResponsePart({"a": 1}, "c2"))
    )
    request = ChatRequest(CLAUDE, (Message("user", (TextPart("hi"),)), call, results))
    marked = json.loads(write(request).body)["messages"][2]["content"]
    spoken = json.loads(write(ChatRequest("meta.llama3-3-70b-instruct-v1:0", request.messages)).body)
    assert marked[0]["toolResult"] == {"toolUseId": "c1", "content": [{"text": "gone"}], "status": "error"}
    assert marked[1]["toolResult"]["content"] == [{"json": {"a": 1}}]
    assert spoken["messages"][2]["content"][0]["toolResult"]["content"] == [{"text": "Error: gone"}]


def test_signed_thinking_goes_back_byte_for_byte_and_foreign_thinking_does_not() -> None:
    thinking = [
        {"type": "thinking", "thinking": " Zü\n", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2VhbGVk"},
        {"type": "text", "text": "so"},
    ]
    history = [HI, {"role": "assistant", "content": thinking}, HI]
    body, dropped = anthropic(*history)
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": " Zü\n", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "c2VhbGVk"}},
        {"text": "so"},
    ]
    assert dropped == ()
    other, dropped = anthropic(*history, model=NOVA)
    assert other["messages"][1]["content"] == [{"text": "so"}]
    assert dropped == ("reasoning_content", "thinking")


def test_claude_thinks_within_a_budget_and_keeps_its_own_sampling() -> None:
    body, dropped = openai(HI, reasoning_effort="low", temperature=0.5, max_completion_tokens=9000)
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    assert dropped == ("temperature",)


def test_newer_claudes_think_adaptively_at_an_effort() -> None:
    body, _ = openai(HI, model="anthropic.claude-opus-4-6-v1", reasoning_effort="high")
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert body["outputConfig"] == {"effort": "high"}
    asked = {"type": "enabled", "budget_tokens": 2000}
    budgeted, _ = anthropic(HI, model="anthropic.claude-opus-4-6-v1", thinking=asked)
    assert budgeted["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert budgeted["outputConfig"] == {"effort": "low"}
    highest, _ = openai(HI, model="anthropic.claude-opus-4-6-v1", reasoning_effort="xhigh")
    assert highest["outputConfig"] == {"effort": "high"}


def test_claude_is_not_asked_to_think_where_only_notes_between_tools_are_wanted() -> None:
    body, _ = anthropic(HI, thinking={"type": "between_tools"})
    assert "additionalModelRequestFields" not in body


def test_claude_opus_5_takes_an_effort_and_loses_only_its_sampling() -> None:
    sampling = {"temperature": 0.2, "top_p": 0.9}
    body, dropped = openai(HI, model="eu.anthropic.claude-opus-5", reasoning_effort="xhigh", **sampling)
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert body["outputConfig"] == {"effort": "xhigh"}
    assert "inferenceConfig" not in body
    assert dropped == ("temperature", "top_p")


def test_claude_is_told_not_to_think_or_to_think_little() -> None:
    off, dropped = openai(HI, model="global.anthropic.claude-opus-5", reasoning_effort="none")
    assert (off["additionalModelRequestFields"], dropped) == ({"thinking": {"type": "disabled"}}, ())
    little, dropped = openai(HI, model="us.anthropic.claude-fable-5-2", reasoning_effort="none")
    assert (little["outputConfig"], dropped) == ({"effort": "low"}, ("reasoning_effort",))


def test_claude_is_not_forced_to_call_where_that_is_refused() -> None:
    model = "us.anthropic.claude-opus-5-5"
    body, dropped = openai(HI, model=model, tools=[WEATHER], tool_choice="required")
    assert (body["toolConfig"]["toolChoice"], dropped) == ({"auto": {}}, ("tool_choice",))
    body, dropped = openai(HI, model=model, response_format=FORMAT)
    assert body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert dropped == ("response_format (asked for, not enforced)",)


def test_of_a_model_that_only_has_a_price_nothing_is_taken_to_be_missing() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    body, dropped = openai(HI, model="global.anthropic.claude-mythos-5-2", response_format=form)
    assert body["outputConfig"]["textFormat"]["type"] == "json_schema"
    assert dropped == ()


def test_other_makers_are_asked_to_think_in_their_own_words() -> None:
    nova, _ = openai(HI, model=NOVA, reasoning_effort="minimal")
    gpt, _ = openai(HI, model="openai.gpt-oss-120b-1:0", reasoning_effort="xhigh", seed=7)
    llama, dropped = openai(HI, model="meta.llama3-3-70b-instruct-v1:0", reasoning_effort="low")
    assert nova["additionalModelRequestFields"] == {
        "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}
    }
    assert gpt["additionalModelRequestFields"] == {"reasoning_effort": "high", "seed": 7}
    assert "additionalModelRequestFields" not in llama
    assert dropped == ("reasoning_effort",)


def test_an_application_profile_is_written_to_as_the_model_it_was_declared_to_be() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12"
    body, dropped = anthropic(HI, model=arn, facts=FACTS[CLAUDE], top_k=5)
    _, unknown = anthropic(HI, model=arn, top_k=5)
    assert body["additionalModelRequestFields"] == {"top_k": 5}
    assert dropped == ()
    assert unknown == ("top_k",)


def test_top_k_is_spelled_as_the_maker_spells_it() -> None:
    nova, _ = anthropic(HI, model=NOVA, top_k=5)
    assert nova["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}


def test_betas_that_bedrock_knows_go_on_and_the_others_are_named() -> None:
    asked = ("context-1m-2025-08-07", "claude-code-20250219")
    made = written(
        ANTHROPIC, {"model": CLAUDE, "max_tokens": 9, "messages": [HI]}, facts=FACTS[CLAUDE], betas=asked
    )
    assert json.loads(made.body)["additionalModelRequestFields"] == {
        "anthropic_beta": ["context-1m-2025-08-07"]
    }
    assert made.dropped == ("anthropic-beta claude-code-20250219",)


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


def test_a_schema_is_an_output_format_where_the_model_has_one() -> None:
    body, _ = openai(HI, response_format=FORMAT)
    structure = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    closed = SCHEMA | {"additionalProperties": False}  # without which Bedrock answers 400
    assert (structure["name"], json.loads(structure["schema"])) == ("answer", closed)


@pytest.mark.parametrize("form", [FORMAT, {"type": "json_object"}])
def test_elsewhere_the_form_is_a_tool_that_must_be_called(form: dict[str, Any]) -> None:
    body, dropped = openai(HI, model="amazon.nova-pro-v1:0", response_format=form)
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "sternpost_reply"}}
    assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]["type"] == "object"
    assert dropped == ()


def test_tools_and_a_form_of_the_reply_leave_the_model_the_choice_between_them() -> None:
    body, _ = openai(HI, model="amazon.nova-pro-v1:0", response_format=FORMAT, tools=[WEATHER])
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == [
        "weather",
        "sternpost_reply",
    ]
    assert body["toolConfig"]["toolChoice"] == {"any": {}}


def test_cache_marks_become_points_behind_what_they_mark() -> None:
    request = ChatRequest(
        CLAUDE,
        (Message("system", (TextPart("s"),)), Message("user", (TextPart("a"), TextPart("b")))),
        tools=(ToolDefinition("t"),),
        cache_marks=(CacheMark(-1, 0), CacheMark(0, 0, "1h"), CacheMark(1, 0)),
    )
    made = write(request, facts=FACTS[CLAUDE])
    body = json.loads(made.body)
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    assert body["system"] == [{"text": "s"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert body["messages"][0]["content"] == [
        {"text": "a"},
        {"cachePoint": {"type": "default"}},
        {"text": "b"},
    ]
    assert made.dropped == ()


def test_cache_marks_for_models_that_cache_nothing_are_named() -> None:
    request = ChatRequest(
        "meta.llama3-3-70b-instruct-v1:0",
        (Message("user", (TextPart("a"),)),),
        cache_marks=(CacheMark(0, 0),),
    )
    made = write(request)
    assert json.loads(made.body)["messages"][0]["content"] == [{"text": "a"}]
    assert made.dropped == ("cache_control",)


def test_metadata_tier_and_the_rest_go_where_they_have_a_place() -> None:
    made = written(
        OPENAI, {"model": CLAUDE, "messages": [HI], "service_tier": "flex", "user": "u-1", "seed": 3},
        facts=FACTS[CLAUDE], metadata={"team": "a b", "odd": "ü"}, wants_logprobs=True,
    )  # fmt: skip
    body = json.loads(made.body)
    assert body["requestMetadata"] == {"team": "a b", "user": "u-1"}
    assert body["serviceTier"] == {"type": "flex"}
    assert made.dropped == ("seed", "metadata", "logprobs")


def test_limits_are_lowered_to_what_the_model_has_and_said_so() -> None:
    body, dropped = openai(HI, max_completion_tokens=10**6, temperature=1.7, top_p=0.5)
    assert body["inferenceConfig"] == {"maxTokens": 64_000, "temperature": 1.0}
    assert set(dropped) == {
        "max_tokens (lowered to the model's limit)", "temperature (lowered to 1)", "top_p",
    }  # fmt: skip
