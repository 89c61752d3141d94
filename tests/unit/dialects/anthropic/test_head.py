import json
from typing import Any

import pytest

from tests.unit.dialects.wire import ANTHROPIC, anthropic_head, fixture
from windlass.base.errors import BadRequest
from windlass.contracts.provider import STANDARD, ModelFacts


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
