"""The catalogue is readable and honest, and configuration joins it as the grammar says."""

from dataclasses import replace

import pytest

from sternpost.base.errors import ConfigurationError
from sternpost.providers.catalog import load_catalog
from sternpost.providers.configure import ProviderSetting, configure, price_names

HOSTS = load_catalog()


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_a_host_of_the_catalogue_says_how_it_is_reached(name: str) -> None:
    provider = HOSTS[name].provider
    is_local = "//127.0.0.1:" in provider.base_url or provider.base_url.startswith("offline://")
    assert provider.title
    assert not provider.base_url.endswith("/")
    assert is_local or provider.base_url.startswith("https://")
    assert is_local == (provider.key_variable == "")
    assert (provider.auth == "none") == is_local
    assert is_local or provider.docs_url.startswith("https://")
    assert len({facts.name for facts in HOSTS[name].models}) == len(HOSTS[name].models)


def test_a_key_in_the_environment_configures_a_host() -> None:
    catalog = configure([], {"GROQ_API_KEY": "gsk-1"})
    ready = [name for name, provider in catalog.providers.items() if not provider.is_known_only]
    assert ready == ["groq", "offline"]
    assert catalog.providers["groq"].api_key.value == "gsk-1"
    assert "gsk-1" not in repr(catalog)


def test_the_key_of_the_file_wins_over_the_environment() -> None:
    setting = ProviderSetting("openai", api_key="sk-file", is_key_expected=True)
    catalog = configure([setting], {"OPENAI_API_KEY": "sk-environment"})
    assert catalog.providers["openai"].api_key.value == "sk-file"


def test_a_key_of_the_file_is_not_said_to_come_from_a_variable() -> None:
    settings = [
        ProviderSetting("openai", api_key="sk-file", is_key_expected=True),
        ProviderSetting("groq", api_key="gsk", is_key_expected=True, key_variable="MY_GROQ"),
        ProviderSetting("lab", "openai_chat", "http://127.0.0.1:9/v1", "k", is_key_expected=True),
        ProviderSetting("vllm"),
    ]
    providers = configure(settings, {"MISTRAL_API_KEY": "m"}).providers
    places = {name: (providers[name].key_variable, providers[name].is_key_written) for name in providers}
    assert places["openai"] == ("", True)
    assert places["groq"] == ("MY_GROQ", False)
    assert places["lab"] == ("", True)
    assert places["vllm"] == ("", False)
    assert places["mistral"] == ("MISTRAL_API_KEY", False)


def test_an_unset_key_leaves_a_provider_known_only() -> None:
    settings = [
        ProviderSetting("anthropic", is_key_expected=True),
        ProviderSetting("lab", "openai_chat", "http://127.0.0.1:9/v1", is_key_expected=True),
        ProviderSetting("moved", "openai_chat", is_address_expected=True),
        ProviderSetting(
            "openai", api_key="k", is_address_expected=True
        ),  # not to the address of the catalogue
    ]
    providers = configure(settings, {}).providers
    assert [providers[s.name].is_known_only for s in settings] == [True, True, True, True]


def test_a_local_host_needs_no_key() -> None:
    providers = configure([ProviderSetting("ollama")], {}).providers
    assert not providers["ollama"].is_known_only
    assert providers["ollama"].auth == "none"


def test_a_local_host_with_a_key_sends_it() -> None:
    provider = configure([ProviderSetting("vllm", api_key="k", is_key_expected=True)], {}).providers["vllm"]
    assert (provider.auth, provider.api_key.value) == ("bearer", "k")


