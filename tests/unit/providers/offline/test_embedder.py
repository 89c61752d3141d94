"""Vectors of hashed words, read by the official SDK's types."""

import base64
import json
import struct

import pytest
from openai.types import CreateEmbeddingResponse

from sternpost.contracts.upstream import UpstreamRequest
from sternpost.providers.offline.client import OfflineClient
from sternpost.providers.offline.embedder import embed


async def post(**fields: object) -> tuple[int, bytes]:
    body = json.dumps({"model": "hash-256", "input": "a rope", **fields}).encode()
    request = UpstreamRequest("POST", "offline://sternpost/v1/embeddings", {}, body, 5.0, 60.0)
    reply = await OfflineClient().send(request)
    return reply.status, await reply.read(10_000_000)


def nearness(a: str, b: str) -> float:
    return sum(x * y for x, y in zip(embed(a), embed(b), strict=True))


def test_texts_that_share_words_are_near_and_others_are_not() -> None:
    assert nearness("The winch lifts anchors.", "Anchors lifted by the winch") == pytest.approx(1.0)
    assert nearness("The winch lifts anchors.", "The winch lifts a sail.") > 0.4
    assert abs(nearness("The winch lifts anchors.", "Tea is served at four.")) < 0.3


@pytest.mark.parametrize("text", ["rope", "the", "", "\u30a6\u30a4\u30f3\u30c1", "word " * 10_000])
def test_every_vector_has_length_one_and_is_the_same_again(text: str) -> None:
    assert sum(value * value for value in embed(text)) == pytest.approx(1.0)
    assert embed(text) == embed(text)


async def test_both_encodings_hold_the_same_numbers() -> None:
    _, plain = await post(input=["a rope", "a drum"])
    _, packed = await post(input=["a rope", "a drum"], encoding_format="base64")
    reply = CreateEmbeddingResponse.model_validate_json(plain)
    numbers = [struct.unpack("<256f", base64.b64decode(i["embedding"])) for i in json.loads(packed)["data"]]

    assert [item.index for item in reply.data] == [0, 1]
    assert reply.usage.total_tokens > 0
    for item, unpacked in zip(reply.data, numbers, strict=True):
        assert item.embedding == pytest.approx(unpacked, abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"input": [[1, 2]]}, 400), ({"input": []}, 400), ({"input": ["x"] * 2_049}, 400),
        ({"dimensions": 12}, 400), ({"encoding_format": "hex"}, 400), ({"model": "extract-large"}, 404),
    ],
)  # fmt: skip
async def test_what_it_can_not_do_is_refused_as_openai_would(fields: dict[str, object], status: int) -> None:
    got, body = await post(**fields)
    assert got == status
    assert json.loads(body)["error"]["message"]
