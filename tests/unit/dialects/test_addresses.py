"""An address is taken as the vendor's own SDK writes it, and as its documentation does."""

import pytest

from sternpost.contracts.call import Dialect
from sternpost.dialects.addresses import completed
from sternpost.providers.configure import ProviderSetting, configure

H = "https://h.example"


@pytest.mark.parametrize(
    ("dialect", "written", "used"),
    [
        ("anthropic", H, f"{H}/v1"),
        ("anthropic", f"{H}/v1", f"{H}/v1"),
        ("anthropic", f"{H}/anthropic", f"{H}/anthropic/v1"),
        ("anthropic", f"{H}/v1/messages", f"{H}/v1"),
        ("openai_chat", H, f"{H}/v1"),
        ("openai_chat", f"{H}/v1", f"{H}/v1"),
        ("openai_chat", f"{H}/openai/v1", f"{H}/openai/v1"),
        ("openai_chat", f"{H}/api/paas/v4", f"{H}/api/paas/v4"),
        ("openai_chat", f"{H}/v1/chat/completions", f"{H}/v1"),
        ("openai_chat", "https://api.perplexity.ai", "https://api.perplexity.ai"),
        ("openai_responses", H, f"{H}/v1"),
        ("gemini", H, f"{H}/v1beta"),
        ("gemini", f"{H}/v1beta", f"{H}/v1beta"),
        ("gemini", f"{H}/v1/projects/p/locations/l/publishers/google",
         f"{H}/v1/projects/p/locations/l/publishers/google"),
        ("cohere", H, H),
        ("cohere", f"{H}/v2", H),
        ("cohere", f"{H}/v1", H),
        ("ollama", H, H),
        ("ollama", f"{H}/v1", H),
        ("ollama", f"{H}/api", H),
        ("bedrock", H, H),
    ],
)  # fmt: skip
def test_both_forms_of_an_address_are_one(dialect: Dialect, written: str, used: str) -> None:
    assert completed(written, dialect) == used
    assert completed(used, dialect) == used
    own = configure([ProviderSetting("own", dialect, f"{written}/", "k")], {}).providers["own"]
    assert own.base_url == used


@pytest.mark.parametrize(
    ("name", "written", "used"),
    [
        ("anthropic", H, f"{H}/v1"),
        ("openai", H, f"{H}/v1"),
        ("gemini", H, f"{H}/v1beta"),
        ("mistral", H, f"{H}/v1"),
        ("cohere", f"{H}/v2", H),
        ("ollama", H, f"{H}/v1"),
        ("ollama-native", f"{H}/api", H),
        ("perplexity", H, H),
        ("bedrock", H, H),
    ],
)
def test_a_host_of_the_catalogue_may_be_reached_at_either(name: str, written: str, used: str) -> None:
    providers = configure([ProviderSetting(name, base_url=written, api_key="k")], {}).providers
    assert providers[name].base_url == used
