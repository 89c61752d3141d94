"""What a request asks for arrives at a target of another dialect, or is named as dropped."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from sternpost.contracts.chat import CacheMark
from sternpost.contracts.provider import STANDARD, ModelFacts, Quirks
from sternpost.dialects.claude.closed_schemas import closed
from sternpost.dialects.protocols import Codec, UpstreamCodec, WrittenRequest
from tests.unit.dialects.wire import ANTHROPIC, BEDROCK, OPENAI, RESPONSES

USER = {"role": "user", "content": "hi"}
MARK = {"cache_control": {"type": "ephemeral"}}
LONG_MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
REASONER = ModelFacts("p", "m", abilities=("reasoning", "json_schema"))
KEYED = Quirks(takes_prompt_cache_key=True)


def cross(
    source: Codec,
    sink: UpstreamCodec,
    body: dict[str, Any],
    facts: ModelFacts | None = None,
    quirks: Quirks = STANDARD,
) -> WrittenRequest:
    request = source.read_request(json.dumps(body).encode())
    return sink.write_request(request, quirks=quirks, facts=facts)


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [USER]} | fields


def anthropic(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [USER]} | fields


def test_log_probs_cross_between_the_dialects_that_have_them() -> None:
    there = json.loads(cross(OPENAI, RESPONSES, chat(logprobs=True, top_logprobs=2)).body)
    assert there["include"] == ["message.output_text.logprobs"]
    assert there["top_logprobs"] == 2
    back = json.loads(cross(RESPONSES, OPENAI, there).body)
    assert (back["logprobs"], back["top_logprobs"]) == (True, 2)
    lost = cross(OPENAI, ANTHROPIC, chat(logprobs=True, top_logprobs=2))
    assert lost.dropped == ("logprobs", "top_logprobs")


def test_verbosity_and_metadata_cross_to_responses() -> None:
    written = cross(OPENAI, RESPONSES, chat(verbosity="low", metadata={"team": "a"}), REASONER)
    body = json.loads(written.body)
    assert (body["text"], body["metadata"]) == ({"verbosity": "low"}, {"team": "a"})
    assert json.loads(cross(RESPONSES, OPENAI, body, REASONER).body)["verbosity"] == "low"
    assert cross(OPENAI, RESPONSES, chat(verbosity="low")).dropped == ("verbosity",)


@pytest.mark.parametrize(("source", "sink"), [(OPENAI, RESPONSES), (RESPONSES, OPENAI)])
def test_a_cache_key_goes_only_to_hosts_that_take_it(source: Codec, sink: Codec) -> None:
    body = {"model": "m", "messages": [USER], "input": "hi", "prompt_cache_key": "k"}
    assert json.loads(cross(source, sink, body, quirks=KEYED).body)["prompt_cache_key"] == "k"
    plain = cross(source, sink, body)
    assert "prompt_cache_key" not in json.loads(plain.body)
    assert "prompt_cache_key" in plain.dropped


def test_how_closely_to_look_at_a_picture_crosses_or_is_named() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://e.com/a.png", "detail": "high"}}
    body = chat(messages=[{"role": "user", "content": [image]}])
    there = json.loads(cross(OPENAI, RESPONSES, body).body)
    assert there["input"][0]["content"][0]["detail"] == "high"
    assert json.loads(cross(RESPONSES, OPENAI, there).body)["messages"][0]["content"] == [image]
    assert cross(OPENAI, ANTHROPIC, body).dropped == ("image_url.detail",)


def test_the_media_type_of_a_picture_is_what_its_bytes_say() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,/9j/4AAQ"}}
    body = json.loads(cross(OPENAI, ANTHROPIC, chat(messages=[{"role": "user", "content": [image]}])).body)
    assert body["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"


def test_a_document_of_plain_text_becomes_a_text_source() -> None:
    data = "data:text/plain;base64," + base64.b64encode("Größe".encode()).decode()
    part = {"type": "file", "file": {"filename": "a.txt", "file_data": data}}
    body = json.loads(cross(OPENAI, ANTHROPIC, chat(messages=[{"role": "user", "content": [part]}])).body)
    assert body["messages"][0]["content"] == [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Größe"},
            "title": "a.txt",
        }
    ]


@pytest.mark.parametrize("sink", [ANTHROPIC, RESPONSES, OPENAI], ids=lambda codec: codec.name)
def test_a_choice_among_some_tools_leaves_only_those(sink: Codec) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "abc"]
    allowed = [{"type": "function", "function": {"name": name}} for name in "ac"]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": allowed}}
    body = json.loads(cross(OPENAI, sink, chat(tools=tools, tool_choice=choice)).body)
    assert [(tool.get("function") or tool)["name"] for tool in body["tools"]] == ["a", "c"]
    assert body["tool_choice"] in ("required", {"type": "any"})


def test_more_stop_texts_than_a_host_takes_are_cut_and_named() -> None:
    written = cross(ANTHROPIC, OPENAI, anthropic(stop_sequences=list("abcdef")))
    assert json.loads(written.body)["stop"] == list("abcd")
    assert written.dropped == ("stop (the first 4 were kept)",)


def test_an_audio_answer_in_the_history_is_named_where_it_cannot_be_told() -> None:
    turn = {"role": "assistant", "content": None, "audio": {"id": "audio_1"}}
    for sink in (ANTHROPIC, RESPONSES):
        written = cross(OPENAI, sink, chat(messages=[USER, turn, USER]))
        assert "content.audio" in written.dropped


def test_a_document_that_is_to_be_cited_is_named() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "a"}
    document = {"type": "document", "source": source, "citations": {"enabled": True}}
    body = anthropic(messages=[{"role": "user", "content": [document]}])
    assert cross(ANTHROPIC, OPENAI, body).dropped == ("citations",)


def _marked_anthropic() -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "1", **MARK}
    return anthropic(
        system=[{"type": "text", "text": "A"}, {"type": "text", "text": "B", **LONG_MARK}],
        tools=[
            {"name": "f", "input_schema": {"type": "object"}, **LONG_MARK},
            {"name": "g", "input_schema": {"type": "object"}},
        ],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
            {"role": "user", "content": [result, {"type": "text", "text": "go on", **MARK}]},
        ],
    )


def test_cache_marks_are_read_where_they_stand() -> None:
    request = ANTHROPIC.read_request(json.dumps(_marked_anthropic()).encode())
    assert request.cache_marks == (
        CacheMark(-1, 0, "1h"),
        CacheMark(0, 1, "1h"),
        CacheMark(3, 0, "5m"),
        CacheMark(4, 0, "5m"),
    )


def test_cache_marks_are_written_back_where_they_were() -> None:
    body = json.loads(cross(ANTHROPIC, ANTHROPIC, _marked_anthropic()).body)
    before = _marked_anthropic()
    assert (body["system"], body["tools"]) == (before["system"], before["tools"])
    assert body["messages"][2]["content"] == before["messages"][2]["content"]


def test_a_mark_on_the_whole_request_is_one_on_its_last_block() -> None:
    request = ANTHROPIC.read_request(json.dumps(anthropic(**MARK)).encode())
    assert request.cache_marks == (CacheMark(0, 0),)
    assert request.unread == ()


def test_chat_callers_mark_in_the_form_they_know_from_anthropic() -> None:
    text = {"type": "text", "text": "long", **MARK}
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}, **MARK}
    messages = [{"role": "system", "content": [text]}, {"role": "user", "content": "hi", **MARK}]
    body = json.loads(cross(OPENAI, ANTHROPIC, chat(messages=messages, tools=[tool])).body)
    assert body["system"] == [text]
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi", **MARK}]}]


@pytest.mark.parametrize("sink", [OPENAI, RESPONSES], ids=lambda codec: codec.name)
def test_marks_are_named_where_the_target_caches_by_itself(sink: Codec) -> None:
    written = cross(ANTHROPIC, sink, _marked_anthropic())
    assert b"cache_control" not in written.body
    assert "cache_control" in written.dropped


def test_never_more_than_four_marks_are_written() -> None:
    blocks = [{"type": "text", "text": f"block {number}", **MARK} for number in range(6)]
    written = cross(OPENAI, ANTHROPIC, chat(messages=[{"role": "user", "content": blocks}]))
    marked = [b["text"] for b in json.loads(written.body)["messages"][0]["content"] if "cache_control" in b]
    assert marked == ["block 2", "block 3", "block 4", "block 5"]
    assert written.dropped == ("cache_control (the last 4 were kept)",)


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORM = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
PLAIN = ModelFacts("p", "m", abilities=("tools", "reasoning"), max_output_tokens=64_000)


def test_a_model_without_schemas_is_made_to_answer_by_a_tool() -> None:
    written = cross(OPENAI, ANTHROPIC, chat(response_format=FORM, reasoning_effort="high"), PLAIN)
    body = json.loads(written.body)
    (tool,) = body["tools"]
    assert tool["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": tool["name"]}
    assert written.renamed_tools == {tool["name"]: ""}
    assert "thinking" not in body  # it takes no forced tool
    assert written.dropped == ("reasoning_effort",)


def test_beside_other_tools_the_model_may_call_those_first() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = json.loads(cross(OPENAI, ANTHROPIC, chat(response_format=FORM, tools=tools), PLAIN).body)
    assert [tool["name"] for tool in body["tools"]] == ["f", "sternpost_reply"]
    assert body["tool_choice"] == {"type": "any"}


def test_json_without_a_schema_is_a_tool_that_takes_any_object() -> None:
    written = cross(OPENAI, ANTHROPIC, chat(response_format={"type": "json_object"}), REASONER)
    body = json.loads(written.body)
    assert body["tools"][0]["input_schema"] == {"type": "object"}
    assert written.dropped == ()


def test_a_model_with_schemas_is_given_the_schema() -> None:
    body = json.loads(cross(OPENAI, ANTHROPIC, chat(response_format=FORM), REASONER).body)
    schema = {**SCHEMA, "additionalProperties": False}  # without which the API answers 400
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert "tools" not in body


def test_every_object_of_a_schema_is_closed_however_deep() -> None:
    inner = {"type": "object", "properties": {"type": {"type": "string"}}}
    schema = {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/a"}, inner]}, "$defs": {"a": inner}}
    written = closed(schema, [])
    done = {**inner, "additionalProperties": False}
    assert written == {
        "type": "array",
        "items": {"anyOf": [{"$ref": "#/$defs/a"}, done]},
        "$defs": {"a": done},
    }


@pytest.mark.parametrize(
    ("codec", "model"),
    [(ANTHROPIC, REASONER), (BEDROCK, replace(REASONER, name="anthropic.claude-opus-4-6-v1"))],
)
def test_limits_that_the_model_is_not_held_to_are_told_to_it_and_named(
    codec: UpstreamCodec, model: ModelFacts
) -> None:
    """Either host answers 400 to them; a model of pydantic has them for every bound."""
    stars = {"type": "integer", "minimum": 1, "maximum": 5, "description": "Stars."}
    tags = {"type": "array", "items": {"type": "string", "format": "email"}, "minItems": 1}
    schema = {"type": "object", "properties": {"stars": stars, "tags": tags, "minimum": {"type": "null"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    written = cross(OPENAI, codec, chat(response_format=form), model)
    body = json.loads(written.body)
    sent = (
        json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
        if codec is BEDROCK
        else body["output_config"]["format"]["schema"]
    )
    told = {"type": "integer", "description": "Stars.\n\n{minimum: 1, maximum: 5}"}
    assert sent["properties"] == {"stars": told, "tags": tags, "minimum": {"type": "null"}}
    assert sent["additionalProperties"] is False
    assert [name.partition(" ")[0] for name in written.dropped] == ["response_format"] * 2


def test_no_effort_is_told_to_models_that_reason_and_needs_no_word_for_others() -> None:
    assert json.loads(cross(OPENAI, RESPONSES, chat(reasoning_effort="none"), REASONER).body)[
        "reasoning"
    ] == {"effort": "none"}
    plain = cross(OPENAI, RESPONSES, chat(reasoning_effort="none"))
    assert (b"reasoning" in plain.body, plain.dropped) == (False, ())