def test_a_custom_host_is_reached_by_its_dialect() -> None:
    setting = ProviderSetting("lab", "anthropic", "http://host:9000/v1/", "k", headers={"x-team": "a"})
    provider = configure([setting], {}).providers["lab"]
    assert (provider.base_url, provider.auth) == ("http://host:9000/v1", "x-api-key")
    assert provider.headers == {"x-team": "a"}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (ProviderSetting("opanai"), "'openai'"),
        (ProviderSetting("lab"), "dialect"),
        (ProviderSetting("lab", "openai_chat"), "give it a `base_url`"),
        (ProviderSetting("openai", "anthropic"), "another name"),
        (ProviderSetting("a/b", "openai_chat", "http://h/v1"), "without '/'"),
        (ProviderSetting("lab", "openai_chat", "sk-secret"), "http://"),
        (ProviderSetting("lab", "openai_chat", "http://u:sk-secret@h/v1"), "password"),
        (ProviderSetting("lab", "openai_chat", "http://"), "not a URL"),
        (ProviderSetting("lab", "openai_chat", "http://sk-secret h/v1"), "not a URL"),
        (ProviderSetting("lab", "openai_chat", "http://h:sk-secret/v1"), "not a URL"),
        (ProviderSetting("lab", "openai_chat", "http://h/v1", "sk-secret\nsk-2"), "api_key"),
        (ProviderSetting("lab", "openai_chat", "http://h/v1", headers={"x": "sk-secret\n"}), "headers"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_explained(setting: ProviderSetting, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        configure([setting], {})
    assert "sk-secret" not in str(raised.value)


def test_a_line_break_behind_a_key_is_no_part_of_it() -> None:
    setting = ProviderSetting("lab", "openai_chat", "http://h/v1", "sk-file\n", is_key_expected=True)
    providers = configure([setting], {"GROQ_API_KEY": "gsk-1\r\n"}).providers
    assert providers["lab"].api_key.value == "sk-file"
    assert providers["groq"].api_key.value == "gsk-1"


def test_price_names_are_given_where_they_differ() -> None:
    names = price_names(configure([], {}))
    assert names["xai"] == "x-ai"
    assert "openai" not in names


ELSEWHERE = [
    ("openai", "https://evil.example/v1"),
    ("openai", "http://api.openai.com/v1"),  # without encryption
    ("openai", "https://api.openai.com.evil.example/v1"),
    ("openai", "https://evilopenai.com/v1"),
    ("openai", "http://127.0.0.1:9000/v1"),
    ("anthropic", "https://evil.example/v1"),
    ("openrouter", "https://evil.ai/api/v1"),
    ("azure", "https://evil.cloudapp.azure.com"),
    ("gemini", "https://evil.example/v1beta"),
]


def variable_of(name: str) -> str:
    return HOSTS[name].provider.key_variable


@pytest.mark.parametrize(("name", "base_url"), ELSEWHERE)
@pytest.mark.parametrize("like", [False, True])
def test_a_key_of_the_environment_goes_to_no_address_that_only_the_file_names(
    name: str, base_url: str, like: bool
) -> None:
    own_name = "mine" if like else name
    setting = ProviderSetting(
        own_name, base_url=base_url, is_address_expected=True, like=name if like else None
    )
    provider = configure([setting], {variable_of(name): "sk-shell"}).providers[own_name]
    assert provider.api_key.value == ""
    assert (provider.is_key_withheld, provider.is_known_only) == (True, True)


@pytest.mark.parametrize(("name", "base_url"), ELSEWHERE)
def test_a_key_that_the_file_names_goes_where_the_file_says(name: str, base_url: str) -> None:
    setting = ProviderSetting(
        name, base_url=base_url, is_address_expected=True, api_key="sk-file", is_key_expected=True
    )
    provider = configure([setting], {variable_of(name): "sk-shell"}).providers[name]
    assert provider.api_key.value == "sk-file"
    assert (provider.is_key_withheld, provider.is_known_only) == (False, False)


@pytest.mark.parametrize(
    ("name", "base_url"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("openai", "https://eu.api.openai.com/v1"),
        ("azure", "https://my-resource.openai.azure.com"),
        ("groq", "https://API.groq.com/openai/v1"),
    ],
)
def test_an_address_of_the_provider_itself_gets_the_key_of_the_environment(name: str, base_url: str) -> None:
    setting = ProviderSetting(name, base_url=base_url, is_address_expected=True)
    provider = configure([setting], {variable_of(name): "sk-shell"}).providers[name]
    assert provider.api_key.value == "sk-shell"
    assert not provider.is_known_only


def test_an_account_that_is_signed_in_is_not_shown_to_a_stranger() -> None:
    options = {"project": "p", "region": "europe-west4"}
    setting = ProviderSetting(
        "vertex", base_url="https://evil.example", is_address_expected=True, options=options
    )
    assert configure([setting], {}).providers["vertex"].is_key_withheld
    named = replace(setting, auth="google_oauth")
    assert not configure([named], {}).providers["vertex"].is_known_only


def test_a_host_without_a_key_may_stand_anywhere() -> None:
    setting = ProviderSetting("ollama", base_url="http://10.0.0.5:11434/v1", is_address_expected=True)
    provider = configure([setting], {}).providers["ollama"]
    assert (provider.is_key_withheld, provider.is_known_only) == (False, False)
