"""The official `openai` SDK works against Sternpost by changing its base URL."""

from collections.abc import AsyncIterator, Iterator

import openai
import pytest

from tests.support.running import RunningSternpost

CONTEXT = "[ports.md] The gateway listens on port 4100. The engine chooses a free port by itself."
ASK = [
    {"role": "system", "content": f"Answer from the context.\n\n{CONTEXT}"},
    {"role": "user", "content": "Which port does the gateway listen on?"},
]


@pytest.fixture
def client(sternpost_server: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


@pytest.fixture
async def async_client(sternpost_server: RunningSternpost) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


def test_a_question_is_answered_and_becomes_a_trace(
    client: openai.OpenAI, sternpost_server: RunningSternpost
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="offline/extract-large", messages=ASK, user="ada"
    )
    reply = raw.parse()
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    span = next(one for one in trace["spans"] if one["type"] == "gateway")

    assert "4100" in (reply.choices[0].message.content or "")
    assert trace["trace"]["user_id"] == "ada"
    assert span["input"][-1]["parts"][0]["content"] == ASK[1]["content"]
    assert span["output"][0]["parts"][0]["content"] == reply.choices[0].message.content
    assert span["cost_status"] == "free"
    assert raw.headers["x-sternpost-target"] == "offline/extract-large"


def test_a_stream_gives_the_same_text_and_usage_only_when_asked(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="offline/extract-large", messages=ASK)
    plain = list(client.chat.completions.create(model="offline/extract-large", messages=ASK, stream=True))
    counted = list(
        client.chat.completions.create(
            model="offline/extract-large", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in plain if chunk.choices)
    assert text == whole.choices[0].message.content
    assert all(chunk.usage is None for chunk in plain)
    assert counted[-1].usage is not None
    assert whole.usage is not None
    assert counted[-1].usage.total_tokens == whole.usage.total_tokens


async def test_the_async_client_streams(async_client: openai.AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(model="lab/m1", messages=ASK, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert len(pieces) > 3
    assert "".join(pieces)


def test_prices_of_the_configuration_reach_the_header(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="lab/m1", messages=ASK)
    usage = raw.parse().usage
    assert usage is not None
    # 1.00 USD per million tokens in, 2.00 out: tests/conftest.py
    expected = usage.prompt_tokens * 1e-6 + usage.completion_tokens * 2e-6
    assert float(raw.headers["x-sternpost-cost-usd"]) == pytest.approx(expected, abs=1e-9)


def test_an_anthropic_model_answers_through_the_openai_sdk(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="labant/m1", messages=ASK)
    stream = client.chat.completions.create(model="labant/m1", messages=ASK, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert whole.choices[0].message.content
    assert text == whole.choices[0].message.content


def test_a_route_falls_back_when_its_first_target_is_down(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="steady", messages=ASK)
    assert raw.headers["x-sternpost-target"] == "lab/m1"
    assert raw.parse().choices[0].message.content


def test_errors_arrive_as_the_sdk_expects_them(
    client: openai.OpenAI, sternpost_server: RunningSternpost
) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="ofline/extract-large", messages=ASK)
    assert unknown.value.code == "model_not_found"
    assert "offline/extract-large" in str(unknown.value)

    stranger = client.with_options(api_key="sp-wrong")
    with pytest.raises(openai.AuthenticationError) as refused:
        stranger.chat.completions.create(model="lab/m1", messages=ASK)
    assert refused.value.code == "invalid_api_key"

    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="lab/m1", messages=[])


def test_a_cut_stream_is_an_error_the_sdk_sees_and_a_truncated_trace(
    client: openai.OpenAI, sternpost_server: RunningSternpost
) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="lab/fault-cut", messages=ASK, stream=True
    ) as raw:
        trace_id = raw.headers["x-sternpost-trace-id"]
        with pytest.raises(openai.APIError):
            list(raw.parse())

    trace = sternpost_server.trace(trace_id)
    assert trace["trace"]["status"] == "truncated"


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    names = {model.id for model in client.models.list()}
    assert {"offline/extract-large", "offline/extract-small", "steady", "fast"} <= names
