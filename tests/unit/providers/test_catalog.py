"""The catalogue against the price library, which knows the context sizes, and against its own vocabulary."""

from collections.abc import Iterator

from genai_prices.data_snapshot import get_snapshot

from scripts.models import LISTED, text
from sternpost.contracts.provider import ModelFacts
from sternpost.providers.catalog import KnownHost, load_catalog

HOSTS = load_catalog()
SNAPSHOT = get_snapshot()
ABILITIES = {
    "tools", "vision", "audio", "video", "documents", "image_output", "json_schema", "logprobs", "embeddings",
    "reasoning", "thinking_level", "thinking_off", "minimal_thinking", "adaptive_thinking", "xhigh_thinking",
}  # fmt: skip
# The library is behind here; the provider's own page is named.
OTHER_CONTEXT = {
    "deepseek/deepseek-chat": "https://api-docs.deepseek.com/quick_start/pricing",
    "deepseek/deepseek-reasoner": "https://api-docs.deepseek.com/quick_start/pricing",
}


def described() -> Iterator[tuple[str, KnownHost, ModelFacts]]:
    for name, host in HOSTS.items():
        for facts in host.models:
            yield f"{name}/{facts.name}", host, facts


def test_list_of_models_is_what_the_library_knows() -> None:
    assert LISTED.read_text(encoding="utf-8") == text()


def test_context_sizes_agree_with_the_library() -> None:
    """Within 5 %: a million is 1,000,000 to one page and 1,048,576 to another."""
    differing: list[str] = []
    for name, host, facts in described():
        provider = host.provider.price_provider or host.provider.name
        try:
            _, known = SNAPSHOT.find_provider_model(facts.name, None, provider, None)
        except LookupError:
            continue
        sizes = (facts.context_tokens, known.context_window)
        if None not in sizes and abs(sizes[0] / sizes[1] - 1) > 0.05 and name not in OTHER_CONTEXT:
            differing.append(f"{name}: {sizes[0]} here, {sizes[1]} in the library")
    assert differing == []


def test_abilities_are_words_of_one_vocabulary() -> None:
    assert {word for _, _, facts in described() for word in facts.abilities} <= ABILITIES


def test_an_answer_fits_into_its_context() -> None:
    too_long = [
        name
        for name, _, facts in described()
        if facts.context_tokens and facts.max_output_tokens and facts.max_output_tokens > facts.context_tokens
    ]
    assert too_long == []


def test_a_bare_name_in_the_list_belongs_to_its_provider() -> None:
    """Models without a description by hand can be called by their name, too."""
    assert "gpt-5.4" in {facts.name for facts in HOSTS["openai"].models}


def test_newer_claudes_on_bedrock_are_listed_under_ids_that_bedrock_has() -> None:
    """The library's labels (`global.anthropic.claude-opus-4-8-v1:0`) are an invalid id to Bedrock."""
    names = {facts.name for facts in HOSTS["bedrock"].models}
    assert {"global.anthropic.claude-opus-4-8", "eu.anthropic.claude-opus-5"} <= names
    assert not {name for name in names if name.startswith("regional.")}
    assert "global.anthropic.claude-opus-4-8-v1:0" not in names
