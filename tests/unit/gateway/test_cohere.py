"""Cohere behind the gateway: chats, embeddings, faults, and costs of what is billed."""

import asyncio
import json
from typing import Any

import pytest

from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.contracts.call import Route, Target
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.contracts.usage import CostStatus
from sternpost.gateway.state.traffic import Traffic, traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import Gateway, GatewayMaker

TOOLS = [{"type": "function", "function": {"name": "get-weather", "parameters": {"type": "object"}}}]


@pytest.fixture
def traffic(provider: FakeProvider) -> Traffic:
    settings = [
        ProviderSetting("cohere", base_url=provider.url, api_key="co-key"),
        ProviderSetting("lab", "openai_chat", f"{provider.url}/v1", "lab-key"),
    ]
    routes = [
        Route("early", (Target("cohere", "fault-error-event?after=1"), Target("lab", "m1"))),
        Route("long", (Target("cohere", "fault-context"), Target("lab", "m1", ("context_too_long",)))),
    ]
    return traffic_of(configure(settings, {}), routes)


@pytest.fixture
async def gateway(start_gateway: GatewayMaker, traffic: Traffic) -> Gateway:
    return await start_gateway(traffic=lambda: traffic)


async def test_a_chat_is_translated_priced_by_billed_units_and_named_where_it_loses(gateway: Gateway) -> None:
    answer = await gateway.chat(
        "cohere/command-a-03-2025", temperature=0, logit_bias={"1": 1}, safety_mode="OFF"
    )
    (request,) = gateway.provider.requests()
    body, usage = json.loads(request["body"]), answer.json["usage"]
    assert (request["path"], request["headers"]["authorization"]) == ("/v2/chat", "Bearer co-key")
    assert body["safety_mode"] == "OFF"
    assert answer.headers["x-sternpost-dropped"] == "logit_bias"
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
    assert answer.headers["x-sternpost-target"] == "lab/m1"
    longer = await gateway.chat("long")
    assert longer.headers["x-sternpost-target"] == "lab/m1"


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


async def test_many_texts_take_several_requests_and_are_one_answer(gateway: Gateway) -> None:
    texts = [f"text {number}" for number in range(200)]
    answer = await gateway.post("/v1/embeddings", {"model": "cohere/embed-v4.0", "input": texts})
    assert answer.status == 200
    asked = [json.loads(request["body"])["texts"] for request in gateway.provider.requests()]
    asked.sort(key=lambda part: texts.index(part[0]))  # they are sent together
    assert [len(part) for part in asked] == [96, 96, 8]
    assert [text for part in asked for text in part] == texts
    assert [item["index"] for item in answer.json["data"]] == list(range(200))
    firsts = [item["embedding"][0] for item in answer.json["data"]]
    assert firsts == [place / 8 for size in (96, 96, 8) for place in range(size)]  # as the fake counts them
    record = gateway.record()
    assert record.usage is not None
    assert record.usage.in_fresh == answer.json["usage"]["prompt_tokens"]
    assert record.usage.in_fresh > len(gateway.provider.requests()[0]["body"]) // 4
    assert record.attributes["vector_count"] == "200"
    assert len(record.attempts) == 1


async def test_a_retry_asks_only_for_the_vectors_that_are_missing(gateway: Gateway) -> None:
    model = "cohere/fault-429?skip=4&times=1&id=parts&retry_after=0.01"
    texts = [f"text {number}" for number in range(96 * 20)]
    answer = await gateway.post("/v1/embeddings", {"model": model, "input": texts})
    assert (answer.status, answer.headers["x-sternpost-attempts"]) == (200, "2")
    firsts = [json.loads(request["body"])["texts"][0] for request in gateway.provider.requests()]
    assert len(firsts) == 21  # one of the 20 twice
    assert set(firsts) == set(texts[::96])
    assert [item["embedding"][0] for item in answer.json["data"]] == [place / 8 for place in range(96)] * 20
    record = gateway.record()
    assert [one.http_status for one in record.attempts] == [429, 200]
    assert record.usage is not None
    assert record.usage.in_fresh == answer.json["usage"]["prompt_tokens"]


class CountingClient(AiohttpClient):
    """Counts how many requests are on their way at once."""

    now = most = 0

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.01)
            return await super().send(request)
        finally:
            self.now -= 1


async def test_eight_requests_of_a_list_are_on_their_way_at_once(
    start_gateway: GatewayMaker, traffic: Traffic
) -> None:
    client = CountingClient()
    gateway = await start_gateway(traffic=lambda: traffic, client=client)
    answer = await gateway.post("/v1/embeddings", {"model": "cohere/embed-v4.0", "input": ["a"] * 96 * 20})
    assert (answer.status, len(answer.json["data"]), client.most) == (200, 96 * 20, 8)


async def test_what_was_embedded_before_an_error_may_be_billed(gateway: Gateway) -> None:
    model = "cohere/fault-400?skip=1&times=9&id=half"
    answer = await gateway.post("/v1/embeddings", {"model": model, "input": ["a"] * 100})
    assert answer.status == 400
    cost = gateway.record().cost
    assert cost is not None
    assert (cost.status, cost.reason) == (CostStatus.UNKNOWN, "no_answer")


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
