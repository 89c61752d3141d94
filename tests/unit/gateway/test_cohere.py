"""Cohere behind the gateway: chats, embeddings, faults, and costs of what is billed."""

import json
from typing import Any

import pytest

from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import Gateway, GatewayMaker
from windlass.contracts.call import Route, Target
from windlass.contracts.span import SpanStatus
from windlass.contracts.usage import CostStatus
from windlass.gateway.traffic import traffic_of
from windlass.providers.configure import ProviderSetting, configure

TOOLS = [{"type": "function", "function": {"name": "get-weather", "parameters": {"type": "object"}}}]


@pytest.fixture
async def gateway(start_gateway: GatewayMaker, provider: FakeProvider) -> Gateway:
    settings = [
        ProviderSetting("cohere", base_url=provider.url, api_key="co-key"),
        ProviderSetting("lab", "openai_chat", f"{provider.url}/v1", "lab-key"),
    ]
    routes = [
        Route("early", (Target("cohere", "fault-error-event?after=1"), Target("lab", "m1"))),
        Route("long", (Target("cohere", "fault-context"), Target("lab", "m1", ("context_too_long",)))),
    ]
    traffic = traffic_of(configure(settings, {}), routes)
    return await start_gateway(traffic=lambda: traffic)


async def test_a_chat_is_translated_priced_by_billed_units_and_named_where_it_loses(gateway: Gateway) -> None:
    answer = await gateway.chat(
        "cohere/command-a-03-2025", temperature=0, logit_bias={"1": 1}, safety_mode="OFF"
    )
    (request,) = gateway.provider.requests()
    body, usage = json.loads(request["body"]), answer.json["usage"]
    assert (request["path"], request["headers"]["authorization"]) == ("/v2/chat", "Bearer co-key")
    assert body["safety_mode"] == "OFF"
    assert answer.headers["x-windlass-dropped"] == "logit_bias"
    assert answer.json["choices"][0]["finish_reason"] == "stop"
    record = gateway.record()
    assert record.cost is not None
    assert record.cost.status is CostStatus.COMPUTED
    # Command A: $2.50 and $10 per million tokens
    expected = usage["prompt_tokens"] * 2500 + usage["completion_tokens"] * 10_000
    assert record.cost.nanousd == expected


@pytest.mark.parametrize("is_stream", [False, True])
async def test_tools_come_back_under_the_callers_own_names(gateway: Gateway, is_stream: bool) -> None:
    answer = await gateway.chat("cohere/command-a-03-2025", tools=TOOLS, stream=is_stream)
    assert b'"get-weather"' in answer.body
    assert json.loads(gateway.provider.requests()[0]["body"])["tools"][0]["function"]["name"] != "get-weather"
    assert b"I will look it up." in answer.body
    assert b'"tool_calls"' in answer.body


async def test_a_streamed_chat_reaches_an_anthropic_caller(gateway: Gateway) -> None:
    answer = await gateway.message("cohere/command-a-03-2025", stream=True)
    assert answer.body.rstrip().endswith(b'{"type":"message_stop"}')
    record = gateway.record()
    assert (record.status, record.dialect_out) == (SpanStatus.OK, "cohere")
    assert record.usage is not None
    assert record.usage.out_text == 8


async def test_an_error_before_content_goes_to_the_next_target(gateway: Gateway) -> None:
    answer = await gateway.chat("early", stream=True)
    assert answer.headers["x-windlass-target"] == "lab/m1"
    longer = await gateway.chat("long")
    assert longer.headers["x-windlass-target"] == "lab/m1"


@pytest.mark.parametrize("fault", ["no-done", "cut", "error-event"])
async def test_a_broken_stream_ends_in_an_error(gateway: Gateway, fault: str) -> None:
    answer = await gateway.chat(f"cohere/fault-{fault}?after=5", stream=True)
    assert b"[DONE]" not in answer.body
    assert b'"error"' in answer.body
    record = gateway.record()
    assert record.status is not SpanStatus.OK


async def test_embeddings_are_shown_as_openais_and_priced(gateway: Gateway) -> None:
    body = {"model": "cohere/embed-v4.0", "input": ["a", "b"], "dimensions": 4, "input_type": "search_query"}
    answer = await gateway.post("/v1/embeddings", body)
    assert [len(item["embedding"]) for item in answer.json["data"]] == [4, 4]
    assert json.loads(gateway.provider.requests()[0]["body"])["input_type"] == "search_query"
    record = gateway.record()
    assert record.usage is not None
    assert record.cost is not None
    assert record.cost.nanousd == record.usage.in_fresh * 120  # $0.12 per million


async def test_too_many_texts_are_refused_before_they_are_sent(gateway: Gateway) -> None:
    answer = await gateway.post("/v1/embeddings", {"model": "cohere/embed-v4.0", "input": ["a"] * 97})
    assert (answer.status, answer.json["error"]["param"]) == (400, "input")
    assert gateway.provider.requests() == []


@pytest.mark.parametrize(
    ("path", "body", "tokens", "status"),
    [
        ("/v2/chat", {"messages": [{"role": "user", "content": "hi"}], "stream": True}, 8, "computed"),
        ("/v2/chat", {"messages": [{"role": "user", "content": "hi"}]}, 8, "computed"),
        ("/v2/rerank", {"query": "q", "documents": ["a"]}, 0, "unknown"),  # billed by searches
    ],
)
async def test_its_own_paths_pass_with_usage_and_cost(
    gateway: Gateway, path: str, body: dict[str, Any], tokens: int, status: str
) -> None:
    asked = {"model": "command-a-03-2025", **body}
    answer = await gateway.post(f"/v1/providers/cohere{path}", asked)
    assert answer.status == 200
    record = await gateway.wait_for_record()
    assert record.usage is not None
    assert record.usage.out_text == tokens
    assert record.cost is not None
    assert record.cost.status == status
