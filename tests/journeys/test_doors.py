"""Every surface lets nobody in before the key is known, and its refusal reaches who is still sending."""

import io
import socket
from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.support.running import RunningSternpost

LARGE = b"x" * 30_000_000
SURFACES = [
    "/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/messages/count_tokens",
    "/v1/moderations", "/v1/audio/transcriptions", "/v1/files", "/v1/batches", "/v1/providers/lab/files",
    "/v1/traces", "/api/public/otel/v1/traces", "/api/keys", "/api/traces/x/scores", "/api/nothing",
]  # fmt: skip
BEYOND_THE_KEY = {"/v1/providers/lab/files", "/api/keys", "/api/nothing"}  # refused for its scopes


def _says(server: RunningSternpost, path: str, headers: str) -> bytes:
    """Announce a body, send none of it, and return what comes back."""
    port = int(server.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\n{headers}content-length: 900000000\r\n\r\n".encode())
        return line.recv(65_536)


@pytest.mark.parametrize("path", SURFACES)
def test_a_stranger_is_refused_before_the_body(sternpost_server: RunningSternpost, path: str) -> None:
    answer = _says(sternpost_server, path, "host: localhost\r\nauthorization: Bearer sp-stranger\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"x-content-type-options: nosniff" in answer


@pytest.mark.parametrize("path", [path for path in SURFACES if path not in BEYOND_THE_KEY] + ["/api/session"])
def test_a_body_too_large_is_refused_before_it_comes(sternpost_server: RunningSternpost, path: str) -> None:
    key = f"host: localhost\r\nauthorization: Bearer {sternpost_server.key}\r\n"
    assert _says(sternpost_server, path, key).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/session", "/v1/models", "/v1/traces"])
def test_a_page_of_another_name_is_refused_everywhere(sternpost_server: RunningSternpost, path: str) -> None:
    status, _, answer = sternpost_server.request("GET", path, headers={"host": "evil.example"})
    assert (status, "STERNPOST_ALLOWED_HOSTS" in str(answer)) == (421, True)


@pytest.fixture
def stranger(sternpost_server: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key="sp-stranger", max_retries=0
    ) as made:
        yield made


def test_openais_sdk_sees_the_refusal_in_the_middle_of_its_upload(stranger: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError, match="is unknown"):
        stranger.files.create(file=("a.jsonl", io.BytesIO(LARGE)), purpose="batch")
    with pytest.raises(openai.AuthenticationError, match="is unknown"):
        stranger.chat.completions.create(
            model="lab/m1", messages=[{"role": "user", "content": LARGE.decode()}]
        )


def test_anthropics_sdk_sees_that_its_body_is_too_large(sternpost_server: RunningSternpost) -> None:
    message: anthropic.types.MessageParam = {"role": "user", "content": LARGE.decode() * 2}
    with anthropic.Anthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key, max_retries=0
    ) as client:
        with pytest.raises(anthropic.APIStatusError) as refused:
            client.messages.create(model="lab/m1", max_tokens=5, messages=[message])
        assert refused.value.status_code == 413


def test_the_api_says_that_nothing_is_to_be_kept_or_framed(sternpost_server: RunningSternpost) -> None:
    _, api, _ = sternpost_server.request("GET", "/api/status")
    _, page, _ = sternpost_server.request("GET", "/")
    assert (api["cache-control"], page["cache-control"]) == ("no-store", "no-cache")
    for headers in (api, page):
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
