import json
import re
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ReasoningRequest, ToolChoice, ToolStart
from sternpost.contracts.message import (
    BlobPart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.dialects.protocols import WrittenRequest
from sternpost.providers.catalog import load_catalog
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, anthropic_head, fixture

USER = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}
BUDGETS = ModelFacts("anthropic", "m", max_output_tokens=64_000, abilities=("reasoning", "json_schema"))
ADAPTIVE = ModelFacts("anthropic", "m", max_output_tokens=64_000, abilities=("adaptive_thinking",))


def _write(facts: ModelFacts | None = None, **fields: Any) -> WrittenRequest:
    body = json.dumps({"model": "m", "messages": [USER]} | fields).encode()
    return ANTHROPIC.write_request(OPENAI.read_request(body), quirks=STANDARD, facts=facts)


def _body(facts: ModelFacts | None = None, **fields: Any) -> dict[str, Any]:
    return json.loads(_write(facts, **fields).body)


def test_every_kind_of_block_is_read() -> None:
    request = ANTHROPIC.read_request(fixture("anthropic_request.json"))
    system, user, assistant, results, last = request.messages
    assert (system.parts, last.parts) == ((TextPart("Be brief."),), (TextPart("And now?"),))
    assert user.parts[1:] == (
        BlobPart("image", "iVBORw0KGgo=", "image/png"),
        UriPart("image", "https://example.com/cat.jpg"),
        BlobPart("document", "JVBERi0=", "application/pdf", "a.pdf"),
    )
    assert assistant.parts == (
        ReasoningPart("Look up both.", signature="EqQBCgIYAhIM+/=="),
        ReasoningPart(encrypted_content="EmwKAhgB"),
        TextPart("Checking."),
        ToolCallPart("get_weather", '{"city":"Ulm"}', "toolu_a"),
        ToolCallPart("ping", "{}", "toolu_b"),
    )
    assert results == Message(
        "tool",
        (
            ToolResponsePart("12 C", "toolu_a", media=(BlobPart("image", "iVBORw0KGgo=", "image/png"),)),
            ToolResponsePart("no answer", "toolu_b", is_error=True),
        ),
    )
    assert (request.tool_choice, request.takes_parallel_tools) == (ToolChoice("required"), False)
    assert request.reasoning == ReasoningRequest(budget_tokens=1024, asked_as="thinking")
    assert request.unread == ("tools.web_search_20250305",)
    assert request.cache_marks


def test_signed_thinking_and_tool_results_are_written_back_as_they_were_read() -> None:
    body = json.loads(fixture("anthropic_request.json"))
    request = ANTHROPIC.read_request(fixture("anthropic_request.json"))
    written = json.loads(ANTHROPIC.write_request(request, quirks=STANDARD, facts=BUDGETS).body)
    assert written["messages"] == body["messages"]
    assert written["thinking"] == body["thinking"]


def test_an_openai_request_is_written_with_all_its_content() -> None:
    written = ANTHROPIC.write_request(
        OPENAI.read_request(fixture("openai_request.json")), quirks=STANDARD, facts=BUDGETS
    )
    body = json.loads(written.body)
    assert [block["text"] for block in body["system"]] == ["Answer in German.", "Be brief."]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    user, assistant, results = body["messages"]
    assert [block["type"] for block in user["content"]] == ["text", "image", "image", "document", "document"]
    assert user["content"][4]["source"] == {"type": "file", "file_id": "file-1"}
    assert [block["input"] for block in assistant["content"]] == [{"city": "Ulm", "n": 1.0}, {}]
    assert [block["type"] for block in results["content"]] == ["tool_result", "tool_result", "text"]
    assert body["tool_choice"] == {"type": "tool", "name": "ping", "disable_parallel_tool_use": True}
    assert body["tools"][0]["strict"] is True
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["metadata"]["user_id"] != "ann@example.com"
    assert set(written.dropped) == {"image_url.detail", "logit_bias", "seed"}


