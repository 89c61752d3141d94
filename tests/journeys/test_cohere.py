"""Cohere end to end: its own SDK by pass-through, and the `openai` and `anthropic` SDKs by translation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import cohere
import httpx
import openai
import pytest

from tests.support.fake_provider import FakeProvider, start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost

MODEL = "cohere/command-a-03-2025"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with start_fake_provider() as started:
        yield started


@pytest.fixture(scope="module")
def sternpost(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSternpost]:
    config = f"providers:\n  cohere: {{base_url: '{provider.url}', api_key: co-key}}\n"
    with run_sternpost(Path(tmp_path_factory.mktemp("cohere")), config=config) as running:
        yield running


@pytest.fixture
def own(sternpost: RunningSternpost) -> Iterator[cohere.ClientV2]:
    base_url = f"{sternpost.base_url}/v1/providers/cohere"
    with httpx.Client() as http:  # the SDK never closes one of its own
        yield cohere.ClientV2(api_key=sternpost.key, base_url=base_url, httpx_client=http)


def test_the_cohere_sdk_chats_and_its_calls_have_usage_and_cost(
    own: cohere.ClientV2, sternpost: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    raw = own.with_raw_response.chat(
        model="command-a-03-2025", messages=[{"role": "user", "content": "What is a forklift?"}]
    )
    trace = sternpost.trace(raw.headers["x-sternpost-trace-id"])
    span = trace["spans"][0]
    assert raw.data.message.content
    assert raw.data.message.content[0].text.startswith("A forklift")  # type: ignore[union-attr]
    assert provider.requests()[0]["headers"]["authorization"] == "Bearer co-key"
    assert span["usage"]["out_text"] == 8
    assert (span["cost_status"], float(span["cost_usd"]) > 0) == ("computed", True)


def test_the_cohere_sdk_streams(own: cohere.ClientV2) -> None:
    events = list(
        own.chat_stream(model="command-a-03-2025", messages=[{"role": "user", "content": "What is it?"}])
    )
    kinds = [event.type for event in events]
    assert (kinds[0], kinds[-1]) == ("message-start", "message-end")
    assert kinds.count("content-delta") == 8


def test_the_cohere_sdk_embeds_and_reranks(own: cohere.ClientV2) -> None:
    embedded = own.embed(
        model="embed-v4.0", input_type="search_document", texts=["a", "b"], embedding_types=["float"]
    )
    ranked = own.rerank(model="rerank-v3.5", query="q", documents=["a", "b"])
    assert embedded.embeddings.float_ is not None
    assert len(embedded.embeddings.float_) == 2
    assert [one.index for one in ranked.results] == [0, 1]


def test_an_error_of_coheres_reaches_its_sdk_as_it_is(own: cohere.ClientV2) -> None:
    with pytest.raises(cohere.errors.NotFoundError):
        own.chat(model="fault-404", messages=[{"role": "user", "content": "hi"}])


def test_an_anthropic_sdk_streams_a_tool_call_and_its_answer(sternpost: RunningSternpost) -> None:
    tools: Any = [{"name": "get_weather", "description": "d", "input_schema": SCHEMA}]
    messages: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    with anthropic.Anthropic(base_url=sternpost.base_url, api_key=sternpost.key, max_retries=0) as client:
        with client.messages.stream(model=MODEL, messages=messages, tools=tools, max_tokens=99) as stream:
            asked = stream.get_final_message()
        call = asked.content[-1]
        assert call.type == "tool_use"
        result = {"type": "tool_result", "tool_use_id": call.id, "content": '{"sky": "blue"}'}
        messages += [
            {"role": "assistant", "content": asked.content},
            {"role": "user", "content": [result]},
        ]
        with client.messages.stream(model=MODEL, messages=messages, tools=tools, max_tokens=99) as stream:
            text = stream.get_final_text()
    assert asked.stop_reason == "tool_use"
    assert call.input == {"city": "Paris"}
    assert text.startswith("A forklift")


def test_an_openai_sdk_chats_streams_and_embeds(sternpost: RunningSternpost, provider: FakeProvider) -> None:
    provider.reset()
    ask: Any = [{"role": "user", "content": "What is a forklift?"}]
    with openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=sternpost.key, max_retries=0) as client:
        whole = client.chat.completions.create(
            model=MODEL, messages=ask, extra_body={"safety_mode": "STRICT"}
        )
        chunks = list(
            client.chat.completions.create(
                model=MODEL, messages=ask, stream=True, stream_options={"include_usage": True}
            )
        )
        vectors = client.embeddings.create(
            model="cohere/embed-v4.0", input=["a"], dimensions=8, extra_body={"input_type": "search_query"}
        )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage or chunks[-1].usage is not None
    assert len(vectors.data[0].embedding) == 8  # asked for in base64, as the SDK does by itself
    assert '"safety_mode":"STRICT"' in provider.requests()[0]["body"]
