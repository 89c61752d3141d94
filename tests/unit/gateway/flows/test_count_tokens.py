"""Token counts, asked for in two dialects and answered by whoever counts, over real HTTP."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import Route, Target
from sternpost.contracts.usage import CostStatus
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.unit.gateway.conftest import ASK, Gateway, GatewayMaker

ANTHROPIC, OPENAI = "/v1/messages/count_tokens", "/v1/responses/input_tokens"
LONG = "word " * 400


@pytest.fixture
async def gateway(start_gateway: GatewayMaker, provider: Any) -> Gateway:
    url = provider.url
    settings = [
        ProviderSetting("chat", "openai_chat", f"{url}/v1", "k"),
        ProviderSetting("both", "openai_chat", f"{url}/v1", "k", also_speaks=("openai_responses",)),
        ProviderSetting("res", "openai_responses", f"{url}/v1", "k"),
        ProviderSetting("ant", "anthropic", f"{url}/v1", "k"),
        ProviderSetting("gem", "gemini", f"{url}/v1beta", "k"),
    ]
    routes = [Route("first-ant", (Target("ant", "m1"), Target("gem", "gemini-3.8-flash")))]
    traffic = traffic_of(configure(settings, {}), routes)
    return await start_gateway(traffic=lambda: traffic)


async def test_openai_counts_for_its_own_callers_byte_for_byte(gateway: Gateway) -> None:
    body = {"model": "both/m1", "input": LONG, "instructions": "Be brief.", "truncation": "auto"}
    answer = await gateway.post(OPENAI, body)
    seen, record = gateway.provider.requests()[0], gateway.record()

    assert seen["path"] == "/v1/responses/input_tokens"
    assert json.loads(seen["body"]) == {**body, "model": "m1"}
    assert answer.json == {"object": "response.input_tokens", "input_tokens": (len(LONG) + 2) // 4}
    assert "x-sternpost-estimated" not in answer.headers
    assert record.operation == "count_tokens"
    assert record.cost is not None
    assert (record.cost.status, record.usage) == (CostStatus.FREE, None)


async def test_openai_counts_for_callers_of_anthropic_without_what_it_refuses(gateway: Gateway) -> None:
    tool = {"name": "look_up", "description": "Look up.", "input_schema": {"type": "object"}}
    answer = await gateway.post(
        ANTHROPIC, {"model": "both/m1", "messages": ASK, "system": "Be brief.", "tools": [tool]}
    )
    sent = json.loads(gateway.provider.requests()[0]["body"])

    assert answer.status == 200, answer.body
    assert set(answer.json) == {"input_tokens"}
    assert set(sent) == {"model", "input", "instructions", "tools"}
    assert sent["tools"][0]["name"] == "look_up"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("ant/m1", "/v1/messages/count_tokens"),
        ("gem/gemini-3.8-flash", "/v1beta/models/gemini-3.8-flash:countTokens"),
    ],
)
async def test_others_count_for_callers_of_openai(gateway: Gateway, model: str, path: str) -> None:
    answer = await gateway.post(OPENAI, {"model": model, "input": LONG, "instructions": "Be brief."})
    (seen,) = gateway.provider.requests()

    assert answer.json["object"] == "response.input_tokens"
    assert answer.json["input_tokens"] > 100
    assert seen["path"] == path
    assert "max_tokens" not in json.loads(seen["body"])
    assert "Be brief." in seen["body"]


@pytest.mark.parametrize(("model", "asked"), [("chat/m1", []), ("res/fault-404", [404])])
async def test_where_nobody_counts_the_estimate_says_so(
    gateway: Gateway, model: str, asked: list[int]
) -> None:
    answer = await gateway.post(OPENAI, {"model": model, "input": LONG})
    assert answer.headers["x-sternpost-estimated"] == "1"
    assert 350 <= answer.json["input_tokens"] <= 450
    assert [attempt.http_status for attempt in gateway.record().attempts] == asked


async def test_a_target_that_can_not_be_asked_leaves_the_count_to_the_next(gateway: Gateway) -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    body = {"model": "first-ant", "input": [{"role": "user", "content": [sound]}]}
    answer = await gateway.post(OPENAI, body)
    assert (answer.status, answer.headers["x-sternpost-target"]) == (200, "gem/gemini-3.8-flash")
    assert "unsupported:ant/m1" in answer.headers["x-sternpost-warnings"]


async def test_an_estimate_does_not_end_the_rest_of_a_target_that_is_down(
    start_gateway: GatewayMaker,
) -> None:
    gateway = await start_gateway()
    await gateway.chat("steady")
    counted = await gateway.post(ANTHROPIC, {"model": "dead/m1", "messages": ASK})
    again = await gateway.chat("steady")
    assert counted.headers["x-sternpost-estimated"] == "1"
    assert again.headers["x-sternpost-warnings"] == "skipped:dead/m1"


async def test_refusals_are_in_openais_shape(gateway: Gateway) -> None:
    for body, status, param in (
        ({"model": "res/m1"}, 400, "input"),
        ({"model": "chat/m1", "input": 7}, 400, "input"),
        ({"model": "ant/m1", "input": "hi", "previous_response_id": "resp_1"}, 400, "previous_response_id"),
        ({"model": "res/fault-429?retry_after=30", "input": "hi"}, 429, None),
    ):
        answer = await gateway.post(OPENAI, body)
        assert (answer.status, answer.json["error"]["param"]) == (status, param), answer.body
