"""A route with `prompt_cache: auto` marks the prompt for its provider's cache, in either dialect."""

import json
from typing import Any

from tests.unit.gateway.conftest import Gateway

LONG = "A forklift lifts what is heavy. " * 200  # some 1,600 tokens
MARK = {"type": "ephemeral", "ttl": "1h"}
ASKED = {"model": "cached", "system": LONG, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def sent(gateway: Gateway) -> dict[str, Any]:
    return json.loads(gateway.provider.requests()[-1]["body"])


async def test_a_caller_of_the_same_dialect_gets_marks_and_the_span_names_them(gateway: Gateway) -> None:
    answer = await gateway.post("/v1/messages", ASKED)
    assert answer.status == 200
    body = sent(gateway)
    assert body["system"] == [{"type": "text", "text": LONG, "cache_control": MARK}]
    assert body["messages"][0]["content"] == [{"type": "text", "text": "hi", "cache_control": MARK}]
    assert gateway.record().attributes["prompt_cache.placed"] == "system,messages"


async def test_a_caller_of_another_dialect_gets_marks_too(gateway: Gateway) -> None:
    messages = [{"role": "system", "content": LONG}, {"role": "user", "content": "hi"}]
    answer = await gateway.post("/v1/chat/completions", {"model": "cached", "messages": messages})
    assert answer.status == 200
    assert sent(gateway)["system"] == [{"type": "text", "text": LONG, "cache_control": MARK}]
    assert gateway.record().attributes["prompt_cache.placed"] == "system,messages"
    assert "x-sternpost-warnings" not in answer.headers


async def test_a_short_prompt_is_not_marked(gateway: Gateway) -> None:
    await gateway.message("cached")
    assert "cache_control" not in gateway.provider.requests()[-1]["body"]
    assert "prompt_cache.placed" not in gateway.record().attributes


async def test_without_the_route_asking_nothing_is_marked(gateway: Gateway) -> None:
    await gateway.post("/v1/messages", {**ASKED, "model": "labant/m1"})
    assert "cache_control" not in gateway.provider.requests()[-1]["body"]


async def test_two_calls_send_the_same_prefix_byte_for_byte(gateway: Gateway) -> None:
    for text in ("first", "second"):
        await gateway.post("/v1/messages", {**ASKED, "messages": [{"role": "user", "content": text}]})
    first, second = (entry["body"] for entry in gateway.provider.requests()[-2:])
    assert first.partition('"messages"')[0] == second.partition('"messages"')[0]
