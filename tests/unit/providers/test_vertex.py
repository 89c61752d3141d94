"""Tokens for Vertex AI: fetched once, renewed in time, and clear words where there are none."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sternpost.base.errors import ConfigurationError, CredentialsUnavailable
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest
from sternpost.providers.configure import ProviderSetting, configure
from sternpost.providers.vertex import VertexSigner
from tests.support.fake_google_tokens import TokenServer, start_token_server

REQUEST = UpstreamRequest("POST", "http://h/", {}, b"", 1.0, 1.0)


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with start_token_server() as server:
        yield server


def provider_with(file: Path | str) -> Provider:
    return Provider("vertex", "Vertex AI", "gemini", "http://h", options={"credentials_file": str(file)})


async def test_a_token_serves_many_calls_and_is_fetched_once(tokens: TokenServer, tmp_path: Path) -> None:
    signer = VertexSigner(provider_with(tokens.write_key_file(tmp_path / "key.json")))
    signed = await asyncio.gather(*(signer.sign(REQUEST) for _ in range(20)))
    assert {one["authorization"] for one in signed} == {"Bearer ya29.lab-1"}
    assert len(tokens.issued) == 1


async def test_a_token_is_renewed_before_it_ends(tokens: TokenServer, tmp_path: Path) -> None:
    tokens.lives_s = 200  # less than the five minutes before the end
    signer = VertexSigner(provider_with(tokens.write_key_file(tmp_path / "key.json")))
    first = await signer.sign(REQUEST)
    second = await signer.sign(REQUEST)
    assert (first["authorization"], second["authorization"]) == ("Bearer ya29.lab-1", "Bearer ya29.lab-2")


async def test_a_refused_token_is_replaced(tokens: TokenServer, tmp_path: Path) -> None:
    signer = VertexSigner(provider_with(tokens.write_key_file(tmp_path / "key.json")))
    await signer.sign(REQUEST)
    assert await signer.renew()
    assert (await signer.sign(REQUEST))["authorization"] == "Bearer ya29.lab-2"


async def test_an_account_that_google_refuses_is_explained(tokens: TokenServer, tmp_path: Path) -> None:
    with start_token_server() as other:
        file = other.write_key_file(tmp_path / "key.json", token_uri=tokens.url)  # signed by another key
        signer = VertexSigner(provider_with(file))
        with pytest.raises(
            CredentialsUnavailable, match="invalid_grant: Invalid JWT Signature; set"
        ) as raised:
            await signer.sign(REQUEST)
        assert not await signer.renew()
    assert "127.0.0.1" not in raised.value.message


@pytest.mark.parametrize("content", [None, "{}", "no json", '{"type": "service_account"}'])
async def test_a_file_that_is_no_account_is_explained(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(CredentialsUnavailable, match="set `credentials_file`"):
        await VertexSigner(provider_with(file)).sign(REQUEST)


async def test_without_googles_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)  # as when it is not installed
    with pytest.raises(CredentialsUnavailable, match=r"pip install 'sternpost\[vertex\]'"):
        await VertexSigner(provider_with("")).sign(REQUEST)


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google"),
        (
            {"region": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google",
        ),
        (
            {"region": "eu"},
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google",
        ),
    ],
)
def test_each_location_has_its_address(options: dict[str, str], url: str) -> None:
    setting = ProviderSetting("vertex", options={"project": "p", **options})
    provider = configure([setting], {}).providers["vertex"]
    assert (provider.base_url, provider.auth, provider.is_known_only) == (url, "google_oauth", False)


def test_a_project_is_needed_and_may_come_from_the_environment() -> None:
    with pytest.raises(ConfigurationError, match="its address needs `project`"):
        configure([ProviderSetting("vertex")], {})
    found = configure([ProviderSetting("vertex")], {"GOOGLE_CLOUD_PROJECT": "p2"}).providers["vertex"]
    assert "/projects/p2/" in found.base_url


def test_a_token_of_somebody_else_is_sent_as_it_is() -> None:
    setting = ProviderSetting("vertex", api_key="ya29.x", options={"project": "p"})
    assert configure([setting], {}).providers["vertex"].auth == "bearer"
