"""The shipped table against the library it was compiled from, over every model it knows."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import types
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.capabilities.cost.compile_prices import compile_table
from sternpost.capabilities.cost.service import open_price_book
from sternpost.capabilities.cost.store import TABLE_PATH
from sternpost.contracts.usage import Cost, Usage

BOOK = open_price_book()
SNAPSHOT = get_snapshot()


def is_a_name_in_use(provider: str, name: str) -> bool:
    """Some ids of the library are labels that none of its own rules match."""
    try:
        return SNAPSHOT.find_provider_model(name, None, provider, None) is not None
    except LookupError:
        return False


MODELS = [
    (provider.id, model.id)
    for provider in SNAPSHOT.providers
    for model in provider.models
    if is_a_name_in_use(provider.id, model.id)
]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_shipped_table_is_what_the_library_compiles_to() -> None:
    assert TABLE_PATH.read_bytes() == compile_table()


def library_price(provider: str, model: str, usage: Usage, at: datetime) -> tuple[Decimal, types.ModelInfo]:
    cached = usage.in_cache_read + usage.in_cache_write_5m
    counts = {
        "input_tokens": usage.in_fresh + cached + usage.in_audio,
        "cache_read_tokens": usage.in_cache_read,
        "cache_write_tokens": usage.in_cache_write_5m,
        "input_audio_tokens": usage.in_audio,
        "output_tokens": usage.out_text + usage.out_reasoning,
        "output_reasoning_tokens": usage.out_reasoning,
    }
    context = {"service_tier": usage.service_tier} if usage.service_tier else None
    answer = SNAPSHOT.calc(types.Usage(**counts), model, provider, None, at, context)
    return answer.total_price, answer.model


def our_price(provider: str, model: str, usage: Usage, at: datetime) -> Cost:
    started_ns = round(at.timestamp()) * 1_000_000_000
    return BOOK.price(provider=provider, model=model, fallback_model="", usage=usage, started_ns=started_ns)


def assert_same(provider: str, model: str, usage: Usage, at: datetime) -> None:
    expected, found = library_price(provider, model, usage, at)
    match = BOOK.find(provider, model, "")
    assert match is not None
    assert match.model.id == found.id
    cost = our_price(provider, model, usage, at)
    if cost.nanousd is None or cost.reason == "variant_missing":
        return  # we refuse to answer where the library answers with zero or with the wrong variant
    # The library does not round; ours rounds once per bucket, and rates to a millionth of a
    # micro-dollar (openrouter ships cache-write rates with 16 digits): 1e-5 of the whole.
    tolerance = Decimal(cost.nanousd) / 100_000 + 6
    assert abs(expected * 1_000_000_000 - cost.nanousd) <= tolerance


@pytest.mark.parametrize("at", [NOON, datetime(2025, 2, 3, 20, 30, tzinfo=UTC)], ids=["late", "early"])
def test_every_model_costs_what_the_library_says(at: datetime) -> None:
    usage = Usage(in_fresh=1234, in_cache_read=777, in_cache_write_5m=55, out_text=321)
    for provider, model in MODELS:
        assert_same(provider, model, usage, at)


COUNTS = st.one_of(st.just(0), st.integers(1, 5_000), st.integers(100_000, 400_000))


@settings(max_examples=300, deadline=None)
@given(
    which=st.sampled_from(MODELS),
    counts=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    tier=st.sampled_from(["", "", "flex", "priority"]),
    second=st.integers(1_704_067_200, 1_798_761_600),  # 2024 to 2026
)
def test_random_usages_cost_what_the_library_says(
    which: tuple[str, str], counts: tuple[int, int, int, int, int], tier: str, second: int
) -> None:
    fresh, read, write, text, reasoning = counts
    usage = Usage(
        in_fresh=fresh, in_cache_read=read, in_cache_write_5m=write, out_text=text, out_reasoning=reasoning,
        service_tier=tier,
    )  # fmt: skip
    assert_same(*which, usage, datetime.fromtimestamp(second, UTC))
