"""Tools of a Responses caller at hosts that know functions alone: a tool loop with OpenAI's own SDK."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.unit.gateway.conftest import Gateway

READ = {"type": "function", "name": "read", "parameters": {"type": "object", "properties": {}}}
TOOLS: list[dict[str, Any]] = [
    {"type": "custom", "name": "apply_patch", "description": "Patch files"},
    {"type": "namespace", "name": "mcp__files", "description": "files", "tools": [READ]},
    {"type": "local_shell"},
]
# What the fake provider calls each with, as the item that comes back says it.
SAID: list[dict[str, Any]] = [
    {"type": "custom_tool_call", "name": "apply_patch", "input": '{"city": "Paris"}'},
    {"type": "function_call", "namespace": "mcp__files", "name": "read", "arguments": '{"city": "Paris"}'},
    {"type": "local_shell_call", "action": {"type": "exec", "env": {}, "city": "Paris"}},
]


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="sp-one", max_retries=0) as client:
        yield client


async def answered(client: AsyncOpenAI, is_stream: bool, **asked: Any) -> dict[str, Any]:
    """Return the response, of a stream from its terminal event."""
    if not is_stream:
        return (await client.responses.create(**asked)).model_dump(warnings=False, exclude_none=True)
    events = [event async for event in await client.responses.create(**asked, stream=True)]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return events[-1].response.model_dump(warnings=False, exclude_none=True)  # type: ignore[union-attr]


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("model", ["lab/m1", "labant/m1"])
@pytest.mark.parametrize(("tool", "item"), list(zip(TOOLS, SAID, strict=True)), ids=[i["type"] for i in SAID])
async def test_a_tool_loop_ends_with_the_answer(
    gateway: Gateway,
    client: AsyncOpenAI,
    tool: dict[str, Any],
    item: dict[str, Any],
    model: str,
    is_stream: bool,
) -> None:
    asked: dict[str, Any] = {"model": model, "tools": [tool], "input": [{"role": "user", "content": "go"}]}
    called = await answered(client, is_stream, **asked)
    (call,) = called["output"]
    told = {name: json.loads(json.dumps(call[name])) for name in item}
    if "arguments" in told:
        told["arguments"] = json.dumps(json.loads(told["arguments"]))
    if "input" in told:
        told["input"] = json.dumps(json.loads(told["input"]))
    assert told == item

    result = {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": "done"}
    asked["input"] += [call, result]
    final = await answered(client, is_stream, **asked)
    assert final["output"][0]["content"][0]["text"]
    sent = json.loads(gateway.provider.requests()[1]["body"])["messages"]
    assert sent[-1]["role"] == ("tool" if model == "lab/m1" else "user")
    assert "done" in json.dumps(sent[-1])
