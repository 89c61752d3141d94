"""Bodies of calls: the key first, packed ones unpacked whole, and none that holds all other calls up."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard

from tests.unit.gateway.conftest import ASK, Gateway

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
EMBEDDINGS, SPEECH, PASSED = "/v1/embeddings", "/v1/audio/speech", "/v1/providers/lab/chat/completions"
COUNT = "/v1/messages/count_tokens"
BODIES = {
    CHAT: {"model": "lab/m1", "messages": ASK},
    MESSAGES: {"model": "labant/m1", "messages": ASK, "max_tokens": 9},
    COUNT: {"model": "labant/m1", "messages": ASK},
    RESPONSES: {"model": "lab/m1", "input": "What is a forklift?"},
    EMBEDDINGS: {"model": "lab/m1", "input": "forklift"},
    SPEECH: {"model": "lab/m1", "input": "forklift"},
    PASSED: {"model": "m1", "messages": ASK},
}
PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("coding", PACKERS)
async def test_a_packed_body_is_passed_on_unpacked(gateway: Gateway, path: str, coding: str) -> None:
    packed = PACKERS[coding](json.dumps(BODIES[path]).encode())
    answer = await gateway.post(path, packed, content_encoding=coding, content_type="application/json")
    assert answer.status == 200, answer.body
    (seen,) = gateway.provider.requests()
    assert json.loads(seen["body"])["model"] == "m1"
    assert "content-encoding" not in seen["headers"]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (gzip.compress(b"{}", mtime=0)[:-1], "gzip", 400),
        (zstandard.compress(b"{}")[:-1], "zstd", 400),
        (b"{}", "br", 415),
        (gzip.compress(b" " * 60_000_000, mtime=0), "gzip", 413),
    ],
)
async def test_a_packed_body_that_is_not_whole_is_refused(
    gateway: Gateway, path: str, body: bytes, coding: str, status: int
) -> None:
    answer = await gateway.post(path, body, content_encoding=coding)
    assert answer.status == status
    assert answer.json["error"]["message"]
    assert gateway.provider.requests() == []
    assert gateway.record().http_status == status


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(("key", "status"), [("sp-nobody", 401), ("sp-one", 413)])
async def test_a_body_is_not_read_before_the_key_is_known_nor_beyond_its_limit(
    gateway: Gateway, path: str, key: str, status: int
) -> None:
    """The body waits until the answer is there: were it awaited, neither would come."""
    is_answered = asyncio.Event()

    async def late() -> AsyncIterator[bytes]:
        yield b"{"
        await is_answered.wait()

    headers = {
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "content-length": "60000000",
    }
    reply = await gateway.session.post(gateway.url + path, data=late(), headers=headers)
    assert reply.status == status
    is_answered.set()
    reply.close()
    assert gateway.provider.requests() == []


@pytest.mark.parametrize("path", [path for path in BODIES if path != PASSED])
@pytest.mark.parametrize("shape", ["top", "nested", "values", "deep"])
async def test_a_body_of_too_many_values_is_refused(gateway: Gateway, path: str, shape: str) -> None:
    many = {
        "top": ",".join(f'"f{number}":1' for number in range(2000)),
        "nested": '"metadata":[' + ",".join(['{"a":1,"b":2}'] * 60_000) + "]",
        "values": '"metadata":[' + ",".join(["1"] * 1_100_000) + "]",
        "deep": '"metadata":' + "[" * 100_000 + "]" * 100_000,
    }[shape]
    body = json.dumps(BODIES[path])[:-1] + "," + many + "}"
    answer = await gateway.post(path, gzip.compress(body.encode(), 1), content_encoding="gzip")
    assert answer.status == 400
    assert any(words in answer.json["error"]["message"] for words in ("more than", "too deeply"))
    assert gateway.provider.requests() == []


async def test_a_long_text_full_of_json_is_no_body_of_many_values(gateway: Gateway) -> None:
    text = '{"a":1}' * 60_000 + ":" * 50_000  # more marks than a body may have, none of them its own
    body = json.dumps({"model": "lab/m1", "messages": [{"role": "user", "content": text}]}).encode()
    answer = await gateway.post(CHAT, gzip.compress(body, 1), content_encoding="gzip")
    assert answer.status == 200


@pytest.mark.parametrize("path", BODIES)
async def test_a_models_name_has_a_length(gateway: Gateway, path: str) -> None:
    body = json.dumps({**BODIES[path], "model": "lab/" + "m" * 100_000}).encode()
    answer = await gateway.post(path, body, content_type="application/json")
    assert (answer.status, answer.json["error"]["message"][:6]) == (400, "model:")
    assert gateway.provider.requests() == []


async def test_a_models_name_in_a_form_has_a_length(gateway: Gateway) -> None:
    head = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nlab/m1'
    body = head + b"-" * 900_000 + b"\r\n--x--"
    answer = await gateway.post(
        "/v1/audio/transcriptions", body, content_type="multipart/form-data; boundary=x"
    )
    assert (answer.status, answer.json["error"]["message"][:6]) == (400, "model:")
