"""A key of Sternpost in a provider's place is never sent to the provider; the provider is not configured."""

import pytest

from sternpost.contracts.provider import Catalog
from sternpost.providers.catalog import load_catalog
from sternpost.providers.configure import ProviderSetting, configure

KEYS = ["sp-" + "a" * 43, "wl-" + "b" * 43]
ADDRESSED = [name for name, host in load_catalog().items() if "{" not in host.provider.base_url]
VARIABLES = sorted({host.provider.key_variable for host in load_catalog().values()} - {""})


def refused(catalog: Catalog, name: str) -> str:
    """Return why a provider is not configured, having seen that its key is nowhere in it."""
    provider = catalog.providers[name]
    assert provider.is_known_only
    assert provider.api_key.value == ""
    assert not any(key in provider.fault for key in KEYS)
    return provider.fault


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_in_a_key_variable_of_the_environment(variable: str, key: str) -> None:
    names = [name for name, host in load_catalog().items() if host.provider.key_variable == variable]
    catalog = configure([], {variable: f"{key}\n"})
    for name in names:
        assert f"this is a Sternpost key in {variable}" in refused(catalog, name)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", ADDRESSED)
def test_in_an_entry_for_a_host_of_the_catalogue(name: str, key: str) -> None:
    entry = ProviderSetting(name, api_key=key, is_key_expected=True)
    assert f"providers.{name}.api_key" in refused(configure([entry], {}), name)


@pytest.mark.parametrize("key", KEYS)
def test_in_a_variable_that_the_file_names_or_that_an_entry_falls_back_to(key: str) -> None:
    named = ProviderSetting("openai", api_key=key, is_key_expected=True, key_variable="MY_KEY")
    assert "in MY_KEY" in refused(configure([named], {}), "openai")
    bare = ProviderSetting("openai")
    assert "in OPENAI_API_KEY" in refused(configure([bare], {"OPENAI_API_KEY": key}), "openai")


@pytest.mark.parametrize("key", KEYS)
def test_in_the_entry_of_a_custom_host_and_in_headers_for_a_known_one(key: str) -> None:
    lab = ProviderSetting("lab", "openai_chat", "http://127.0.0.1:9/v1", key, is_key_expected=True)
    assert "providers.lab.api_key" in refused(configure([lab], {}), "lab")
    header = ProviderSetting("openai", headers={"Authorization": f"Bearer {key}"})
    assert "providers.openai.headers.Authorization" in refused(
        configure([header], {"OPENAI_API_KEY": "sk-good"}), "openai"
    )


def test_another_sternpost_can_be_a_provider_by_a_header() -> None:
    headers = {"authorization": f"Bearer {KEYS[0]}"}
    central = ProviderSetting("central", "openai_chat", "https://sternpost.example.org/v1", headers=headers)
    provider = configure([central], {}).providers["central"]
    assert (provider.is_known_only, provider.fault) == (False, "")
    assert provider.headers == headers
