"""Failures reach the official Python SDKs as the classes, headers and moments that they expect."""

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, wait_until

ASK: list[Any] = [{"role": "user", "content": "How is Paris?"}]
# what the provider answers, as both SDKs name it
CLASSES = {
    "400": "BadRequestError",
    "401": "InternalServerError",  # it is Sternpost's own key that was refused, not the caller's
    "404": "NotFoundError",
    "429?retry_after=90": "RateLimitError",
    "500": "InternalServerError",
    "context": "BadRequestError",
    "garbage": "InternalServerError",
}
every_failure = pytest.mark.parametrize(("fault", "name"), CLASSES.items())
every_model = pytest.mark.parametrize("provider_name", ["lab", "labant", "labres"])


@pytest.fixture
def chat(sternpost_server: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key) as made:
        yield made


@pytest.fixture
def messages(sternpost_server: RunningSternpost) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=sternpost_server.base_url, api_key=sternpost_server.key) as made:
        yield made


@pytest.fixture
async def async_chat(sternpost_server: RunningSternpost) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key
    ) as made:
        yield made


@pytest.fixture
async def async_messages(sternpost_server: RunningSternpost) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key
    ) as made:
        yield made


@every_failure
@pytest.mark.parametrize("provider_name", ["lab", "labant"])
def test_a_failure_has_its_class_in_both_sdks_and_names_its_trace(
    chat: openai.OpenAI,
    messages: anthropic.Anthropic,
    sternpost_server: RunningSternpost,
    provider_name: str,
    fault: str,
    name: str,
) -> None:
    model = f"{provider_name}/fault-{fault}"
    chat, messages = chat.with_options(max_retries=0), messages.with_options(max_retries=0)
    with pytest.raises(getattr(openai, name)) as from_chat:
        chat.chat.completions.create(model=model, messages=ASK)
    with pytest.raises(getattr(openai, name)):
        chat.responses.create(model=model, input=ASK)
    with pytest.raises(getattr(anthropic, name)) as from_messages:
        messages.messages.create(model=model, max_tokens=50, messages=ASK)
    headers = from_chat.value.response.headers
    assert sternpost_server.trace(headers["x-sternpost-trace-id"])["trace"]["status"] == "error"
    assert from_chat.value.message
    assert from_messages.value.body["error"]["message"]  # type: ignore[index]
    if fault.startswith("429"):
        assert float(headers["retry-after"]) >= 90
        assert from_messages.value.body["error"]["type"] == "rate_limit_error"  # type: ignore[index]
    if fault == "context":
        assert from_chat.value.code == "context_length_exceeded"


def test_what_sternpost_has_retried_the_sdks_do_not_retry_again(
    chat: openai.OpenAI, messages: anthropic.Anthropic, provider: FakeProvider
) -> None:
    provider.reset()
    with pytest.raises(openai.InternalServerError) as failed:
        chat.chat.completions.create(model="lab/fault-500", messages=ASK)
    with pytest.raises(anthropic.InternalServerError):
        messages.messages.create(model="labant/fault-500", max_tokens=50, messages=ASK)
    assert failed.value.response.headers["x-should-retry"] == "false"
    assert provider.count("calls") <= 6  # three tries each; an SDK's own two retries would make it 18


@every_model
async def test_a_provider_that_recovers_is_not_noticed(
    async_chat: openai.AsyncOpenAI, async_messages: anthropic.AsyncAnthropic, provider_name: str
) -> None:
    def model() -> str:
        return f"{provider_name}/fault-429?times=1&retry_after=0.05&id={uuid.uuid4().hex}"

    completion = await async_chat.chat.completions.create(model=model(), messages=ASK)
    stream = await async_chat.chat.completions.create(model=model(), messages=ASK, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    async with async_messages.messages.stream(model=model(), max_tokens=50, messages=ASK) as opened:
        message = await opened.get_final_message()
    assert completion.choices[0].message.content == "".join(pieces) != ""
    assert message.content[0].type == "text"


@every_model
@pytest.mark.parametrize("fault", ["cut", "no-done", "malformed", "error-event"])
async def test_a_broken_stream_raises_after_what_arrived(
    async_chat: openai.AsyncOpenAI,
    async_messages: anthropic.AsyncAnthropic,
    provider_name: str,
    fault: str,
) -> None:
    model = f"{provider_name}/fault-{fault}?after=6"
    stream = await async_chat.chat.completions.create(model=model, messages=ASK, stream=True)
    pieces: list[str] = []
    with pytest.raises(openai.APIError):  # noqa: PT012  # what arrived before it is the point
        async for chunk in stream:
            pieces += [choice.delta.content or "" for choice in chunk.choices]
    assert "".join(pieces)

    seen: list[str] = []
    with pytest.raises(anthropic.APIError):  # noqa: PT012
        async with async_messages.messages.stream(model=model, max_tokens=50, messages=ASK) as opened:
            async for text in opened.text_stream:
                seen.append(text)  # noqa: PERF401
    assert "".join(seen)


async def test_a_caller_who_leaves_ends_the_call_at_the_provider(
    async_chat: openai.AsyncOpenAI, sternpost_server: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    raw = await async_chat.chat.completions.with_raw_response.create(
        model="lab/fault-stall", messages=ASK, stream=True
    )
    async with raw.parse() as stream:
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
    wait_until(lambda: provider.count("closed_by_client"), what="the end of the call at the provider")
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    assert trace["trace"]["status"] == "cancelled"


def test_the_time_out_of_an_sdk_is_told_to_sternpost(chat: openai.OpenAI, provider: FakeProvider) -> None:
    provider.reset()
    hurried = chat.with_options(timeout=httpx.Timeout(1.0), max_retries=0)
    with pytest.raises(openai.APIError):
        hurried.chat.completions.create(model="lab/fault-slow-status?seconds=30", messages=ASK)
    wait_until(lambda: provider.count("closed_by_client"), what="the end of the call at the provider")
