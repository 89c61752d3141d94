"""The official `mistralai` SDK: its paths as far as they are OpenAI's, and all of them by pass-through."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mistralai.client import Mistral

from tests.support.fake_provider import FakeProvider, start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost

ASK: Any = [{"role": "user", "content": "What is a forklift?"}]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with start_fake_provider() as started:
        yield started


@pytest.fixture(scope="module")
def sternpost(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSternpost]:
    config = (
        "providers:\n"
        f"  mistral: {{base_url: '{provider.url}/v1', api_key: mi-key}}\n"
        f"  labant: {{dialect: anthropic, base_url: '{provider.url}/v1', api_key: k}}\n"
    )
    with run_sternpost(Path(tmp_path_factory.mktemp("mistral")), config=config) as running:
        yield running


def client_at(server_url: str, key: str, http: httpx.Client) -> Mistral:
    return Mistral(api_key=key, server_url=server_url, client=http)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True) as made:
        yield made


def test_it_chats_streams_and_embeds_through_the_gateway(
    sternpost: RunningSternpost, provider: FakeProvider, http: httpx.Client
) -> None:
    provider.reset()
    client = client_at(sternpost.base_url, sternpost.key, http)
    model = "mistral/mistral-large-latest"
    reply = client.chat.complete(model=model, messages=ASK, random_seed=7, safe_prompt=True)
    with client.chat.stream(model=model, messages=ASK) as stream:
        text = "".join(
            str(event.data.choices[0].delta.content or "") for event in stream if event.data.choices
        )
    vectors = client.embeddings.create(model="mistral/mistral-embed", inputs=["a"])
    assert text == reply.choices[0].message.content  # type: ignore[union-attr]
    assert len(vectors.data) == 1
    sent = provider.requests()[0]
    assert '"random_seed":7' in sent["body"]
    assert '"safe_prompt":true' in sent["body"]
    assert sent["headers"]["authorization"] == "Bearer mi-key"


def test_its_tools_reach_another_vendor(sternpost: RunningSternpost, http: httpx.Client) -> None:
    client = client_at(sternpost.base_url, sternpost.key, http)
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    reply = client.chat.complete(
        model="labant/m1", messages=ASK, tools=tools, tool_choice="any", random_seed=7
    )
    (call,) = reply.choices[0].message.tool_calls  # type: ignore[union-attr, misc]
    assert call.function.name == "get_weather"


def test_its_native_paths_pass_through_with_usage_and_cost(
    sternpost: RunningSternpost, provider: FakeProvider, http: httpx.Client
) -> None:
    provider.reset()
    seen: list[str] = []
    http.event_hooks["response"] = [lambda answer: seen.append(answer.headers["x-sternpost-trace-id"])]
    client = client_at(f"{sternpost.base_url}/v1/providers/mistral", sternpost.key, http)
    reply = client.chat.complete(model="mistral-large-latest", messages=ASK)
    span = sternpost.trace(seen[0])["spans"][0]
    assert reply.choices[0].message.content  # type: ignore[union-attr]
    assert provider.requests()[0]["path"] == "/v1/chat/completions"  # the SDK's own /v1 is not doubled
    assert span["usage"]["out_text"] == 8
    assert span["cost_status"] == "computed"
