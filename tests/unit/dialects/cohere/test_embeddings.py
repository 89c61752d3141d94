"""Embeddings: OpenAI's question in Cohere's words, and its answer in OpenAI's."""

import base64
import json
import struct
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.embeddings import read_head
from sternpost.dialects.registry import EMBEDDERS

EMBEDDER = EMBEDDERS["cohere"]


def head(**fields: Any) -> Any:
    return read_head(json.dumps({"model": "cohere/embed-v4.0", "input": "hi", **fields}).encode())


def sent(**fields: Any) -> dict[str, Any]:
    return json.loads(EMBEDDER.write(head(**fields), "embed-v4.0", STANDARD).body)


def test_a_text_is_a_document_unless_it_is_called_a_query_and_is_never_cut() -> None:
    assert sent() == {
        "model": "embed-v4.0",
        "input_type": "search_document",
        "texts": ["hi"],
        "embedding_types": ["float"],
        "truncate": "NONE",
    }
    assert sent(input=["a", "b"], input_type="search_query")["input_type"] == "search_query"


def test_size_and_encoding_have_coheres_names() -> None:
    body = sent(dimensions=256, encoding_format="base64", truncate="END")
    assert (body["output_dimension"], body["embedding_types"], body["truncate"]) == (256, ["base64"], "END")
    assert sent(embedding_types=["int8"])["embedding_types"] == ["int8"]
    assert EMBEDDER.write(head(user="ada"), "m", STANDARD).dropped == ("user",)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [1, 2, 3]}, "input"),
        ({"input_type": "passage"}, "input_type"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"embedding_types": ["float", "int8"]}, "embedding_types"),
        ({"truncate": "yes"}, "truncate"),
    ],
)
def test_what_cohere_can_not_take_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        sent(**fields)
    assert caught.value.param == param


def reply(**embeddings: Any) -> bytes:
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 3}}
    return json.dumps({"id": "e", "embeddings": embeddings, "texts": ["hi"], "meta": meta}).encode()


def test_vectors_are_shown_as_openai_shows_them() -> None:
    body = reply(float=[[0.1, 0.25], [1e-7, 2]])
    vectors = EMBEDDER.read(body, head(), STANDARD)
    assert json.loads(vectors.shown) == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.1, 0.25]},
            {"object": "embedding", "index": 1, "embedding": [1e-7, 2]},
        ],
        "model": "cohere/embed-v4.0",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    assert (vectors.count, vectors.dimensions) == (2, 2)
    assert vectors.summary.usage == Usage(in_fresh=3)


def test_packed_and_encoded_vectors_are_counted_by_dimensions() -> None:
    packed = base64.b64encode(struct.pack("<3f", 1, 2, 3)).decode()
    assert EMBEDDER.read(reply(base64=[packed]), head(), STANDARD).dimensions == 3
    assert EMBEDDER.read(reply(ubinary=[[1, 2]]), head(), STANDARD).dimensions == 16
    assert EMBEDDER.read(reply(int8=[[1, -2]], float=None), head(), STANDARD).dimensions == 2


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"embeddings":{}}', b'{"embeddings":{"float":[]}}', b"<html>"]
)
def test_a_reply_without_vectors_is_none(body: bytes) -> None:
    with pytest.raises(BadRequest):
        EMBEDDER.read(body, head(), STANDARD)
