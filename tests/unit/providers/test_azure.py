"""Azure OpenAI: both styles of address, deployments with facts, and Entra tokens got once and in time."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import pytest

from sternpost.base.clock import ManualClock
from sternpost.base.errors import ConfigurationError, CredentialsUnavailable
from sternpost.contracts.provider import Provider
from sternpost.contracts.upstream import UpstreamRequest
from sternpost.gateway.stages.route import url_at
from sternpost.providers.azure import EntraSigner, entra_signer
from sternpost.providers.configure import ProviderSetting, configure

REQUEST = UpstreamRequest("POST", "https://r.openai.azure.com/openai/v1/chat/completions", {}, b"", 1, 1)
V1 = "https://r.openai.azure.com/openai/v1/chat/completions"
DATED = "https://r.openai.azure.com/openai/deployments/gpt%2F5/chat/completions?api-version=2024-10-21"


def azure(**options: str) -> Provider:
    setting = ProviderSetting("azure", api_key="k", options=options)
    return configure([setting], {}).providers["azure"]


def test_the_address_is_made_of_the_resource() -> None:
    provider = azure(resource="r")
    assert url_at(provider, "gpt-5", "/chat/completions") == V1
    assert provider.also_speaks == ("openai_responses",)
    assert provider.auth == "api-key"


def test_a_dated_version_puts_the_deployment_into_the_path() -> None:
    provider = azure(resource="r", api_version="2024-10-21")
    assert url_at(provider, "gpt/5", "/chat/completions") == DATED
    assert provider.also_speaks == ()  # its Responses stand at another path


@pytest.mark.parametrize("ending", ["", "/", "/openai", "/openai/", "/openai/v1", "/openai/v1/"])
@pytest.mark.parametrize(("version", "url"), [("", "/openai/v1"), ("2024-10-21", "/openai")])
def test_an_own_address_works_with_whichever_ending_it_was_copied(
    ending: str, version: str, url: str
) -> None:
    options = {"api_version": version} if version else {}
    setting = ProviderSetting("azure", base_url=f"https://r.openai.azure.us{ending}", options=options)
    provider = configure([setting], {}).providers["azure"]
    assert provider.base_url == f"https://r.openai.azure.us{url}"


def test_the_endpoint_and_the_key_of_the_environment_are_enough() -> None:
    environment = {"AZURE_OPENAI_ENDPOINT": "https://e.openai.azure.com/", "AZURE_OPENAI_API_KEY": "k"}
    found = configure([], environment).providers["azure"]
    assert (found.base_url, found.is_known_only) == ("https://e.openai.azure.com/openai/v1", False)

    named = ProviderSetting("azure", options={"resource": "r"})
    assert (
        configure([named], environment).providers["azure"].base_url == "https://r.openai.azure.com/openai/v1"
    )
    assert configure([], {"AZURE_OPENAI_ENDPOINT": "nonsense"}).providers["azure"].is_known_only


def test_without_a_key_entra_signs() -> None:
    provider = configure([ProviderSetting("azure", options={"resource": "r"})], {}).providers["azure"]
    assert (provider.auth, provider.is_known_only) == ("azure_entra", False)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (ProviderSetting("azure", api_key="k"), "resource"),
        (ProviderSetting("azure", api_key="k", options={"resource": "a/b"}), "resource"),
        (ProviderSetting("azure", options={"resource": "r", "api_version": "latest"}), "2024-10-21"),
        (ProviderSetting("azure", base_url="https://r/openai/deployments/d"), "/openai/v1"),
        (ProviderSetting("azure", base_url="https://r/?api-version=1"), "/openai/v1"),
        (ProviderSetting("west", like="azur"), "'azure'"),
        (ProviderSetting("openai", like="azure"), "another name"),
    ],
)
def test_a_mistake_in_the_file_is_named(setting: ProviderSetting, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configure([setting], {})
    assert says in str(caught.value)


def test_a_deployment_has_the_facts_of_the_model_it_is() -> None:
    setting = ProviderSetting("azure", options={"resource": "r"}, deployments={"prod": "gpt-5-mini"})
    models = configure([setting], {}).models
    assert models["azure/prod"].context_tokens == models["openai/gpt-5-mini"].context_tokens
    assert models["azure/prod"].rejects == models["openai/gpt-5-mini"].rejects


def test_a_second_resource_is_another_account_of_the_same_host() -> None:
    settings = [
        ProviderSetting("azure", options={"resource": "west"}),
        ProviderSetting("azure-east", like="azure", options={"resource": "east"}, deployments={"d": "gpt-5"}),
    ]
    catalog = configure(settings, {})
    east = catalog.providers["azure-east"]
    assert east.base_url == "https://east.openai.azure.com/openai/v1"
    assert (east.price_provider, east.auth) == ("azure", "azure_entra")
    assert "azure-east/d" in catalog.models


@dataclass
class Granted:
    token: str
    expires_on: int


@dataclass
class Source:
    """A credential of the shape all of azure-identity's have; slow, and counted."""

    clock: ManualClock
    life_s: float = 3600.0
    fails: bool = False
    calls: int = 0
    scopes: list[str] = field(default_factory=list[str])
    gate: threading.Event = field(default_factory=threading.Event)

    def get_token(self, *scopes: str) -> Granted:
        self.calls += 1
        self.scopes += scopes
        self.gate.wait(5)
        if self.fails:
            raise RuntimeError("AADSTS700016: tenant 1234 secret-words")
        return Granted(f"token-{self.calls}", int(self.clock.now_ns() / 1e9 + self.life_s))


