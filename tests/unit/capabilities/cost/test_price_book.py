from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import ConfigurationError
from sternpost.base.money import NanoUsd
from sternpost.capabilities.cost.arithmetic import round_half_even
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.service import PriceBook, open_price_book
from sternpost.contracts.usage import Cost, CostStatus, Usage, UsageSource

AT = 1_795_176_000_000_000_000  # 2026-11-20 12:00 UTC
LAB = PriceEntry("lab/m1", Decimal("1.00"), Decimal("2.00"), cache_read_usd=Decimal("0.10"))
BOOK = open_price_book([LAB])


def price(provider: str, model: str, usage: Usage | None, *, book: PriceBook = BOOK, asked: str = "") -> Cost:
    return book.price(provider=provider, model=model, fallback_model=asked, usage=usage, started_ns=AT)


def test_cache_reads_get_their_discount() -> None:
    # claude-sonnet-4-5: $3 input, $0.30 cache read, $3.75 cache write (5 minutes), $15 output
    cost = price("anthropic", "claude-sonnet-4-5", Usage(in_fresh=1000, in_cache_read=1000, out_text=1000))
    assert cost.parts == {"in_fresh": 3_000_000, "in_cache_read": 300_000, "out_text": 15_000_000}
    assert cost.status == CostStatus.COMPUTED


def test_one_hour_cache_writes_cost_more_than_five_minute_ones() -> None:
    cost = price("anthropic", "claude-sonnet-4-5", Usage(in_cache_write_5m=1000, in_cache_write_1h=1000))
    # 3.75 and 2 x 3.00 per million
    assert cost.parts == {"in_cache_write_5m": 3_750_000, "in_cache_write_1h": 6_000_000}


def test_dated_name_finds_the_price_of_its_model() -> None:
    match = BOOK.find("openai", "gpt-5-mini-2025-08-07", "")
    assert match is not None
    assert match.model.id == "gpt-5-mini"


def test_name_the_provider_answered_with_wins_over_the_one_asked_for() -> None:
    match = BOOK.find("openai", "gpt-4o-mini", "gpt-4o")
    assert match is not None
    assert match.model.id == "gpt-4o-mini"


def test_similar_name_is_not_a_match() -> None:
    cost = price("openai", "gpt-5-minny", Usage(in_fresh=10))
    assert (cost.status, cost.nanousd, cost.reason) == (CostStatus.UNKNOWN, None, "model_unmatched")


@pytest.mark.parametrize("provider", ["ollama", "openai-but-mine", ""])
def test_unknown_provider_is_unknown_and_never_zero(provider: str) -> None:
    assert price(provider, "gpt-4o", Usage(in_fresh=10)).nanousd is None


def test_declared_free_costs_nothing() -> None:
    usage = Usage(in_fresh=10)
    cost = BOOK.price(
        provider="ollama", model="m", fallback_model="", usage=usage, started_ns=AT, is_free=True
    )
    assert (cost.status, cost.nanousd) == (CostStatus.FREE, 0)


def test_override_wins_over_declared_free() -> None:
    cost = BOOK.price(
        provider="lab", model="m1", fallback_model="", usage=Usage(in_fresh=1000), started_ns=AT, is_free=True
    )
    assert cost.nanousd == 1_000_000


def test_no_usage_is_unknown() -> None:
    assert price("openai", "gpt-4o", None).reason == "no_usage"


def test_row_without_any_price_is_unknown() -> None:
    # the library lists `moderation` with an empty price and would answer 0
    assert price("openai", "omni-moderation-latest", Usage(in_fresh=10)).status == CostStatus.UNKNOWN


def test_unpriced_unit_makes_the_cost_unknown() -> None:
    assert price("openai", "gpt-4o", Usage(in_fresh=1, units={"code_exec": 1})).reason == "unit_unpriced"


def test_web_searches_are_charged_beside_tokens() -> None:
    cost = price("anthropic", "claude-sonnet-4-5", Usage(in_fresh=0, units={"web_search": 3, "web_fetch": 2}))
    assert cost.parts == {"web_search": 30_000_000}  # $10 per thousand


def test_priority_tier_uses_its_own_row() -> None:
    standard = price("openai", "gpt-5", Usage(in_fresh=1000))
    priority = price("openai", "gpt-5", Usage(in_fresh=1000, service_tier="priority"))
    assert priority.status == CostStatus.COMPUTED
    assert (standard.nanousd, priority.nanousd) == (1_250_000, 2_500_000)


def test_nonsense_tier_is_an_estimate() -> None:
    cost = price("openai", "gpt-5", Usage(in_fresh=1000, service_tier="warp"))
    assert (cost.status, cost.reason) == (CostStatus.ESTIMATED, "variant_missing")


