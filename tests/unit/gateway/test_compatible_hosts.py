"""What hosts of the catalogue want otherwise than OpenAI, over real HTTP."""

import json
from typing import Any

import pytest

from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import GatewayMaker

THOUGHT = "I look it up."
RESPONSES: dict[str, Any] = {
    "input": [
        {"role": "user", "content": "hi"},
        {
            "type": "reasoning",
            "id": "rs_sternpost_0_c",
            "summary": [{"type": "summary_text", "text": THOUGHT}],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]
}
MESSAGES: dict[str, Any] = {
    "max_tokens": 9,
    "messages": [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": THOUGHT, "signature": ""},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "1"}]},
    ],
}


@pytest.mark.parametrize("host", ["deepseek", "moonshot"])
@pytest.mark.parametrize(("path", "body"), [("/v1/responses", RESPONSES), ("/v1/messages", MESSAGES)])
async def test_thinking_goes_back_with_the_calls_it_led_to(
    start_gateway: GatewayMaker, provider: FakeProvider, host: str, path: str, body: dict[str, Any]
) -> None:
    settings = [ProviderSetting(host, base_url=f"{provider.url}/v1", api_key="k")]
    traffic = traffic_of(configure(settings, {}), [])
    gateway = await start_gateway(traffic=lambda: traffic)
    answer = await gateway.post(path, {"model": f"{host}/m1", **body})
    turn = json.loads(gateway.provider.requests()[0]["body"])["messages"][1]
    assert answer.status == 200
    assert (turn["reasoning_content"], turn["tool_calls"][0]["id"]) == (THOUGHT, "c")
