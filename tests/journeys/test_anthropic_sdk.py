"""The official `anthropic` SDK works against Sternpost by changing its base URL."""

from collections.abc import Iterator

import anthropic
import httpx
import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost

ASK = [{"role": "user", "content": "[a.md] Sternpost keeps spans.\n\nWhat does Sternpost keep?"}]


@pytest.fixture
def client(sternpost_server: RunningSternpost) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


def test_a_message_is_answered_and_becomes_a_trace(
    client: anthropic.Anthropic, sternpost_server: RunningSternpost
) -> None:
    raw = client.messages.with_raw_response.create(model="labant/m1", max_tokens=100, messages=ASK)
    reply = raw.parse()
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    assert reply.content[0].type == "text"
    assert trace["spans"][0]["output"][0]["parts"][0]["content"] == reply.content[0].text
    assert trace["trace"]["cost_status"] == "computed"


def test_a_stream_accumulates_to_the_same_message(client: anthropic.Anthropic) -> None:
    whole = client.messages.create(model="labant/m1", max_tokens=100, messages=ASK)
    with client.messages.stream(model="labant/m1", max_tokens=100, messages=ASK) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert whole.content[0].type == "text"
    assert text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.stop_reason == "end_turn"


async def test_the_async_client_works(sternpost_server: RunningSternpost) -> None:
    async with anthropic.AsyncAnthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key, max_retries=0
    ) as client:
        reply = await client.messages.create(model="labant/m1", max_tokens=50, messages=ASK)
    assert reply.role == "assistant"


@pytest.mark.parametrize("model", ["lab/m1", "offline/extract-large"])
def test_an_openai_model_answers_through_the_anthropic_sdk(client: anthropic.Anthropic, model: str) -> None:
    whole = client.messages.create(model=model, max_tokens=100, messages=ASK)
    with client.messages.stream(model=model, max_tokens=100, messages=ASK) as stream:
        text = "".join(stream.text_stream)
    assert whole.content[0].type == "text"
    assert text == whole.content[0].text


def test_errors_arrive_as_the_sdk_expects_them(
    client: anthropic.Anthropic, sternpost_server: RunningSternpost
) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nobody/knows", max_tokens=10, messages=ASK)
    with pytest.raises(anthropic.AuthenticationError):
        client.with_options(api_key="sp-wrong").messages.create(model="lab/m1", max_tokens=10, messages=ASK)


def test_a_cut_stream_is_an_error_the_sdk_sees(client: anthropic.Anthropic) -> None:
    with (
        pytest.raises(anthropic.APIError),
        client.messages.stream(model="labant/fault-cut", max_tokens=100, messages=ASK) as stream,
    ):
        list(stream.text_stream)


def test_betas_of_several_lines_arrive_as_one_list_without_repeats(
    sternpost_server: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    lines = [("x-api-key", sternpost_server.key), ("anthropic-beta", "one"), ("anthropic-beta", "two, one")]
    body = {"model": "labant/m1", "max_tokens": 9, "messages": ASK}
    httpx.post(f"{sternpost_server.base_url}/v1/messages", headers=lines, json=body).raise_for_status()
    assert provider.requests()[-1]["headers"]["anthropic-beta"] == "one,two"
