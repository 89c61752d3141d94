"""Azure OpenAI behind the gateway: both addresses, its content filter, prices and limits of deployments."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import Route, Target
from sternpost.contracts.usage import CostStatus
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import ASK, Gateway, GatewayMaker

SAFE = '"content_filter_results"'
DEPLOYMENTS = {"prod": "gpt-5-mini", "fault-policy": "gpt-5-mini"}


@pytest.fixture
async def gateway(start_gateway: GatewayMaker, provider: FakeProvider) -> Gateway:
    dated = {"api_version": "2024-10-21"}
    settings = [
        ProviderSetting("azure", base_url=provider.url, api_key="azure-key", deployments=DEPLOYMENTS),
        ProviderSetting("azure-old", None, provider.url, "azure-key", options=dated, like="azure"),
        ProviderSetting("lab", "openai_chat", f"{provider.url}/v1", "lab-key"),
    ]
    routes = [Route("safe", (Target("azure", "fault-policy"), Target("lab", "m1", ("policy",))))]
    traffic = traffic_of(configure(settings, {}), routes)
    return await start_gateway(traffic=lambda: traffic)


def sent(gateway: Gateway) -> dict[str, Any]:
    (request,) = gateway.provider.requests()
    return request


async def test_the_key_goes_in_its_own_header_and_the_deployment_in_the_body(gateway: Gateway) -> None:
    answer = await gateway.chat("azure/prod", max_tokens=5, temperature=0.2)
    request = sent(gateway)
    assert answer.status == 200
    assert request["path"] == "/openai/v1/chat/completions"
    assert request["headers"]["api-key"] == "azure-key"
    assert "authorization" not in request["headers"]
    body = json.loads(request["body"])
    assert body["model"] == "prod"
    assert body["max_completion_tokens"] == 5  # the facts of gpt-5-mini: no max_tokens, no temperature
    dropped = ["max_tokens (sent as max_completion_tokens)", "temperature"]
    assert answer.headers["x-sternpost-dropped"].split(",") == dropped


async def test_a_dated_version_puts_the_deployment_into_the_path(gateway: Gateway) -> None:
    answer = await gateway.chat("azure-old/my-gpt")
    assert answer.status == 200
    path = sent(gateway)["path"]
    assert path == "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize("name", ["azure/prod", "azure-old/text-3"])
async def test_embeddings_take_the_same_addresses(gateway: Gateway, name: str) -> None:
    answer = await gateway.post("/v1/embeddings", {"model": name, "input": "hi"})
    assert answer.status == 200
    start = "/openai/v1/embeddings" if name == "azure/prod" else "/openai/deployments/text-3/embeddings?"
    assert sent(gateway)["path"].startswith(start)


@pytest.mark.parametrize("name", ["azure/draw", "azure-old/draw"])
async def test_so_do_paths_that_are_passed_on_by_their_model(gateway: Gateway, name: str) -> None:
    ours = "/openai/deployments/draw/images/generations?api-version=2024-10-21"
    answer = await gateway.post(ours, {"model": name, "prompt": "A cat"})
    assert answer.status == 200
    assert sent(gateway)["path"] == ("/openai/v1/images/generations" if name == "azure/draw" else ours)


async def test_responses_are_asked_for_untranslated_under_v1_alone(gateway: Gateway) -> None:
    await gateway.post("/v1/responses", {"model": "azure/prod", "input": "hi"})
    await gateway.post("/v1/responses", {"model": "azure-old/d", "input": "hi"})
    first, second = gateway.provider.requests()
    assert first["path"] == "/openai/v1/responses"
    assert second["path"] == "/openai/deployments/d/chat/completions?api-version=2024-10-21"


async def test_a_deployment_costs_what_its_base_model_costs(gateway: Gateway) -> None:
    await gateway.chat("azure/prod")
    record = gateway.record()
    assert record.response_model == "prod"  # the fake answers with the deployment's name
    assert record.cost is not None
    assert record.cost.status is CostStatus.COMPUTED
    assert record.cost.nanousd is not None
    assert record.cost.nanousd > 0


async def test_an_unknown_deployment_has_an_unknown_cost(gateway: Gateway) -> None:
    await gateway.chat("azure-old/my-gpt")
    cost = gateway.record().cost
    assert cost is not None
    assert (cost.status, cost.nanousd) == (CostStatus.UNKNOWN, None)


async def test_a_stream_keeps_the_filters_annotations_for_an_openai_caller(gateway: Gateway) -> None:
    answer = await gateway.chat("azure/prod", stream=True)
    text = answer.body.decode()
    assert text.startswith('data: {"choices":[],"created":0')
    assert '"prompt_filter_results"' in text
    assert '"content_filter_offsets"' in text
    assert text.endswith("data: [DONE]\n\n")
    assert gateway.record().usage is not None


async def test_the_filters_chunks_neither_end_nor_double_a_translated_stream(gateway: Gateway) -> None:
    answer = await gateway.message("azure/prod", stream=True)
    plain = await gateway.message("lab/m1", stream=True)
    assert answer.body.count(b"message_stop") == plain.body.count(b"message_stop")
    assert answer.body.count(b"text_delta") == plain.body.count(b"text_delta")


async def test_an_annotation_alone_is_no_content_so_another_target_may_answer(
    start_gateway: GatewayMaker, provider: FakeProvider
) -> None:
    settings = [
        ProviderSetting("azure", base_url=provider.url, api_key="azure-key"),
        ProviderSetting("lab", "openai_chat", f"{provider.url}/v1", "lab-key"),
    ]
    routes = [Route("careful", (Target("azure", "fault-error-event?after=1"), Target("lab", "m1")))]
    traffic = traffic_of(configure(settings, {}), routes)
    gateway = await start_gateway(traffic=lambda: traffic)
    answer = await gateway.chat("careful", stream=True)
    assert answer.status == 200
    assert answer.headers["x-sternpost-target"] == "lab/m1"


async def test_a_filtered_prompt_takes_the_policy_way(gateway: Gateway) -> None:
    answer = await gateway.chat("safe")
    assert answer.status == 200
    assert answer.headers["x-sternpost-target"] == "lab/m1"
    first = gateway.record().attempts[0]
    assert (first.http_status, first.error_type) == (400, "policy")


async def test_a_filtered_prompt_without_another_target_keeps_its_code(gateway: Gateway) -> None:
    answer = await gateway.chat("azure/fault-policy")
    assert answer.status == 400
    assert answer.json["error"]["code"] == "content_filter"
    filtered = answer.json["error"]["innererror"]["content_filter_result"]
    assert filtered == {"violence": {"filtered": True, "severity": "high"}}


async def test_details_of_one_dialect_are_not_shown_in_another(gateway: Gateway) -> None:
    answer = await gateway.message("azure/fault-policy")
    assert answer.status == 400
    assert set(answer.json["error"]) == {"type", "message"}


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/v1/providers/azure/files?purpose=batch", "/openai/v1/files?purpose=batch"),
        ("/v1/providers/azure-old/files", "/openai/files?api-version=2024-10-21"),
        ("/v1/providers/azure-old/files?api-version=2025-01-01", "/openai/files?api-version=2025-01-01"),
        (
            "/v1/providers/azure-old/deployments/w/audio/speech?x=1",
            "/openai/deployments/w/audio/speech?x=1&api-version=2024-10-21",
        ),
    ],
)
async def test_its_other_paths_pass_through(gateway: Gateway, path: str, base: str) -> None:
    answer = await gateway.get(path)
    assert answer.status == 200
    assert answer.json["path"] == base


@pytest.mark.parametrize(
    "path", ["/openai/deployments/lab%2Fm1/chat/completions", "/openai/v1/chat/completions"]
)
async def test_azures_own_paths_lead_to_the_same_door(gateway: Gateway, path: str) -> None:
    body = {"model": "lab/m1", "messages": ASK}
    answer = await gateway.post(f"{path}?api-version=2024-10-21", body, api_key="sp-one")
    assert answer.status == 200
    assert answer.json["object"] == "chat.completion"
