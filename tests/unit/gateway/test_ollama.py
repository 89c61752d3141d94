"""Ollama's own API behind the gateway: lines of JSON become any caller's stream."""

import json

import pytest

from sternpost.contracts.span import SpanStatus
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import Gateway, GatewayMaker

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


@pytest.fixture
async def gateway(start_gateway: GatewayMaker, provider: FakeProvider) -> Gateway:
    traffic = traffic_of(configure([ProviderSetting("ollama-native", base_url=provider.url)], {}))
    return await start_gateway(traffic=lambda: traffic)


@pytest.mark.parametrize("is_stream", [False, True])
async def test_ollamas_own_fields_arrive_and_its_words_come_back(gateway: Gateway, is_stream: bool) -> None:
    answer = await gateway.chat(
        "ollama-native/qwen3", stream=is_stream, num_ctx=9000, keep_alive=0, think=False
    )
    (request,) = gateway.provider.requests()
    body = json.loads(request["body"])
    assert (request["path"], body["stream"], body["keep_alive"]) == ("/api/chat", is_stream, 0)
    assert (body["options"], body["think"]) == ({"num_ctx": 9000}, False)
    assert b"forklift" in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n") == is_stream
    record = gateway.record()
    assert record.usage is not None
    assert record.usage.out_text == 8
    assert not [
        warning for warning in record.warnings if warning.startswith("dropped:") and "stream" not in warning
    ]


async def test_a_tool_call_reaches_an_anthropic_caller(gateway: Gateway) -> None:
    tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    answer = await gateway.message("ollama-native/qwen3", stream=True, tools=tools)
    assert b'"name":"get_weather"' in answer.body
    assert b"message_stop" in answer.body


@pytest.mark.parametrize("fault", ["no-done", "cut", "error-event", "malformed"])
async def test_lines_that_end_without_done_are_a_broken_stream(gateway: Gateway, fault: str) -> None:
    answer = await gateway.chat(f"ollama-native/fault-{fault}?after=5", stream=True)
    assert b"[DONE]" not in answer.body
    assert b'"error"' in answer.body
    assert gateway.record().status is not SpanStatus.OK


async def test_its_own_paths_pass_with_usage(gateway: Gateway) -> None:
    body = {"model": "qwen3", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    answer = await gateway.post("/v1/providers/ollama-native/api/chat", body)
    assert answer.body.rstrip().endswith(b"}")
    record = await gateway.wait_for_record()
    assert record.usage is not None
    assert record.usage.out_text == 8
