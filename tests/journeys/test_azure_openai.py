"""Azure OpenAI end to end: `openai` and its `AzureOpenAI` as clients, a key, or a token of azure-identity."""

from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest

from tests.support.fake_provider import FakeProvider, start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost

ASK = [{"role": "user", "content": "What is a forklift?"}]
CONFIG = """
providers:
  azure:
    base_url: "{url}"
    api_key: azure-key
    deployments: {{prod: gpt-5-mini}}
  azure-entra:
    like: azure
    base_url: "{url}"
    api_version: "2024-10-21"
    auth: azure_entra
    deployments: {{prod: gpt-5-mini}}
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with start_fake_provider() as started:
        yield started


@pytest.fixture(scope="module")
def sternpost(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSternpost]:
    environment = {  # the managed identity of an App Service, played by the fake provider
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "IDENTITY_ENDPOINT": f"{provider.url}/msi/token",
        "IDENTITY_HEADER": "app-service-secret",
    }
    home = Path(tmp_path_factory.mktemp("azure"))
    with run_sternpost(home, config=CONFIG.format(url=provider.url), environment=environment) as running:
        yield running


def test_the_openai_sdk_reaches_a_deployment_and_its_cost_is_known(
    sternpost: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    with openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=sternpost.key, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="azure/prod", messages=ASK)
    span = next(
        one
        for one in sternpost.trace(raw.headers["x-sternpost-trace-id"])["spans"]
        if one["type"] == "gateway"
    )
    assert raw.parse().choices[0].message.content
    assert provider.requests()[0]["headers"]["api-key"] == "azure-key"
    assert span["cost_status"] == "computed"
    assert float(span["cost_usd"]) > 0


def test_azures_own_client_class_works_by_changing_its_endpoint(sternpost: RunningSternpost) -> None:
    with openai.AzureOpenAI(
        azure_endpoint=sternpost.base_url, api_key=sternpost.key, api_version="2024-10-21", max_retries=0
    ) as client:
        reply = client.chat.completions.create(model="azure/prod", messages=ASK)
        chunks = list(client.chat.completions.create(model="azure/prod", messages=ASK, stream=True))
        vectors = client.embeddings.create(model="azure/prod", input="hi")
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices and c.choices[0].delta)
    assert text == reply.choices[0].message.content
    assert len(vectors.data) == 1


def test_azures_own_client_class_passes_through_to_the_dated_paths(
    sternpost: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    with openai.AzureOpenAI(
        base_url=f"{sternpost.base_url}/v1/providers/azure-entra",
        api_key=sternpost.key,
        api_version="2025-01-01-preview",
        max_retries=0,
    ) as client:
        raw = client.chat.completions.with_raw_response.create(model="prod", messages=ASK)
    request = next(one for one in provider.requests() if one["method"] == "POST")
    assert request["path"] == "/openai/deployments/prod/chat/completions?api-version=2025-01-01-preview"
    assert request["headers"]["authorization"] == "Bearer entra-token-1"
    assert sternpost.key not in str(request["headers"])
    span = sternpost.trace(raw.headers["x-sternpost-trace-id"])["spans"][0]
    assert span["cost_status"] == "computed"


def test_a_token_of_azure_identity_signs_and_is_asked_for_once(
    sternpost: RunningSternpost, provider: FakeProvider
) -> None:
    with openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=sternpost.key, max_retries=0) as client:
        client.chat.completions.create(model="azure-entra/prod", messages=ASK)
        provider.reset()
        for _ in range(3):
            client.chat.completions.create(model="azure-entra/prod", messages=ASK)
    seen = provider.requests()
    assert [one["headers"]["authorization"] for one in seen] == ["Bearer entra-token-1"] * 3
    assert {one["path"] for one in seen} == {
        "/openai/deployments/prod/chat/completions?api-version=2024-10-21"
    }


def test_an_anthropic_sdk_streams_from_azure(sternpost: RunningSternpost) -> None:
    with anthropic.Anthropic(base_url=sternpost.base_url, api_key=sternpost.key, max_retries=0) as client:
        with client.messages.stream(model="azure/prod", messages=ASK, max_tokens=50) as stream:
            text = stream.get_final_text()
        whole = client.messages.create(model="azure/prod", messages=ASK, max_tokens=50)
    assert text
    assert text == whole.content[0].text  # type: ignore[union-attr]