@pytest.mark.parametrize(
    "messages",
    [
        [USER, CALLED],
        [USER, CALLED, USER],
        [USER, CALLED, {**RESULT, "tool_call_id": "c2"}],
        [USER, RESULT],
        [USER, CALLED, RESULT, CALLED],
    ],
)
def test_calls_and_results_that_do_not_pair_are_refused(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(BadRequest, match=r"tool (call|result)") as refusal:
        _write(messages=messages)
    assert refusal.value.param == "messages"


def test_results_come_before_words_that_were_said_first() -> None:
    turn = _body(messages=[USER, CALLED, {"role": "user", "content": "wait"}, RESULT])["messages"][2]
    assert [block["type"] for block in turn["content"]] == ["tool_result", "text"]


def test_turns_of_one_role_are_merged_and_empty_texts_left_out() -> None:
    messages = [
        {"role": "user", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": " "}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": "c \n"},
    ]
    assert _body(messages=messages)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
    ]


def test_an_opening_answer_and_a_late_system_text_are_arranged_and_named() -> None:
    late = {"role": "system", "content": "Be brief."}
    written = _write(messages=[{"role": "assistant", "content": "Hello!"}, USER, late])
    body = json.loads(written.body)
    assert (body["messages"][0]["role"], body["system"]) == ("user", "Be brief.")
    assert len(written.dropped) == 2


@pytest.mark.parametrize(
    ("arguments", "sent"), [("", {}), ("[1]", {"arguments": "[1]"}), ("{", {"arguments": "{"})]
)
def test_arguments_are_always_an_object(arguments: str, sent: dict[str, Any]) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    body = _body(messages=[USER, {"role": "assistant", "tool_calls": [call]}, RESULT])
    assert body["messages"][1]["content"][0]["input"] == sent


@pytest.mark.parametrize(
    ("asked", "facts", "sent"),
    [(7, None, 7), (None, None, 4096), (None, BUDGETS, 64_000), (100_000, BUDGETS, 64_000)],
)
def test_max_tokens_is_always_sent(asked: int | None, facts: ModelFacts | None, sent: int) -> None:
    assert _body(facts, max_tokens=asked)["max_tokens"] == sent


def test_several_choices_and_audio_are_refused() -> None:
    with pytest.raises(BadRequest, match="one choice") as refusal:
        _write(n=2)
    assert refusal.value.param == "n"
    audio = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    with pytest.raises(BadRequest, match="takes no audio"):
        _write(messages=[{"role": "user", "content": [audio]}])


def test_sampling_is_clamped_and_what_the_api_lacks_is_named() -> None:
    written = _write(temperature=1.5, top_p=0.9, seed=1, presence_penalty=1, logprobs=True, stop=[" ", "END"])
    body = json.loads(written.body)
    assert (body["temperature"], body["stop_sequences"]) == (1.0, ["END"])
    assert "top_p" not in body
    assert set(written.dropped) == {
        "logprobs",
        "top_p",
        "temperature (lowered to 1)",
        "stop",
        "seed",
        "presence_penalty",
    }


@pytest.mark.parametrize(
    ("facts", "thinking", "config"),
    [
        (BUDGETS, {"type": "enabled", "budget_tokens": 24_576}, None),
        (ADAPTIVE, {"type": "adaptive"}, {"effort": "high"}),
        (ModelFacts("anthropic", "m"), None, None),
        (None, None, None),
    ],
)
def test_the_catalogue_decides_how_a_model_is_asked_to_think(
    facts: ModelFacts | None, thinking: dict[str, Any] | None, config: dict[str, Any] | None
) -> None:
    written = _write(facts, reasoning_effort="high", max_tokens=32_000)
    body = json.loads(written.body)
    assert (body.get("thinking"), body.get("output_config")) == (thinking, config)
    assert ("reasoning_effort" in written.dropped) is (thinking is None)


