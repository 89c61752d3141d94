"""Prices of one's own: every class, tools, batches, tiers, regions, dates; and regions of the table."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sternpost.base.errors import ConfigurationError
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.service import PriceBook, open_price_book
from sternpost.contracts.usage import Cost, CostStatus, Usage

DAY = 86_400_000_000_000
AT = 1_795_176_000_000_000_000  # 2026-11-20 12:00 UTC
THOUSAND = Usage(in_fresh=1000)


def own(input_usd: str = "1", **more: Any) -> PriceEntry:
    return PriceEntry(more.pop("model", "lab/m1"), Decimal(input_usd), Decimal("2"), **more)


def price(book: PriceBook, usage: Usage = THOUSAND, **more: Any) -> Cost:
    fields = {"provider": "lab", "model": "m1", "fallback_model": "", "started_ns": AT, **more}
    return book.price(usage=usage, **fields)


def test_every_class_and_tool_can_have_its_own_price() -> None:
    book = open_price_book(
        [
            own(
                cache_read_usd=Decimal("0.1"), cache_write_usd=Decimal("1.25"),
                cache_write_1h_usd=Decimal("2"), input_audio_usd=Decimal("8"),
                input_image_usd=Decimal("3"), output_reasoning_usd=Decimal("4"),
                output_audio_usd=Decimal("16"), output_image_usd=Decimal("30"), request_usd=Decimal("0.005"),
                units_usd={"web_search": Decimal("0.01"), "code_exec": Decimal("0.03")},
            )
        ]
    )  # fmt: skip
    cost = price(book, Usage(1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, {"code_exec": 2}))
    assert cost.parts == {
        "in_fresh": 1_000_000, "in_cache_read": 100_000, "in_cache_write_5m": 1_250_000,
        "in_cache_write_1h": 2_000_000, "in_audio": 8_000_000, "in_image": 3_000_000, "out_text": 2_000_000,
        "out_reasoning": 4_000_000, "out_audio": 16_000_000, "out_image": 30_000_000, "request": 5_000_000,
        "code_exec": 60_000_000,
    }  # fmt: skip
    assert cost.status == CostStatus.COMPUTED


def test_batch_factor_halves_the_tokens_and_not_the_tools() -> None:
    book = open_price_book([own(batch_factor=Decimal("0.5"), units_usd={"web_search": Decimal("0.01")})])
    usage = Usage(in_fresh=1000, units={"web_search": 1})
    assert price(book, usage, processing="batch").parts == {"in_fresh": 500_000, "web_search": 10_000_000}
    assert price(book, usage, processing="batch").status == CostStatus.COMPUTED


def test_batch_at_a_price_nobody_wrote_is_an_estimate() -> None:
    cost = price(open_price_book([own()]), processing="batch")
    assert (cost.nanousd, cost.status, cost.reason) == (1_000_000, CostStatus.ESTIMATED, "variant_missing")


def test_batch_line_is_priced_as_batch_whatever_tier_comes_back() -> None:
    book = open_price_book()
    usage = Usage(in_fresh=1000, service_tier="default")
    cost = price(book, usage, provider="openai", model="gpt-5", processing="batch")
    assert (cost.nanousd, cost.status) == (625_000, CostStatus.COMPUTED)  # $0.625 per million, half of 1.25


def test_entry_of_a_tier_holds_for_that_tier_alone() -> None:
    book = open_price_book([own(), own("0.4", service_tier="flex")])
    assert price(book, Usage(in_fresh=1000, service_tier="flex")).nanousd == 400_000
    assert price(book, Usage(in_fresh=1000, service_tier="default")).nanousd == 1_000_000


def test_entry_of_a_region_holds_there_and_the_general_one_elsewhere() -> None:
    book = open_price_book([own(), own("1.1", region="eu-central-1")])
    assert price(book, Usage(in_fresh=1000, region="eu-central-1")).nanousd == 1_100_000
    assert price(book, Usage(in_fresh=1000, region="us-east-1")).nanousd == 1_000_000


def test_price_changes_at_the_start_of_its_day() -> None:
    change = date(2026, 11, 21)
    book = open_price_book([own("1", until_date=change), own("3", from_date=change)])
    midnight = (change.toordinal() - date(1970, 1, 1).toordinal()) * DAY
    assert price(book, started_ns=midnight - 1).nanousd == 1_000_000
    assert price(book, started_ns=midnight).nanousd == 3_000_000


def test_before_its_first_day_a_price_of_ones_own_leaves_the_table_in_force() -> None:
    book = open_price_book([own("9", model="openai/gpt-5", from_date=date(2027, 1, 1))])
    cost = price(book, provider="openai", model="gpt-5")
    assert (cost.nanousd, cost.basis["row"], cost.basis["step"]) == (1_250_000, "openai/gpt-5", "exact")


def test_before_its_first_day_a_model_outside_the_table_is_unknown() -> None:
    cost = price(open_price_book([own(from_date=date(2027, 1, 1))]))
    assert (cost.nanousd, cost.reason) == (None, "price_missing")


def test_larger_requests_pay_the_entry_above_their_size() -> None:
    book = open_price_book([own(cache_read_usd=Decimal("0.1")), own("2", above_input_tokens=1000)])
    small, large = price(book), price(book, Usage(in_fresh=501, in_cache_read=500))
    assert small.parts == {"in_fresh": 1_000_000}
    assert large.parts == {"in_fresh": 1_002_000, "in_cache_read": 50_000}
    assert large.basis["above_input_tokens"] == "1000"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([own(), own("2")], "apply at the same time"),
        ([own(until_date=date(2026, 2, 1)), own("2", from_date=date(2026, 1, 1))], "apply at the same time"),
        ([own(from_date=date(2026, 2, 1), until_date=date(2026, 2, 1))], "`until` must be later than `from`"),
        ([own(above_input_tokens=5)], "needs an entry without"),
        ([own(batch_factor=Decimal("50"))], "batch_factor 50 must be above 0 and at most 1"),
        ([own(units_usd={"web_search": Decimal("1000")})], "units_usd.web_search 1000"),
        ([own(request_usd=Decimal("-1"))], "request_usd -1"),
        ([own(output_audio_usd=Decimal("0.00002"))], "not plausible in USD per million"),
        ([own(model="m1")], "provider/model"),
    ],
)
def test_price_that_cannot_be_meant_is_refused(entries: list[PriceEntry], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        open_price_book(entries)


@pytest.mark.parametrize(
    ("model", "region", "status"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1", CostStatus.COMPUTED),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "", CostStatus.COMPUTED),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu-central-1", CostStatus.COMPUTED),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "", CostStatus.COMPUTED),
        ("eu.amazon.nova-pro-v1:0", "", CostStatus.ESTIMATED),
        ("amazon.nova-pro-v1:0", "eu-central-1", CostStatus.ESTIMATED),
        ("amazon.nova-pro-v1:0", "us-west-2", CostStatus.COMPUTED),
    ],
)
def test_bedrock_price_of_another_region_is_never_passed_off_as_exact(
    model: str, region: str, status: CostStatus
) -> None:
    cost = price(open_price_book(), Usage(in_fresh=10, region=region), provider="aws", model=model)
    assert cost.status == status
    assert (cost.reason == "region_unpriced") == (status == CostStatus.ESTIMATED)


@pytest.mark.parametrize(
    ("provider", "model", "region", "status"),
    [
        ("google", "gemini-3-pro-preview", "europe-west1", CostStatus.ESTIMATED),
        ("google", "claude-sonnet-4-5", "global", CostStatus.COMPUTED),
        ("google", "gemini-2.5-pro", "europe-west1", CostStatus.COMPUTED),
        ("openai", "gpt-5", "eu", CostStatus.ESTIMATED),
    ],
)
def test_regional_address_without_a_listed_price_makes_an_estimate(
    provider: str, model: str, region: str, status: CostStatus
) -> None:
    cost = price(open_price_book(), Usage(in_fresh=10, region=region), provider=provider, model=model)
    assert cost.status == status


@pytest.mark.parametrize(
    ("model", "tenths"),
    [("claude-sonnet-4-5@20250929", 11), ("claude-opus-4-8", 11), ("claude-3-5-haiku@20241022", 10)],
)
def test_claude_costs_a_tenth_more_at_a_regional_endpoint_since_sonnet_4_5(model: str, tenths: int) -> None:
    usage = Usage(in_fresh=1000, in_cache_read=500, out_text=100)
    there, anywhere = (
        price(open_price_book(), replace(usage, region=region), provider="google", model=model)
        for region in ("europe-west1", "global")
    )
    assert (there.status, anywhere.status) == (CostStatus.COMPUTED, CostStatus.COMPUTED)
    assert anywhere.nanousd
    assert there.nanousd == anywhere.nanousd * tenths // 10
