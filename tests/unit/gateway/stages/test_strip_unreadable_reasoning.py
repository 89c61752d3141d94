"""Thinking that Claude can't read back is left out, and named, instead of failing each later turn."""

import json
from typing import Any

import pytest

from tests.support.fake_answers import BOUND_ELSEWHERE
from tests.unit.gateway.conftest import Gateway

THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": BOUND_ELSEWHERE}
CALL = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "1"}
TOOL = {"name": "look", "input_schema": {"type": "object"}}
ASKED = {"role": "user", "content": "hi"}
HISTORY = [ASKED, {"role": "assistant", "content": [THOUGHT, CALL]}, {"role": "user", "content": [RESULT]}]
BUDGET = {"type": "enabled", "budget_tokens": 1024}


def bodies(gateway: Gateway) -> list[Any]:
    return [json.loads(request["body"]) for request in gateway.provider.requests()]


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_caller_of_anthropic_is_answered_without_it(gateway: Gateway, is_stream: bool) -> None:
    asked = {"max_tokens": 4000, "tools": [TOOL], "thinking": BUDGET, "stream": is_stream, "odd": 1.0}
    answer = await gateway.post("/v1/messages", {"model": "labant/m1", "messages": HISTORY, **asked})
    first, second = bodies(gateway)
    record = gateway.record()

    assert answer.status == 200
    assert first["messages"] == HISTORY
    assert second["messages"] == [ASKED, {"role": "assistant", "content": [CALL]}, HISTORY[2]]
    assert "thinking" not in second  # a budget wants thinking in front of the call that is answered
    assert second["odd"] == 1.0
    assert answer.headers["x-sternpost-dropped"] == "thinking"
    assert [(one.number, one.http_status) for one in record.attempts] == [(1, 400), (2, 200)]
    assert "bound to a different" in record.attempts[0].error


async def test_so_is_a_caller_of_another_dialect(gateway: Gateway) -> None:
    said = {"role": "assistant", "content": "Nine.", "thinking_blocks": [THOUGHT]}
    asked = [{"role": "user", "content": "When?"}, said, {"role": "user", "content": "Sure?"}]
    answer = await gateway.post("/v1/chat/completions", {"model": "labant/m1", "messages": asked})
    first, second = bodies(gateway)

    assert answer.status == 200
    assert first["messages"][1]["content"][0] == THOUGHT
    assert second["messages"][1] == {"role": "assistant", "content": "Nine."}
    assert "thinking" in answer.headers["x-sternpost-dropped"].split(",")


async def test_a_route_that_may_drop_nothing_passes_the_error_on(gateway: Gateway) -> None:
    body = {"model": "strict", "messages": HISTORY, "max_tokens": 4000, "tools": [TOOL]}
    answer = await gateway.post("/v1/messages", body)
    assert (answer.status, len(bodies(gateway))) == (400, 1)
    assert "bound to a different" in answer.json["error"]["message"]


async def test_the_same_words_without_any_thinking_are_no_reason_to_ask_again(gateway: Gateway) -> None:
    asked = [{"role": "user", "content": f"What does {BOUND_ELSEWHERE} mean?"}]
    answer = await gateway.post("/v1/messages", {"model": "labant/m1", "messages": asked, "max_tokens": 9})
    assert (answer.status, len(bodies(gateway))) == (400, 1)
