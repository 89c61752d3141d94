"""Token counts, embeddings and answers that nobody translated, as Gemini's documentation shows them."""

import json
from pathlib import Path
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.message import Message, TextPart
from sternpost.contracts.provider import STANDARD, Provider, Quirks
from sternpost.contracts.usage import Usage, UsageSource
from sternpost.dialects.gemini.count_tokens import GeminiCounter
from sternpost.dialects.openai_chat import embeddings
from sternpost.dialects.registry import EMBEDDERS, UPSTREAM_CODECS
from sternpost.dialects.usage_shapes import summarise
from sternpost.gateway.stages.pass_through_request import base_for
from tests.unit.dialects.wire import FIXTURES

FOLDER: Path = FIXTURES / "gemini"
EMBEDDER = EMBEDDERS["gemini"]
STREAMED = Usage(in_fresh=8, out_text=28, out_reasoning=20)


def head_of(**fields: Any) -> Any:
    return embeddings.read_head(json.dumps({"model": "gemini/m", "input": "rope", **fields}).encode())


def test_a_count_is_asked_for_as_each_host_takes_it() -> None:
    request = ChatRequest("m", (Message("user", (TextPart("hi"),)),), end_user="ada", max_output_tokens=5)
    gemini = json.loads(GeminiCounter().write(request, quirks=STANDARD, facts=None).body)
    vertex = json.loads(GeminiCounter().write(request, quirks=Quirks(is_vertex=True), facts=None).body)
    contents = [{"role": "user", "parts": [{"text": "hi"}]}]
    config = {"maxOutputTokens": 5}
    whole = {"model": "models/m", "contents": contents, "generationConfig": config}
    assert gemini == {"generateContentRequest": whole}
    assert vertex == {"contents": contents, "generationConfig": config}
    assert GeminiCounter().path("m", STANDARD) == "/models/m:countTokens"
    assert GeminiCounter().read(b'{"totalTokens": 7}') == 7
    with pytest.raises(BadRequest):
        GeminiCounter().read(b"{}")


def test_every_text_is_a_request_of_its_own() -> None:
    head = head_of(input=["rope", "drum"], dimensions=64, input_type="document", title="T", extra=1)
    written = EMBEDDER.write(head, "gemini-embedding-001", STANDARD)
    asked = json.loads(written.body)["requests"]
    config = {"taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 64, "title": "T"}
    assert asked == [
        {
            "model": "models/gemini-embedding-001",
            "content": {"parts": [{"text": text}]},
            "embedContentConfig": config,
        }
        for text in ("rope", "drum")
    ]
    assert written.dropped == ("extra",)
    assert EMBEDDER.path("m", STANDARD) == "/models/m:batchEmbedContents"


def test_vectors_are_counted_and_usage_is_estimated_where_none_is_told() -> None:
    body = b'{"embeddings": [{"values": [0.5, 0.25]}]}'
    vectors = EMBEDDER.read(body, head_of(input="x" * 45), STANDARD)
    assert (vectors.count, vectors.dimensions) == (1, 2)
    assert vectors.summary.usage == Usage(in_fresh=10, source=UsageSource.ESTIMATED)  # 45 bytes / 4.5
    told = EMBEDDER.read(
        body[:-1] + b', "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}', head_of(), STANDARD
    )
    assert told.summary.usage == Usage(in_fresh=3)


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings": []}', b"<html>"])
def test_an_answer_without_vectors_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        EMBEDDER.read(body, head_of(), STANDARD)


def test_usage_of_an_untranslated_answer_is_found_in_all_three_forms() -> None:
    stream = (FOLDER / "thinking_tools.sse").read_bytes()
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in stream.split(b"\r\n\r\n") if frame]
    as_array = json.dumps(chunks, indent=2).encode()
    for body, is_stream in ((stream, True), (as_array, False), (json.dumps(chunks[-1]).encode(), False)):
        found = summarise(body, STANDARD, is_stream=is_stream)
        assert (found.usage, found.model) == (STREAMED, "gemini-3.8-flash")
    assert summarise(stream[:-40], STANDARD, is_stream=True).usage is not None  # a stream that was cut
    assert summarise(as_array[:-9], STANDARD, is_stream=False).usage is None


@pytest.mark.parametrize(
    ("dialect", "base", "path", "found"),
    [
        ("gemini", "https://g/v1beta", "/models/m:generateContent", "https://g/v1beta"),
        ("gemini", "https://g/v1beta", "/v1beta/models/m:generateContent", "https://g"),
        ("gemini", "https://g/v1beta", "/v1/models/m:generateContent", "https://g"),
        ("gemini", "https://g/v1beta", "/upload/v1beta/files", "https://g"),
        ("gemini", "https://g/v1/projects/p/locations/l/publishers/google", "/v1beta1/projects/p/x", "https://g"),
        ("gemini", "https://g/gate/v1beta", "/v1beta/models", "https://g/gate"),
        ("gemini", "https://g", "/v1beta/models", "https://g"),
        ("openai_chat", "https://o/v1", "/v1/models", "https://o/v1"),
    ],
)  # fmt: skip
def test_a_version_in_the_path_replaces_that_of_the_address(
    dialect: Any, base: str, path: str, found: str
) -> None:
    assert base_for(Provider("p", "P", dialect, base), UPSTREAM_CODECS[dialect], path) == found
