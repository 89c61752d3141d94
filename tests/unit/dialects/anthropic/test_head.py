import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.providers.catalog import load_catalog
from tests.unit.dialects.wire import ANTHROPIC, anthropic_head, fixture


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"messages": []}, "messages: send at least one message."),
        ({"model": ""}, "model: name the model or route as a non-empty string."),
        ({"stream": 1}, "stream: must be true or false."),
    ],
)
def test_what_the_gateway_needs_is_checked_and_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        anthropic_head(**fields)
    assert refusal.value.message == sentence
    assert refusal.value.param == sentence.partition(":")[0]


def test_a_missing_max_tokens_is_refused_in_anthropics_own_words() -> None:
    with pytest.raises(BadRequest) as refusal:
        ANTHROPIC.read_head(b'{"model":"m","messages":[{"role":"user","content":"x"}]}')
    assert refusal.value.message == "max_tokens: Field required"


def test_the_head_holds_the_user() -> None:
    assert anthropic_head(metadata={"user_id": "u-1"}).end_user == "u-1"
    assert anthropic_head(metadata=None).end_user == ""


def test_an_edit_changes_the_model_alone_and_keeps_signed_blocks_byte_for_byte() -> None:
    body = fixture("anthropic_request.json")
    head = ANTHROPIC.read_head(body)
    edited = ANTHROPIC.edit(head, model="claude-x", quirks=STANDARD, facts=None).body
    assert json.loads(edited) == json.loads(body) | {"model": "claude-x"}
    assert bytes(head.fields["messages"]) in edited
    assert bytes(head.fields["messages"]) in body


def test_unsigned_thinking_of_another_host_is_taken_out_and_the_rest_keeps_its_bytes() -> None:
    unsigned = {"type": "thinking", "thinking": "t", "signature": ""}
    tool = {"type": "tool_use", "id": "a", "name": "f", "input": {"signature": "", "n": 1.50}}
    messages = [
        {"role": "user", "content": 'say "signature": ""'},
        {"role": "assistant", "content": [unsigned]},
        {"role": "assistant", "content": [unsigned, tool]},
        {"role": "assistant", "content": [tool]},
    ]
    written = ANTHROPIC.edit(anthropic_head(messages=messages), model="m", quirks=STANDARD, facts=None)
    assert json.loads(written.body)["messages"] == [
        messages[0],
        {"role": "assistant", "content": [tool]},
        messages[3],
    ]
    assert written.dropped == ("thinking",)


def test_parameters_the_model_rejects_are_dropped_by_name() -> None:
    facts = ModelFacts("anthropic", "m", rejects=("top_k", "max_tokens"))
    written = ANTHROPIC.edit(anthropic_head(top_k=4), model="m", quirks=STANDARD, facts=facts)
    assert written.dropped == ("top_k",)
    assert json.loads(written.body)["max_tokens"] == 9


CATALOGUE = {facts.name: facts for facts in load_catalog()["anthropic"].models}
BUDGET = {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}
CALLED = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]}
ANSWERED = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "1"}]}


@pytest.mark.parametrize(
    ("model", "asked", "changed"),
    [
        (
            "claude-opus-4-7",
            {"thinking": BUDGET},
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}},
        ),
        ("claude-opus-4-6", {"thinking": BUDGET}, {}),  # takes both
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}, "max_tokens": 200_000},
            {
                "thinking": {"type": "enabled", "budget_tokens": 8192},
                "output_config": None,
                "max_tokens": 64_000,
            },
        ),
        ("claude-haiku-4-5", {"thinking": {"type": "adaptive"}, "max_tokens": 1500}, {"thinking": None}),
        ("claude-opus-5-5", {"thinking": {"type": "disabled"}}, {"thinking": None}),
        ("claude-opus-5", {"thinking": {"type": "disabled"}}, {}),
        ("claude-opus-5-5", {"tool_choice": {"type": "any"}}, {"tool_choice": {"type": "auto"}}),
        ("claude-opus-5", {"tool_choice": {"type": "tool", "name": "f"}}, {}),
    ],
)
def test_what_one_generation_of_claude_takes_is_rewritten_for_another(
    model: str, asked: dict[str, Any], changed: dict[str, Any]
) -> None:
    head = anthropic_head(**asked)
    written = ANTHROPIC.edit(head, model=model, quirks=STANDARD, facts=CATALOGUE[model])
    expected = json.loads(head.body) | {"model": model} | changed
    assert json.loads(written.body) == {name: value for name, value in expected.items() if value is not None}
    assert bool(written.dropped) is bool(changed)


@pytest.mark.parametrize(("turn", "is_thinking"), [(CALLED, False), ({"role": "user", "content": "x"}, True)])
def test_a_budget_is_given_up_in_a_tool_loop_whose_thinking_was_another_hosts(
    turn: dict[str, Any], *, is_thinking: bool
) -> None:
    """Anthropic demands that the turn with the calls begins with thinking, which can't be invented."""
    unsigned = {"type": "thinking", "thinking": "t", "signature": ""}
    called = turn | {"content": [unsigned, *turn["content"]]} if turn is CALLED else turn
    other = {"role": "assistant", "content": [unsigned, {"type": "text", "text": "a"}]}
    messages = [{"role": "user", "content": "q"}, other, called, ANSWERED]
    head = anthropic_head(thinking=BUDGET, messages=messages)
    body = json.loads(ANTHROPIC.edit(head, model="m", quirks=STANDARD, facts=None).body)
    assert ("thinking" in body) is is_thinking