def test_a_budget_leaves_room_for_the_answer_or_is_given_up() -> None:
    assert _body(BUDGETS, reasoning_effort="high", max_tokens=4096)["thinking"]["budget_tokens"] == 3072
    assert "thinking" not in _body(BUDGETS, reasoning_effort="high", max_tokens=1500)


def test_thinking_relaxes_what_it_does_not_go_with() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    written = _write(BUDGETS, reasoning_effort="low", temperature=0.1, tools=[tool], tool_choice="required")
    body = json.loads(written.body)
    assert "temperature" not in body
    assert body["tool_choice"] == {"type": "auto"}
    assert set(written.dropped) == {"temperature", "tool_choice"}


@pytest.mark.parametrize(
    ("turn", "is_thinking"),
    [
        (CALLED, False),
        (CALLED | {"thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}]}, True),
    ],
)
def test_a_tool_loop_thinks_on_only_with_the_signed_thinking_it_began_with(
    turn: dict[str, Any], is_thinking: bool
) -> None:
    body = _body(BUDGETS, messages=[USER, turn, RESULT], reasoning_effort="low")
    assert ("thinking" in body) is is_thinking


CATALOGUE = {
    facts.name: facts for name in ("anthropic", "vertex-anthropic") for facts in load_catalog()[name].models
}


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "written_effort"),
    [
        ("claude-opus-5-5", "xhigh", {"type": "adaptive"}, "xhigh"),
        ("claude-opus-4-7", "minimal", {"type": "adaptive"}, "low"),
        ("claude-sonnet-4-6", "xhigh", {"type": "adaptive"}, "high"),  # knows no xhigh
        ("claude-haiku-4-5@20251001", "low", {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-opus-5", "none", {"type": "disabled"}, None),
        ("claude-fable-5-1", "none", None, "low"),  # can't but think
        ("claude-haiku-4-5", "none", None, None),
    ],
)
def test_each_claude_is_asked_to_think_as_its_generation_takes_it(
    model: str, effort: str, thinking: dict[str, Any] | None, written_effort: str | None
) -> None:
    """Claude 4.7 and later answer 400 to a budget, Claude 4.5 and earlier to anything else."""
    written = _write(CATALOGUE[model], reasoning_effort=effort)
    body = json.loads(written.body)
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == written_effort
    assert written.dropped == (("reasoning_effort",) if (thinking, written_effort) == (None, "low") else ())


def test_adaptive_thinking_goes_on_in_a_tool_loop_whose_thinking_was_lost() -> None:
    body = _body(ADAPTIVE, messages=[USER, CALLED, RESULT], reasoning_effort="low")
    assert body["thinking"] == {"type": "adaptive"}


def test_a_model_that_takes_no_forced_call_is_left_to_choose_also_without_thinking() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    forced = {"type": "function", "function": {"name": "f"}}
    asked = {"tools": [tool], "tool_choice": forced, "parallel_tool_calls": False}
    written = _write(CATALOGUE["claude-opus-5-5"], **asked)
    assert json.loads(written.body)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert written.dropped == ("tool_choice",)
    assert _body(CATALOGUE["claude-opus-5"], **asked)["tool_choice"]["type"] == "tool"
    form = _write(CATALOGUE["claude-opus-5-5"], response_format={"type": "json_object"})
    assert json.loads(form.body)["tool_choice"] == {"type": "auto"}
    assert form.dropped == ("response_format (asked for, not enforced)",)


@pytest.mark.parametrize(("top_p", "is_sent"), [(0.95, True), (0.5, False)])
def test_thinking_goes_with_a_large_top_p_only(top_p: float, *, is_sent: bool) -> None:
    written = _write(BUDGETS, reasoning_effort="low", top_p=top_p)
    assert ("top_p" in json.loads(written.body)) is is_sent
    assert ("top_p" in written.dropped) is not is_sent


def test_of_a_model_that_only_has_a_price_nothing_is_taken_to_be_missing() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    body = _body(ModelFacts("anthropic", "claude-next", context_tokens=1_000_000), response_format=form)
    assert "tools" not in body
    assert body["output_config"]["format"]["type"] == "json_schema"


def test_unsigned_thinking_of_another_host_is_left_out_and_named() -> None:
    turn = {"role": "assistant", "content": "a", "reasoning_content": "t"}
    written = _write(messages=[USER, turn, USER])
    assert json.loads(written.body)["messages"][1]["content"] == "a"
    assert written.dropped == ("reasoning_content",)


def test_a_history_of_tools_that_are_offered_no_more_declares_and_forbids_them() -> None:
    body = _body(messages=[USER, CALLED, RESULT])
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert body["tool_choice"] == {"type": "none"}
    assert "tools" not in _body()


def test_ids_of_calls_the_api_refuses_are_written_otherwise_in_call_result_and_stream() -> None:
    """As Moonshot makes them; Anthropic takes letters, digits, `_` and `-`."""
    call, result = CALL | {"id": "functions.f:0"}, RESULT | {"tool_call_id": "functions.f:0"}
    body = _body(messages=[USER, {"role": "assistant", "tool_calls": [CALL, call]}, RESULT, result])
    ids = [block["id"] for block in body["messages"][1]["content"]]
    assert ids == [block["tool_use_id"] for block in body["messages"][2]["content"]]
    assert ids[0] == "c1"
    assert re.fullmatch("[a-zA-Z0-9_-]+", ids[1])
    shown = ANTHROPIC.open_writer(anthropic_head()).write(ToolStart(0, "functions.f:0", "f"))
    assert f'"id":"{ids[1]}"'.encode() in shown


def test_a_result_of_passages_and_pictures_holds_each_once() -> None:
    picture = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
    }
    passage = {
        "type": "search_result",
        "source": "https://a.example",
        "title": "Tides",
        "content": [{"type": "text", "text": "Twice a day."}],
    }
    unknown = {"type": "tool_reference", "tool_name": "f"}
    result = {"type": "tool_result", "tool_use_id": "c1", "content": [passage, picture]}
    other = result | {"content": [{"type": "text", "text": "t"}, picture, unknown]}
    turns = [{"role": "user", "content": [result, other]}, {"role": "user", "content": [passage]}]
    body = {"model": "m", "max_tokens": 9, "messages": turns}
    results, words = ANTHROPIC.read_request(json.dumps(body).encode()).messages
    media = (BlobPart("image", "iVBORw0KGgo=", "image/png"),)
    text = "Tides\nhttps://a.example\nTwice a day."
    assert results.parts == (
        ToolResponsePart(text, "c1", media=media),
        ToolResponsePart([{"type": "text", "text": "t"}, unknown], "c1", media=media),
    )
    assert words.parts == (TextPart(text),)


def test_what_the_model_is_told_of_a_document_is_told_in_words_elsewhere() -> None:
    text = {"type": "text", "media_type": "text/plain", "data": "Ebb."}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    told = {"title": "Tides", "context": "Trusted."}
    blocks = [{"type": "document", "source": source, **told} for source in (text, pdf)]
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": blocks}]}
    assert ANTHROPIC.read_request(json.dumps(body).encode()).messages[0].parts == (
        TextPart("Tides\nTrusted."),
        TextPart("Ebb."),
        TextPart("Trusted."),
        BlobPart("document", "JVBERi0=", "application/pdf", "Tides"),
    )


def test_tool_names_the_api_refuses_are_written_otherwise_and_can_be_restored() -> None:
    tool = {"type": "function", "function": {"name": "files.read"}}
    written = _write(tools=[tool])
    name = json.loads(written.body)["tools"][0]["name"]
    assert written.renamed_tools == {name: "files.read"}


def test_what_cannot_be_read_is_named_by_its_path() -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "image"}]}]}
    with pytest.raises(BadRequest) as refusal:
        ANTHROPIC.read_request(json.dumps(body).encode())
    assert refusal.value.param == "messages.0.content.0.source"