@pytest.fixture
def source() -> Source:
    made = Source(ManualClock())
    made.gate.set()
    return made


def signer_of(source: Source) -> EntraSigner:
    return EntraSigner("azure", "scope", lambda: source, source.clock)


async def test_many_calls_wait_for_one_token(source: Source) -> None:
    source.gate.clear()
    signer = signer_of(source)
    asking = [asyncio.create_task(signer.sign(REQUEST)) for _ in range(20)]
    await asyncio.sleep(0)
    source.gate.set()
    signed = await asyncio.gather(*asking)
    assert signed == [{"authorization": "Bearer token-1"}] * 20
    assert (source.calls, source.scopes) == (1, ["scope"])


async def test_a_caller_who_leaves_does_not_fail_those_who_wait(source: Source) -> None:
    source.gate.clear()
    signer = signer_of(source)
    leaving = asyncio.create_task(signer.sign(REQUEST))
    staying = asyncio.create_task(signer.sign(REQUEST))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert await staying == {"authorization": "Bearer token-1"}


async def test_a_token_is_renewed_before_it_ends_while_the_old_one_serves(source: Source) -> None:
    signer = signer_of(source)
    await signer.sign(REQUEST)
    source.clock.advance(3400)
    source.gate.clear()
    assert await signer.sign(REQUEST) == {"authorization": "Bearer token-1"}
    source.gate.set()
    assert signer._fetching is not None
    await signer._fetching
    assert await signer.sign(REQUEST) == {"authorization": "Bearer token-2"}


async def test_an_ended_token_is_never_sent(source: Source) -> None:
    signer = signer_of(source)
    await signer.sign(REQUEST)
    source.clock.advance(3600)
    assert await signer.sign(REQUEST) == {"authorization": "Bearer token-2"}


async def test_a_refused_token_is_dropped_once_it_is_old(source: Source) -> None:
    signer = signer_of(source)
    await signer.sign(REQUEST)
    assert not await signer.renew()
    source.clock.advance(120)
    assert await signer.renew()
    assert await signer.sign(REQUEST) == {"authorization": "Bearer token-2"}


async def test_a_failure_says_what_to_do_and_is_not_repeated_by_every_call(source: Source) -> None:
    source.fails = True
    signer = signer_of(source)
    for _ in range(3):
        with pytest.raises(CredentialsUnavailable) as caught:
            await signer.sign(REQUEST)
        assert "az login" in caught.value.message
        assert "1234" not in caught.value.message
    assert source.calls == 1
    source.clock.advance(11)
    source.fails = False
    assert await signer.sign(REQUEST) == {"authorization": "Bearer token-2"}


async def test_without_any_credential_the_library_itself_is_asked_and_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # looks at the environment only
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    provider = configure([ProviderSetting("azure", options={"resource": "r"})], {}).providers["azure"]
    started_s = time.monotonic()
    with pytest.raises(CredentialsUnavailable, match="az login"):
        await entra_signer(provider).sign(REQUEST)
    assert time.monotonic() - started_s < 20


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "azure.identity", None)
    with pytest.raises(CredentialsUnavailable, match=r"sternpost\[azure\]"):
        await entra_signer(azure(resource="r")).sign(REQUEST)


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("r.openai.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("r.openai.azure.us", "https://cognitiveservices.azure.us/.default"),
        ("r.openai.azure.cn", "https://cognitiveservices.azure.cn/.default"),
        ("llm.corp.example", "https://cognitiveservices.azure.com/.default"),
    ],
)
def test_a_sovereign_cloud_has_a_scope_of_its_own(host: str, scope: str) -> None:
    setting = ProviderSetting("azure", base_url=f"https://{host}")
    assert entra_signer(configure([setting], {}).providers["azure"])._scope == scope
