"""Usage of replies that nobody translated, in the shapes of the vendors' documentation."""

import json
from dataclasses import replace

import pytest

from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.embeddings import read_vectors
from sternpost.dialects.usage_shapes import summarise
from tests.unit.dialects.wire import fixture

RESPONSES = {
    "model": "gpt-5",
    "usage": {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 10},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 39,
    },
}
RESPONSES_USAGE = Usage(in_fresh=20, in_cache_read=10, out_text=5, out_reasoning=4)


@pytest.mark.parametrize(
    ("reply", "usage"),
    [
        ({"model": "m", "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}},
         Usage(in_fresh=5, out_text=2)),
        ({"model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5}}, Usage(in_fresh=5)),
        ({"model": "m", "usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 2}},
         Usage(in_fresh=5, in_cache_read=3, out_text=2)),
        ({"model": "m", **RESPONSES}, RESPONSES_USAGE),
        ({"id": "c", "usage": {"billed_units": {"input_tokens": 5, "output_tokens": 2},
                               "tokens": {"input_tokens": 71, "output_tokens": 2}}},
         Usage(in_fresh=5, out_text=2)),
        ({"id": "c", "results": [], "meta": {"billed_units": {"search_units": 1}}},
         Usage(units={"search_units": 1})),
        ({"data": [], "usage": {"input_tokens": 55, "output_tokens": 900, "total_tokens": 955,
                                "input_tokens_details": {"text_tokens": 5, "image_tokens": 50}}},
         Usage(in_fresh=5, in_image=50, out_image=900)),
        ({"data": [], "usage": {"input_tokens": 5, "output_tokens": 910, "total_tokens": 915,
                                "input_tokens_details": {"text_tokens": 5, "image_tokens": 0},
                                "output_tokens_details": {"text_tokens": 10, "image_tokens": 900}}},
         Usage(in_fresh=5, out_text=10, out_image=900)),
        ({"text": "Hi", "usage": {"input_tokens": 14, "output_tokens": 3, "total_tokens": 17,
                                  "input_token_details": {"text_tokens": 4, "audio_tokens": 10}}},
         Usage(in_fresh=4, in_audio=10, out_text=3)),
        ({"model": "m", "usage": {"type": "duration", "seconds": 3}}, None),
        ({"model": "m", "usage": None}, None),
        ({"data": []}, None),
    ],
)  # fmt: skip
def test_a_whole_reply_is_read_by_its_shape(reply: object, usage: Usage | None) -> None:
    assert summarise(json.dumps(reply).encode(), STANDARD, is_stream=False).usage == usage


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_response_tells_its_tier_and_the_tools_that_ran_at_the_provider(is_stream: bool) -> None:
    search = {"type": "web_search_call", "action": {"type": "search"}}
    whole = {**RESPONSES, "service_tier": "flex", "output": [search, {"type": "message", "content": []}]}
    begun = {"type": "response.created", "response": {"model": "gpt-5", "service_tier": "auto", "output": []}}
    ended = {"type": "response.completed", "response": whole}
    frames = [f"data: {json.dumps(event)}\n\n".encode() for event in (begun, ended)]
    body = b"".join(frames) if is_stream else json.dumps(whole).encode()
    expected = replace(RESPONSES_USAGE, service_tier="flex", units={"web_search": 1})
    assert summarise(body, STANDARD, is_stream=is_stream).usage == expected


def test_streams_of_three_vendors_are_read_at_their_end() -> None:
    chat = (
        b'data: {"model":"m","usage":null}\n\ndata: {"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
    )
    claude = (
        b'event: message_start\ndata: {"type":"message_start","message":{"model":"c","usage":'
        b'{"input_tokens":5,"output_tokens":1}}}\n\n'
        b'event: message_delta\ndata: {"usage":{"output_tokens":8}}\n\n'
    )
    responses = (
        b"data: " + json.dumps({"type": "response.completed", "response": RESPONSES}).encode() + b"\n\n"
    )

    found = [summarise(body, STANDARD, is_stream=True) for body in (chat, claude, responses)]

    assert [one.model for one in found] == ["m", "c", "gpt-5"]
    assert [one.usage for one in found] == [
        Usage(in_fresh=5, out_text=2), Usage(in_fresh=5, out_text=8), RESPONSES_USAGE,
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"{" * 5000, b'{"usage": 7}', b"\xff"])
def test_bytes_of_any_kind_are_no_error(body: bytes) -> None:
    for is_stream in (True, False):
        assert summarise(body, STANDARD, is_stream=is_stream).usage is None


@pytest.mark.parametrize(
    ("vector", "dimensions"),
    [(b"[0.5, -1e-3,2]", 3), (b"[]", 0), (b'"AAAAAAAAgD8="', 2), (b'"AACAPw=="', 1), (b'{"x":1}', 0)],
)
def test_dimensions_are_counted_in_either_encoding(vector: bytes, dimensions: int) -> None:
    body = b'{"data":[{"index":0,"embedding":' + vector + b"}]}"
    assert read_vectors(body, STANDARD).dimensions == dimensions


def test_a_stream_of_coheres_tells_its_usage_at_its_end() -> None:
    summary = summarise(fixture("cohere/text.sse"), STANDARD, is_stream=True)
    assert summary.usage == Usage(in_fresh=9, in_cache_read=8, out_text=12)


def test_lines_of_ollamas_tell_their_usage_in_the_last() -> None:
    summary = summarise(fixture("ollama/thinking.ndjson"), STANDARD, is_stream=False)
    assert (summary.usage, summary.model) == (Usage(in_fresh=26, out_text=282), "qwen3")
