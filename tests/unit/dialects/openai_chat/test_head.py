import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import STANDARD, ModelFacts, Quirks
from sternpost.dialects.protocols import RequestHead
from tests.unit.dialects.wire import OPENAI, openai_head


def _edit(head: RequestHead, quirks: Quirks = STANDARD, *rejects: str) -> dict[str, Any]:
    facts = ModelFacts("p", "m", rejects=rejects)
    return json.loads(OPENAI.edit(head, model="m2", quirks=quirks, facts=facts).body)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": [1]}, "stream_options"),
    ],
)
def test_what_the_gateway_needs_is_checked_and_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        openai_head(**fields)
    assert refusal.value.param == param
    assert refusal.value.message.startswith(f"{param}: ")


def test_the_head_holds_user_metadata_and_the_wish_for_usage() -> None:
    head = openai_head(user="ann", metadata={"a": "b", "n": 1, "t": True, "o": {}}, stream_options={})
    assert (head.end_user, head.metadata) == ("ann", {"a": "b", "n": "1", "t": "true"})
    assert not head.wants_stream_usage
    assert openai_head(stream_options={"include_usage": True}).wants_stream_usage
    assert openai_head(safety_identifier="x").end_user == "x"
    assert not openai_head(stream=None, stream_options=None).is_stream


def test_a_stream_always_asks_for_usage_and_keeps_other_options() -> None:
    head = openai_head(stream_options={"include_obfuscation": False})
    assert _edit(head)["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert "stream_options" not in _edit(openai_head(stream=False))


def test_a_host_that_refuses_stream_options_gets_none_and_the_caller_is_told() -> None:
    head = openai_head(stream_options={"include_usage": True})
    written = OPENAI.edit(head, model="m", quirks=Quirks(takes_stream_options=False), facts=None)
    assert b"stream_options" not in written.body
    assert written.dropped == ("stream_options",)


@pytest.mark.parametrize(
    ("sent", "quirks", "rejects", "written"),
    [
        ("max_completion_tokens", STANDARD, (), "max_tokens"),
        ("max_tokens", STANDARD, (), "max_tokens"),
        ("max_tokens", Quirks(takes_max_completion_tokens=True), (), "max_tokens"),
        ("max_tokens", Quirks(takes_max_completion_tokens=True), ("max_tokens",), "max_completion_tokens"),
        ("max_completion_tokens", Quirks(takes_max_completion_tokens=True), (), "max_completion_tokens"),
    ],
)
def test_the_token_limit_has_the_name_the_model_knows(
    sent: str, quirks: Quirks, rejects: tuple[str, ...], written: str
) -> None:
    edited = _edit(openai_head(**{sent: 5, "seed": 1}), quirks, *rejects)
    names = [name for name in edited if name.startswith("max_")]
    assert names == [written]
    assert edited[written] == 5
    assert list(edited).index(written) < list(edited).index("seed")  # in its place


def test_parameters_the_model_rejects_are_dropped_by_name() -> None:
    written = OPENAI.edit(
        openai_head(temperature=0.2, top_p=1),
        model="m",
        quirks=STANDARD,
        facts=ModelFacts("p", "m", rejects=("temperature", "logprobs", "model")),
    )
    assert written.dropped == ("temperature",)
    assert json.loads(written.body)["model"] == "m"


def test_developers_are_called_system_at_hosts_that_know_no_other_name() -> None:
    given = [{"role": "developer", "content": "be"}, {"role": "user", "content": 'a "developer"'}]
    assert _edit(openai_head(messages=given))["messages"] == given
    edited = _edit(openai_head(messages=given), Quirks(rejects=("developer",)))
    assert edited["messages"] == [{"role": "system", "content": "be"}, given[1]]


def test_thinking_of_another_provider_is_taken_out_of_the_history() -> None:
    turn = {"role": "assistant", "content": "a", "reasoning_content": "t", "thinking_blocks": [{}], "x": 1.50}
    messages = [{"role": "user", "content": 'say "thinking_blocks"'}, turn, {"role": "user", "content": "b"}]
    head = openai_head(messages=messages)
    written = OPENAI.edit(head, model="m", quirks=STANDARD, facts=None)
    assert json.loads(written.body)["messages"] == [
        messages[0],
        {"role": "assistant", "content": "a", "x": 1.5},
        messages[2],
    ]
    assert written.dropped == ("thinking_blocks",)