def test_batch_without_a_row_is_half_and_an_estimate() -> None:
    # claude-sonnet-4-0 has no batch row; the library answers with the full 18.00
    usage = Usage(in_fresh=1_000_000, out_text=1_000_000, service_tier="batch")
    cost = price("anthropic", "claude-sonnet-4-0", usage)
    assert (cost.nanousd, cost.status) == (9_000_000_000, CostStatus.ESTIMATED)


def test_long_context_pays_the_higher_tier_for_the_whole_request() -> None:
    # gemini-2.5-pro: $1.25 up to 200,000 input tokens, $2.50 above
    below = price("google", "gemini-2.5-pro", Usage(in_fresh=200_000))
    above = price("google", "gemini-2.5-pro", Usage(in_fresh=150_000, in_cache_read=50_001))
    assert below.nanousd == 250_000_000
    assert above.parts["in_fresh"] == 375_000_000


def test_price_is_the_one_in_force_when_the_call_started() -> None:
    # deepseek-chat was cheaper off-peak (16:30-00:30 UTC) until 2025-09-05
    peak, off_peak = 1_751_371_200_000_000_000, 1_751_396_400_000_000_000  # 2025-07-01 12:00 and 19:00
    costs = [
        BOOK.price(
            provider="deepseek", model="deepseek-chat", fallback_model="", usage=Usage(in_fresh=1000),
            started_ns=at,
        ).nanousd
        for at in (peak, off_peak)
    ]  # fmt: skip
    assert costs == [270_000, 135_000]


def test_cut_stream_is_an_estimate() -> None:
    cost = price("openai", "gpt-4o", Usage(in_fresh=10, source=UsageSource.PARTIAL))
    assert (cost.status, cost.reason) == (CostStatus.ESTIMATED, "cut_stream")


def test_buckets_that_do_not_add_up_are_an_estimate() -> None:
    assert price("openai", "gpt-4o", Usage(in_fresh=10, is_mismatch=True)).reason == "usage_mismatch"


def test_reported_cost_is_kept_with_ours_beside_it() -> None:
    usage = Usage(in_fresh=1000, reported_nanousd=NanoUsd(2_600_000))
    cost = price("openai", "gpt-4o", usage)  # $2.50 per million: 2_500_000, 4 % off
    assert (cost.status, cost.nanousd, cost.reason) == (
        CostStatus.PROVIDER_REPORTED, 2_600_000, "computed_differs",
    )  # fmt: skip
    assert cost.parts == {"in_fresh": 2_500_000}


def test_override_prices_a_model_of_ones_own() -> None:
    cost = price("lab", "m1", Usage(in_fresh=1000, in_cache_read=1000, out_text=500))
    assert cost.parts == {"in_fresh": 1_000_000, "in_cache_read": 100_000, "out_text": 1_000_000}


def test_override_wins_over_the_table_and_changes_the_version() -> None:
    book = open_price_book([PriceEntry("openai/gpt-4o", Decimal("1"), Decimal("1"))])
    assert price("openai", "gpt-4o", Usage(in_fresh=1000), book=book).nanousd == 1_000_000
    assert book.version != open_price_book().version


def test_provider_alias_leads_to_its_name_in_the_table() -> None:
    book = open_price_book([], {"xai": "x-ai"})
    assert book.find("xai", "grok-4", "") is not None


@pytest.mark.parametrize("usd", ["0.000003", "-1", "250000", "NaN", "1.0000001"])
def test_override_of_the_wrong_magnitude_is_refused(usd: str) -> None:
    with pytest.raises(ConfigurationError):
        open_price_book([PriceEntry("lab/m1", Decimal(usd), Decimal("1"))])


@given(st.integers(0, 10**15), st.sampled_from([1000, 2000]))
def test_rounding_is_half_to_even(numerator: int, denominator: int) -> None:
    assert round_half_even(numerator, denominator) == round(
        (Decimal(numerator) / denominator).to_integral_value(rounding="ROUND_HALF_EVEN")
    )


@given(st.tuples(*[st.integers(0, 300_000)] * 4))
def test_cost_never_falls_when_a_bucket_grows(counts: tuple[int, int, int, int]) -> None:
    usage = Usage(in_fresh=counts[0], in_cache_read=counts[1], out_text=counts[2], out_reasoning=counts[3])
    smaller = price("google", "gemini-2.5-pro", usage).nanousd
    larger = price("google", "gemini-2.5-pro", replace(usage, in_fresh=usage.in_fresh + 1)).nanousd
    assert smaller is not None
    assert larger is not None
    assert larger > smaller
