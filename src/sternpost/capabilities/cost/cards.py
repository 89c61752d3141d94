"""Makes the rates of one call from the rows of prices it may pay: variant, region, context tiers; no sums."""

from collections.abc import Mapping

from sternpost.capabilities.cost.records import Factor, OverrideRow, PriceMatch, Rate, RateCard, TierRates
from sternpost.capabilities.cost.regions import region_rule
from sternpost.capabilities.cost.rules import (
    DAY_NS,
    HALF_PRICE_BATCH,
    KEY_OF_UNIT,
    KEYS_OF_BUCKET,
    REQUEST_KEY,
    price_context,
    rates_at,
)

UNIT_PREFIX = "unit:"  # the price of a unit that an override names and the table has no key for
_OWN_KEY = {
    "in_audio": "input_audio_mtok",
    "out_audio": "output_audio_mtok",
    "out_image": "output_image_mtok",
}
_NOT_IN_FORCE = RateCard(tiers=(), is_empty=True)


def make_card(match: PriceMatch, tier: str, region: str, started_ns: int) -> RateCard:
    """Return the rates in force at a moment, and why they are an estimate.

    tier: as of `plain_tier`. region: as the provider returned it, or where the account is.
    """
    if match.step != "override":
        return _card_of_table(match, tier, region, started_ns)
    row, reason = choose_override(match.overrides, tier, region, started_ns // DAY_NS)
    if row is not None:
        return _card_of_override(match, row, tier, reason)
    return make_card(match.beneath, tier, region, started_ns) if match.beneath else _NOT_IN_FORCE


def choose_override(
    rows: tuple[OverrideRow, ...], tier: str, region: str, day: int
) -> tuple[OverrideRow | None, str]:
    """Return the row in force that says most about a call; None when none says anything."""
    in_force = [
        row
        for row in rows
        if (row.from_day is None or row.from_day <= day)
        and (row.until_day is None or day < row.until_day)
        and row.region in ("", region)
        and row.service_tier in ("", tier)
    ]
    if not in_force:
        return None, ""
    row = max(in_force, key=lambda one: (one.service_tier != "", one.region != ""))
    is_priced = row.service_tier == tier or (tier == "batch" and row.batch_factor is not None)
    return row, "" if is_priced else "variant_missing"


def _card_of_override(match: PriceMatch, row: OverrideRow, tier: str, reason: str) -> RateCard:
    factor = (row.batch_factor if tier == "batch" and not row.service_tier else None) or (1, 1)
    if reason and tier == "batch" and match.provider in HALF_PRICE_BATCH:
        factor = (1, 2)
    basis = {"source": "sternpost.yaml", "row": f"{match.provider}/{match.model.id}", "step": match.step}
    basis |= _tier_basis(tier, is_priced=not reason)
    basis |= {"region": row.region} if row.region else {}
    return rate_card(row.rates, basis, factor=factor, reason=reason)


def _card_of_table(match: PriceMatch, tier: str, region: str, started_ns: int) -> RateCard:
    context = price_context(tier)
    rates, has_variant = rates_at(match.model, started_ns, {} if match.is_resold else context)
    rule = region_rule(match.provider, match.model.id, region)
    factor: Factor = rule.factor
    reason = rule.reason
    if context and not has_variant:
        reason = "variant_missing"
        if tier == "batch" and match.provider in HALF_PRICE_BATCH:
            factor = (factor[0], factor[1] * 2)
    basis = {"row": f"{match.provider}/{match.model.id}", "step": match.step}
    basis |= _tier_basis(tier, is_priced=has_variant)
    basis |= {"region": region} if region else {}
    return rate_card(rates, basis, factor=factor, reason=reason, is_audio_text=match.provider == "google")


def _tier_basis(tier: str, *, is_priced: bool) -> dict[str, str]:
    """Say which tier was asked for, and whether the price is its own."""
    return {"tier": tier, "is_tier_priced": "yes" if is_priced else "no"} if tier else {}


def rate_card(
    rates: Mapping[str, Rate],
    basis: Mapping[str, str],
    *,
    factor: Factor = (1, 1),
    reason: str = "",
    is_audio_text: bool = False,
) -> RateCard:
    """Resolve every bucket to its most specific price, for the base and for each tier.

    is_audio_text: where audio and images have no price of their own, the text price applies.
    """
    starts = sorted({step[0] for rate in rates.values() if isinstance(rate, list) for step in _steps(rate)})
    is_write_1h_guessed = "cache_write_mtok" in rates and "cache_write_1h_mtok" not in rates
    guessed = {"in_cache_write_1h"} if is_write_1h_guessed else set[str]()
    if not is_audio_text:
        guessed |= {bucket for bucket, key in _OWN_KEY.items() if key not in rates}
    if _gives_pictures(rates):
        guessed.discard("out_image")
    shared = {**basis, "factor": f"{factor[0]}/{factor[1]}"} if factor != (1, 1) else dict(basis)
    return RateCard(
        tiers=tuple(
            TierRates(
                above=start,
                rates=_bucket_rates(rates, start, is_write_1h_guessed=is_write_1h_guessed),
                basis={**shared, "above_input_tokens": str(start)} if start >= 0 else shared,
            )
            for start in (-1, *starts)
        ),
        unit_rates=_unit_rates(rates),
        request_rate=_rate_at(rates[REQUEST_KEY], -1) if REQUEST_KEY in rates else 0,
        guessed=frozenset(guessed),
        factor=factor,
        reason=reason,
        is_empty=not rates,
    )


def _gives_pictures(rates: Mapping[str, Rate]) -> bool:
    """Whether the one price of a model's output is that of images, as OpenAI's image models have it."""
    return "input_image_mtok" in rates and "output_mtok" in rates and "output_audio_mtok" not in rates


def _unit_rates(rates: Mapping[str, Rate]) -> dict[str, int]:
    of_table = {unit: _rate_at(rates[key], -1) for unit, key in KEY_OF_UNIT.items() if key in rates}
    named = {
        key.removeprefix(UNIT_PREFIX): _rate_at(rate, -1)
        for key, rate in rates.items()
        if key.startswith(UNIT_PREFIX)
    }
    return of_table | named


def _bucket_rates(
    rates: Mapping[str, Rate], start: int, *, is_write_1h_guessed: bool
) -> tuple[int | None, ...]:
    found = {
        bucket: next((_rate_at(rates[key], start) for key in keys if key in rates), None)
        for bucket, keys in KEYS_OF_BUCKET.items()
    }
    fresh, write_1h = found["in_fresh"], found["in_cache_write_1h"]
    if is_write_1h_guessed and fresh is not None and write_1h is not None:
        # Anthropic: a one-hour write is twice the input
        found["in_cache_write_1h"] = max(write_1h, 2 * fresh)
    return tuple(found.values())


def _steps(rate: list[int | list[int]]) -> list[list[int]]:
    return [step for step in rate if isinstance(step, list)]


def _rate_at(rate: Rate, start: int) -> int:
    if isinstance(rate, int):
        return rate
    base = rate[0]
    reached = [step[1] for step in _steps(rate) if step[0] <= start]
    return reached[-1] if reached else base if isinstance(base, int) else 0
