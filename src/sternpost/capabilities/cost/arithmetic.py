"""The sums of one call in integers: tokens times rates, rounded once per part; `cards` says which rates."""

from collections.abc import Mapping
from operator import attrgetter

from sternpost.base.money import NanoUsd
from sternpost.capabilities.cost.records import Bill, RateCard, TierRates
from sternpost.capabilities.cost.rules import BUCKETS
from sternpost.contracts.usage import Usage

FREE_UNITS = frozenset({"web_fetch"})  # Anthropic: no charge beyond tokens
REQUEST = "request"
_INPUT_BUCKETS = 6
_CACHE_BUCKETS = (1, 2, 3)  # read, written for 5 minutes, written for an hour

counts_of = attrgetter(*BUCKETS)


def bill(card: RateCard, usage: Usage) -> Bill | str:
    """Multiply each bucket by its rate, rounded half to even once per bucket.

    Returns the reason as text when a bucket in use has no price: unknown is never zero.
    """
    counts: tuple[int, ...] = counts_of(usage)
    tier = _tier(card, counts)
    numerator, denominator = card.factor[0], card.factor[1] * 1000  # pico to nano
    parts: dict[str, int] = {}
    rates: dict[str, int] = {}
    for bucket, count, rate in zip(BUCKETS, counts, tier.rates, strict=True):
        if not count:
            continue
        if rate is None:
            return "bucket_unpriced"
        rates[bucket] = rate
        parts[bucket] = round_half_even(count * rate * numerator, denominator)
    if card.request_rate:
        rates[REQUEST] = card.request_rate
        parts[REQUEST] = round_half_even(card.request_rate, 1000)
    if usage.units and not _add_units(parts, rates, card, usage.units):
        return "unit_unpriced"
    return Bill(parts, rates, tier.basis, _saved(counts, tier.rates, numerator, denominator))


def _tier(card: RateCard, counts: tuple[int, ...]) -> TierRates:
    """The whole request pays the price of the highest tier that its input passes, cached input included."""
    if len(card.tiers) == 1:
        return card.tiers[0]
    total = sum(counts[:_INPUT_BUCKETS])
    return next(tier for tier in reversed(card.tiers) if total > tier.above)


def _add_units(
    parts: dict[str, int], rates: dict[str, int], card: RateCard, units: Mapping[str, int]
) -> bool:
    for unit, count in units.items():
        if not count or (unit in FREE_UNITS and unit not in card.unit_rates):
            continue
        if unit not in card.unit_rates:
            return False
        rates[unit] = card.unit_rates[unit]
        parts[unit] = round_half_even(count * card.unit_rates[unit], 1000)
    return True


def _saved(
    counts: tuple[int, ...], rates: tuple[int | None, ...], numerator: int, denominator: int
) -> int | None:
    """Return what the cached tokens would have cost more as fresh ones; less, where writing outweighs."""
    if not (counts[1] or counts[2] or counts[3]):
        return 0
    fresh = rates[0]
    if fresh is None:
        return None
    pico = 0
    for bucket in _CACHE_BUCKETS:
        rate = rates[bucket]
        pico += counts[bucket] * (fresh - rate) if rate is not None else 0
    return round_half_even(pico * numerator, denominator)


def round_half_even(numerator: int, denominator: int) -> NanoUsd:
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return NanoUsd(quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1)))
