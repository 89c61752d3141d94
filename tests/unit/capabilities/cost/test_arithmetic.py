"""Documented usage of each vendor, read by its own reader and priced by hand; and what must hold of any sum.

The usage objects are written after the vendors' public documentation; each names its page.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.capabilities.cost.arithmetic import bill, round_half_even
from sternpost.capabilities.cost.cards import rate_card
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.records import Bill
from sternpost.capabilities.cost.rules import BUCKETS
from sternpost.capabilities.cost.service import open_price_book
from sternpost.contracts.message import Json
from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.contracts.usage import Cost, CostStatus, Usage
from sternpost.dialects.anthropic.usage import read_usage as read_anthropic
from sternpost.dialects.openai_chat.usage import read_usage as read_chat
from sternpost.dialects.openai_responses.usage import read_usage as read_responses

AT = 1_795_176_000_000_000_000  # 2026-11-20 12:00 UTC
AUDIO = PriceEntry(
    "lab/audio", Decimal("2.50"), Decimal("10"), input_audio_usd=Decimal(40), output_audio_usd=Decimal(80)
)
BOOK = open_price_book([AUDIO])


def price(provider: str, model: str, usage: Usage | None) -> Cost:
    return BOOK.price(provider=provider, model=model, fallback_model="", usage=usage, started_ns=AT)


def test_openai_chat_with_cached_tokens_and_reasoning() -> None:
    # platform.openai.com/docs/api-reference/chat/object and .../guides/prompt-caching
    usage = read_chat(
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 0},
        },
        STANDARD,
    )
    # gpt-5-mini: 86 x 0.25 + 1,920 x 0.025 + (108 + 192) x 2 per million = 21.5 + 48 + 600 millionths
    assert price("openai", "gpt-5-mini", usage).nanousd == 669_500


def test_openai_chat_with_audio_both_ways() -> None:
    # platform.openai.com/docs/guides/audio
    usage = read_chat(
        {
            "prompt_tokens": 100,
            "completion_tokens": 60,
            "total_tokens": 160,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 80},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 50},
        },
        STANDARD,
    )
    # 20 x 2.50 + 80 x 40 + 10 x 10 + 50 x 80 = 50 + 3,200 + 100 + 4,000 millionths
    assert price("lab", "audio", usage).nanousd == 7_350_000


def test_audio_that_has_no_price_of_its_own_makes_an_estimate() -> None:
    cost = price("openai", "gpt-4o-audio-preview", Usage(in_audio=1000))
    assert (cost.status, cost.reason) == (CostStatus.ESTIMATED, "class_unpriced")


def test_a_picture_pays_the_price_of_pictures() -> None:
    # developers.openai.com/api/docs/pricing: gpt-image-2, 5 of text in, 8 of pictures in, 30 out
    cost = price("openai", "gpt-image-2", Usage(in_fresh=5, in_image=50, out_image=900))
    assert (cost.status, cost.nanousd) == (CostStatus.COMPUTED, 25_000 + 400_000 + 27_000_000)


def test_responses_with_a_web_search() -> None:
    # platform.openai.com/docs/guides/tools-web-search: searches are charged, opened pages are not
    usage = read_responses(
        {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 400},
            "output_tokens": 100,
            "output_tokens_details": {"reasoning_tokens": 60},
            "total_tokens": 1100,
        },
        STANDARD,
        item_types=["web_search_call", "message"],
    )
    # gpt-5: 600 x 1.25 + 400 x 0.125 + 100 x 10 = 750 + 50 + 1,000 millionths; one search $0.01
    assert price("openai", "gpt-5", usage).nanousd == 1_800_000 + 10_000_000


def test_anthropic_with_both_cache_lifetimes_and_server_tools() -> None:
    # docs.anthropic.com: "Prompt caching", and "Web search tool" on `server_tool_use`
    usage = read_anthropic(
        {
            "input_tokens": 2048,
            "cache_read_input_tokens": 1800,
            "cache_creation_input_tokens": 248,
            "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 503,
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        }
    )
    cost = price("anthropic", "claude-sonnet-4-5", usage)
    # 2,048 x 3 + 1,800 x 0.30 + 148 x 3.75 + 100 x 6 + 503 x 15 = 6,144 + 540 + 555 + 600 + 7,545 millionths
    # and 2 searches at $10 per thousand
    assert cost.nanousd == 15_384_000 + 20_000_000
    # reads: 1,800 x (3 - 0.30) = 4,860; writes: 148 x 0.75 = 111 and 100 x 3 = 300 more than fresh
    assert cost.saved_nanousd == 4_860_000 - 111_000 - 300_000


def test_anthropic_compaction_is_paid_for_every_pass() -> None:
    # docs.anthropic.com: "Compaction", on `usage.iterations`
    usage = read_anthropic(
        {
            "input_tokens": 23_000,
            "output_tokens": 1000,
            "iterations": [
                {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3500},
                {"type": "message", "input_tokens": 23_000, "output_tokens": 1000},
            ],
        }
    )
    assert usage == Usage(in_fresh=203_000, out_text=4500)


def test_anthropic_pass_of_another_model_is_flagged() -> None:
    usage = read_anthropic(
        {
            "input_tokens": 10,
            "output_tokens": 1,
            "iterations": [
                {"type": "advisor_message", "input_tokens": 900, "output_tokens": 90},
                {"type": "message", "input_tokens": 10, "output_tokens": 1},
            ],
        }
    )
    assert usage == Usage(in_fresh=10, out_text=1, is_mismatch=True)


def test_anthropic_in_the_us_alone_costs_a_tenth_more_on_every_class_of_tokens() -> None:
    # docs.anthropic.com: "Data residency", on `inference_geo`
    usage = read_anthropic(
        {
            "input_tokens": 1000,
            "cache_read_input_tokens": 1000,
            "output_tokens": 1000,
            "inference_geo": "us",
            "server_tool_use": {"web_search_requests": 1},
        }
    )
    cost = price("anthropic", "claude-opus-4-8", usage)
    # (1,000 x 5 + 1,000 x 0.50 + 1,000 x 25) x 1.1 = 33,550 millionths; the search is not raised
    assert (cost.nanousd, cost.status) == (33_550_000 + 10_000_000, CostStatus.COMPUTED)
    assert cost.basis["factor"] == "11/10"


def test_anthropic_fast_mode_has_its_own_price() -> None:
    # docs.anthropic.com: "Fast mode", on `usage.speed`
    usage = read_anthropic({"input_tokens": 1000, "output_tokens": 0, "speed": "fast"})
    cost = price("anthropic", "claude-opus-4-8", usage)  # $10 in place of $5
    assert (cost.nanousd, cost.status) == (10_000_000, CostStatus.COMPUTED)


def test_deepseek_counts_hits_and_misses() -> None:
    # api-docs.deepseek.com/guides/kv_cache
    usage = read_chat(
        {
            "prompt_tokens": 1000,
            "prompt_cache_hit_tokens": 900,
            "prompt_cache_miss_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 1010,
        },
        STANDARD,
    )
    assert usage == Usage(in_fresh=100, in_cache_read=900, out_text=10)
    cost = price("deepseek", "deepseek-chat", usage)
    assert cost.nanousd == sum(cost.parts.values())
    assert cost.saved_nanousd == 900 * (cost.rates["in_fresh"] - cost.rates["in_cache_read"]) // 1000


OPENROUTER = Quirks(is_usage_cost_reported=True)
OPENROUTER_USAGE: dict[str, Json] = {  # openrouter.ai/docs/use-cases/usage-accounting
    "prompt_tokens": 194,
    "completion_tokens": 2,
    "total_tokens": 196,
    "cost": 0.00095,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}


def test_openrouter_reports_money_and_it_counts() -> None:
    cost = price("openrouter", "openai/gpt-4o", read_chat(OPENROUTER_USAGE, OPENROUTER))
    assert (cost.status, cost.nanousd) == (CostStatus.PROVIDER_REPORTED, 950_000)


def test_openrouter_with_a_key_of_ones_own_adds_what_the_vendor_bills() -> None:
    own_key: dict[str, Json] = {
        **OPENROUTER_USAGE,
        "is_byok": True,
        "cost_details": {"upstream_inference_cost": 0.019},
    }
    usage = read_chat(own_key, OPENROUTER)
    assert usage is not None
    assert usage.reported_nanousd == 950_000 + 19_000_000


def test_own_key_without_the_vendors_amount_reports_no_money() -> None:
    usage = read_chat({**OPENROUTER_USAGE, "is_byok": True}, OPENROUTER)
    assert usage is not None
    assert usage.reported_nanousd is None


COUNT = st.one_of(st.just(0), st.integers(0, 400_000))
RATE = st.integers(0, 100_000_000)


@given(
    counts=st.tuples(*[COUNT] * len(BUCKETS)),
    rates=st.tuples(*[RATE] * 6),
    start=st.integers(1, 300_000),
    factor=st.sampled_from([(1, 1), (1, 2), (11, 10)]),
)
def test_parts_are_the_rounded_products_and_never_negative(
    counts: tuple[int, ...], rates: tuple[int, ...], start: int, factor: tuple[int, int]
) -> None:
    fresh, read, write, hour, out, higher = rates
    card = rate_card(
        {
            "input_mtok": [fresh, [start, higher]],
            "cache_read_mtok": read,
            "cache_write_mtok": write,
            "cache_write_1h_mtok": hour,
            "output_mtok": out,
        },
        {},
        factor=factor,
    )
    usage = Usage(**dict(zip(BUCKETS, counts, strict=True)))  # type: ignore[arg-type]  # buckets only
    found = bill(card, usage)
    assert isinstance(found, Bill)
    assert found.parts.keys() == {bucket for bucket, count in zip(BUCKETS, counts, strict=True) if count}
    for bucket, amount in found.parts.items():
        count = getattr(usage, bucket)
        assert amount == round_half_even(count * found.rates[bucket] * factor[0], 1000 * factor[1])
        assert amount >= 0
    assert found.basis.get("above_input_tokens") == (str(start) if sum(counts[:6]) > start else None)


@given(fresh=COUNT, read=COUNT, write=COUNT, text=COUNT, reasoning=COUNT)
def test_the_same_tokens_cost_the_same_whichever_vendors_shape_reports_them(
    fresh: int, read: int, write: int, text: int, reasoning: int
) -> None:
    total_in, total_out = fresh + read + write, text + reasoning
    chat: dict[str, Json] = {
        "prompt_tokens": total_in,
        "completion_tokens": total_out,
        "total_tokens": total_in + total_out,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    responses: dict[str, Json] = {
        "input_tokens": total_in,
        "output_tokens": total_out,
        "total_tokens": total_in + total_out,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }
    anthropic: dict[str, Json] = {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": write,
        "output_tokens": total_out,
        "output_tokens_details": {"thinking_tokens": reasoning},
    }
    beside = read_chat(
        {**chat, "completion_tokens": text, "total_tokens": total_in + total_out},
        Quirks(is_reasoning_inside=False),
    )
    usages = [
        read_chat(chat, STANDARD),
        read_responses(responses, STANDARD),
        read_anthropic(anthropic),
        beside,
    ]
    assert len({str(usage) for usage in usages}) == 1
    assert len({price("anthropic", "claude-sonnet-4-5", usage).nanousd for usage in usages}) == 1


TOTALS = st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens"])
INSIDE = st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"])
OUTSIDE = st.sampled_from(["reasoning_tokens", "audio_tokens", "image_tokens"])
ODD = st.integers(-5, 400_000)


@given(st.dictionaries(TOTALS, COUNT), st.dictionaries(INSIDE, ODD), st.dictionaries(OUTSIDE, ODD))
def test_no_bucket_is_negative_and_the_totals_stay_whatever_a_host_writes(
    totals: dict[str, int], inside: dict[str, int], outside: dict[str, int]
) -> None:
    usage = read_chat(
        {**totals, "prompt_tokens_details": inside, "completion_tokens_details": outside}, STANDARD
    )
    if usage is None:
        return
    assert min(getattr(usage, bucket) for bucket in BUCKETS) >= 0
    given_in = sum(getattr(usage, bucket) for bucket in BUCKETS[:6])
    assert given_in == totals.get("prompt_tokens", inside.get("cached_tokens", 0)) or usage.is_mismatch


@pytest.mark.parametrize("bucket", ["in_cache_write_5m", "in_cache_write_1h"])
def test_writing_to_the_cache_and_reading_nothing_saves_less_than_nothing(bucket: str) -> None:
    cost = price("anthropic", "claude-sonnet-4-5", Usage(**{bucket: 1000}))  # type: ignore[arg-type]
    # 1,000 x (3 - 3.75) and 1,000 x (3 - 6) millionths
    assert cost.saved_nanousd == {"in_cache_write_5m": -750_000, "in_cache_write_1h": -3_000_000}[bucket]
