"""The offline answerer through its upstream client, read by the official SDK's types."""

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.providers.offline.client import OfflineClient

URL = "http://offline.invalid/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "[a.md] Cats purr when they are content.\n\nDo cats purr?"}]


async def send(body: bytes, *, method: str = "POST", url: str = URL) -> UpstreamReply:
    return await OfflineClient().send(UpstreamRequest(method, url, {}, body, 5.0, 60.0))


async def post(**fields: object) -> UpstreamReply:
    return await send(json.dumps({"model": "extract-large", "messages": MESSAGES, **fields}).encode())


async def test_a_reply_is_a_chat_completion() -> None:
    reply = await post()

    completion = ChatCompletion.model_validate_json(await reply.read(100_000))

    assert completion.choices[0].message.content == "Cats purr when they are content. [a.md]"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )
    assert completion.model_extra is not None
    assert completion.model_extra["sternpost"]["is_language_model"] is False


async def test_the_same_bytes_in_give_the_same_bytes_out() -> None:
    first, second = await post(), await post()

    assert await first.read(100_000) == await second.read(100_000)


async def test_a_stream_gives_a_word_per_frame_then_usage_then_done() -> None:
    reply = await post(stream=True, stream_options={"include_usage": True})

    frames = [frame async for frame in reply.chunks()]
    chunks = [ChatCompletionChunk.model_validate_json(frame[6:]) for frame in frames[:-1]]

    assert frames[-1] == b"data: [DONE]\n\n"
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert words == ["", "Cats", " purr", " when", " they", " are", " content.", " [a.md]", None]
    assert chunks[-1].usage is not None
    assert chunks[-2].choices[0].finish_reason == "stop"


async def test_usage_is_left_out_of_a_stream_that_does_not_ask() -> None:
    reply = await post(stream=True)

    assert b'"usage"' not in b"".join([frame async for frame in reply.chunks()])


async def test_a_token_limit_cuts_the_answer_between_words() -> None:
    reply = await post(max_tokens=3)

    choice = ChatCompletion.model_validate_json(await reply.read(100_000)).choices[0]

    assert (choice.message.content, choice.finish_reason) == ("Cats purr when", "length")


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": "gpt-5"}, 404, "model"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": 7}]}, 400, "messages[0].role"),
        ({"n": 2}, 400, "n"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"response_format": {"type": "json_object"}}, 400, "response_format"),
        (
            {"model": "extract-small", "messages": [{"role": "user", "content": "word " * 40_000}]},
            400,
            "messages",
        ),
    ],
)
async def test_what_cannot_be_served_is_refused_with_the_field_at_fault(
    fields: dict[str, object], status: int, param: str
) -> None:
    reply = await post(**fields)

    error = json.loads(await reply.read(100_000))["error"]

    assert (reply.status, error["param"], error["type"]) == (status, param, "invalid_request_error")


@pytest.mark.parametrize("body", [b"", b"{", b'{"model":"extract-small"}', b"[" * 100_000, b"\xff"])
async def test_a_malformed_body_is_a_bad_request(body: bytes) -> None:
    reply = await send(body)

    assert reply.status == 400
    assert json.loads(await reply.read(100_000))["error"]["message"]


async def test_models_are_listed_and_other_paths_are_not_found() -> None:
    models = await send(b"", method="GET", url="http://offline.invalid/v1/models")
    other = await send(b"{}", url="http://offline.invalid/v1/images")

    listed = [model["id"] for model in json.loads(await models.read(100_000))["data"]]
    assert listed == ["extract-large", "extract-small", "hash-256"]
    assert other.status == 404
