"""The arithmetic of prices and the meaning of names; no tables are read here and no clock."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import attrgetter

from windlass.base.errors import ConfigurationError
from windlass.base.money import NanoUsd, usd_text
from windlass.capabilities.cost.records import Clause, ModelPrices, PriceOverride, PriceRow, Rate, RateCard
from windlass.contracts.usage import Cost, Usage

_DAY_NS = 86_400_000_000_000
_INPUT_BUCKETS = 6

# bucket -> price keys, the most specific first; a bucket without its own price pays its parent's
_KEYS_OF_BUCKET: Mapping[str, tuple[str, ...]] = {
    "in_fresh": ("input_mtok",),
    "in_cache_read": ("cache_read_mtok", "input_mtok"),
    "in_cache_write_5m": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "in_cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "in_audio": ("input_audio_mtok", "input_mtok"),
    "in_image": ("input_image_mtok", "input_mtok"),
    "out_text": ("output_mtok",),
    "out_reasoning": ("output_reasoning_mtok", "output_mtok"),
    "out_audio": ("output_audio_mtok", "output_mtok"),
    "out_image": ("output_image_mtok", "output_mtok"),
}
_KEY_OF_UNIT: Mapping[str, str] = {
    "web_search": "web_searches_kcount",
    "file_search": "storage_searches_kcount",
}
_REQUEST_KEY = "requests_kcount"
_FREE_UNITS = frozenset({"web_fetch"})  # Anthropic: no charge beyond tokens

BUCKETS = tuple(_KEYS_OF_BUCKET)
_BUCKET_KEYS = [key for keys in _KEYS_OF_BUCKET.values() for key in keys]
PRICED_KEYS = tuple(dict.fromkeys([*_BUCKET_KEYS, *_KEY_OF_UNIT.values(), _REQUEST_KEY]))
counts_of = attrgetter(*BUCKETS)

# Official price pages: batch at half price for every model that takes batches.
HALF_PRICE_BATCH = frozenset({"openai", "anthropic", "google", "mistral", "groq", "azure", "aws"})
_STANDARD_TIERS = frozenset({"", "default", "standard", "auto", "on_demand"})
_DATED = re.compile(r"[-@](?:20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])|latest)$")


def price_context(service_tier: str) -> dict[str, str]:
    """Say which variant of a price the returned service tier asks for; {} is the standard price."""
    tier = service_tier.lower()
    if tier in _STANDARD_TIERS:
        return {}
    return {"processing": "batch"} if tier == "batch" else {"service_tier": tier}


def matches(clause: Clause, name: str) -> bool:
    """Apply one rule of the price table to a name in lower case."""
    if clause.regex:
        return re.search(clause.regex, name) is not None
    if clause.every:
        return all(matches(part, name) for part in clause.every)
    if clause.some:
        return any(matches(part, name) for part in clause.some)
    if clause.equals:
        return clause.equals.lower() == name
    if clause.contains:
        return clause.contains in name
    return name.startswith(clause.starts_with) and name.endswith(clause.ends_with)


def undated(name: str) -> str:
    """Drop a trailing date or `latest`: `gpt-5-mini-2025-08-07` -> `gpt-5-mini`."""
    return _DATED.sub("", name)


def is_in_force(row: PriceRow, at_ns: int) -> bool:
    if row.from_day is not None:
        return at_ns // _DAY_NS >= row.from_day
    if row.from_second is None or row.until_second is None:
        return True
    second = at_ns % _DAY_NS / 1e9
    if row.until_second < row.from_second:
        return second >= row.from_second or second < row.until_second
    return row.from_second <= second < row.until_second


def rates_at(model: ModelPrices, at_ns: int, context: Mapping[str, str]) -> tuple[dict[str, Rate], bool]:
    """Return the unit prices in force, and whether a variant that `context` asks for was found."""
    rates = next((row.rates for row in reversed(model.rows) if is_in_force(row, at_ns)), None)
    found = dict(rates if rates is not None else model.rows[0].rates if model.rows else {})
    overrides: dict[str, Rate] = {}
    for variant in model.variants:
        if context and is_in_force(variant, at_ns) and variant.when.items() <= context.items():
            overrides = {**variant.rates, **overrides}
    return {**found, **overrides}, bool(overrides)


def rate_card(rates: Mapping[str, Rate], *, divisor: int = 1000) -> RateCard:
    """Resolve every bucket to its most specific price, for the base and for each tier."""
    starts = sorted({step[0] for rate in rates.values() if isinstance(rate, list) for step in _steps(rate)})
    guessed = "cache_write_mtok" in rates and "cache_write_1h_mtok" not in rates
    return RateCard(
        rates=_bucket_rates(rates, -1, is_write_1h_guessed=guessed),
        tiers=tuple((start, _bucket_rates(rates, start, is_write_1h_guessed=guessed)) for start in starts),
        unit_rates={unit: _rate_at(rates[key], -1) for unit, key in _KEY_OF_UNIT.items() if key in rates},
        request_rate=_rate_at(rates[_REQUEST_KEY], -1) if _REQUEST_KEY in rates else 0,
        is_write_1h_guessed=guessed,
        divisor=divisor,
    )


def _bucket_rates(
    rates: Mapping[str, Rate], start: int, *, is_write_1h_guessed: bool
) -> tuple[int | None, ...]:
    found = {
        bucket: next((_rate_at(rates[key], start) for key in keys if key in rates), None)
        for bucket, keys in _KEYS_OF_BUCKET.items()
    }
    fresh, write_1h = found["in_fresh"], found["in_cache_write_1h"]
    if is_write_1h_guessed and fresh is not None and write_1h is not None:
        found["in_cache_write_1h"] = max(
            write_1h, 2 * fresh
        )  # Anthropic: a one-hour write is twice the input
    return tuple(found.values())


def _steps(rate: list[int | list[int]]) -> list[list[int]]:
    return [step for step in rate if isinstance(step, list)]


def _rate_at(rate: Rate, start: int) -> int:
    if isinstance(rate, int):
        return rate
    base = rate[0]
    reached = [step[1] for step in _steps(rate) if step[0] <= start]
    return reached[-1] if reached else base if isinstance(base, int) else 0


def parts_of(card: RateCard, usage: Usage) -> dict[str, int] | str:
    """Multiply each bucket by its rate: bucket -> nano-USD, rounded half to even once per bucket.

    Returns the reason as text when a bucket in use has no price: unknown is never zero.
    """
    counts: tuple[int, ...] = counts_of(usage)
    rates = card.rates
    if card.tiers:
        total = sum(counts[:_INPUT_BUCKETS])
        for start, tier_rates in card.tiers:
            if total > start:
                rates = tier_rates
    divisor = card.divisor
    parts: dict[str, int] = {}
    for bucket, count, rate in zip(BUCKETS, counts, rates, strict=True):
        if not count:
            continue
        if rate is None:
            return "bucket_unpriced"
        parts[bucket] = round_half_even(count * rate, divisor)
    if card.request_rate:
        parts["request"] = round_half_even(card.request_rate, divisor)
    if usage.units:
        return _with_units(parts, card, usage.units)
    return parts


def _with_units(parts: dict[str, int], card: RateCard, units: Mapping[str, int]) -> dict[str, int] | str:
    for unit, count in units.items():
        if not count or unit in _FREE_UNITS:
            continue
        if unit not in card.unit_rates:
            return "unit_unpriced"
        parts[unit] = round_half_even(count * card.unit_rates[unit], card.divisor)
    return parts


def round_half_even(numerator: int, denominator: int) -> NanoUsd:
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return NanoUsd(quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1)))


def override_rates(override: PriceOverride) -> dict[str, Rate]:
    """Check an override and turn it into rates.

    Raises: ConfigurationError for an amount that is negative, out of any plausible range for a million
    tokens (a price per token or per thousand was meant), or finer than a millionth of a dollar.
    """
    amounts = {
        "input_mtok": override.input_usd,
        "output_mtok": override.output_usd,
        "cache_read_mtok": override.cache_read_usd,
        "cache_write_mtok": override.cache_write_usd,
    }
    return {key: _checked(override.model, usd) for key, usd in amounts.items() if usd is not None}


def _checked(model: str, usd: Decimal) -> int:
    is_plausible = usd.is_finite() and (usd == 0 or Decimal("0.0005") <= usd <= 5000)
    if not is_plausible:
        raise ConfigurationError(
            f"the price {usd} of {model!r} is not plausible in USD per million tokens; "
            "write the price of a million tokens, not of one or of a thousand"
        )
    pico = usd * 1_000_000
    if pico != pico.to_integral_value():
        raise ConfigurationError(f"the price {usd} of {model!r} has more than six digits after the point")
    return int(pico)


def explain(cost: Cost, usage: Usage | None) -> tuple[str, ...]:
    """Write the arithmetic of one cost line by line, for a person."""
    if cost.nanousd is None:
        return (f"cost unknown: {cost.reason or 'no price'}",)
    lines = [_line(part, amount, usage) for part, amount in cost.parts.items()]
    total = (
        f"total = ${usd_text(cost.nanousd)} ({cost.status.value}{': ' if cost.reason else ''}{cost.reason})"
    )
    table = [f"prices {cost.price_version}"] if cost.price_version else []
    return (*lines, total, *table)


def _line(part: str, nanousd: int, usage: Usage | None) -> str:
    money = f"${usd_text(NanoUsd(nanousd))}"
    count = _count(part, usage)
    if not count:
        return f"{part} = {money}"
    if part in BUCKETS:
        per_million = Decimal(nanousd) / count / 1000
        return f"{part}: {count:,} tokens x ${per_million.normalize():f} per million = {money}"
    return f"{part}: {count:,} = {money}"


def _count(part: str, usage: Usage | None) -> int:
    if usage is None:
        return 0
    if part in BUCKETS:
        return int(getattr(usage, part))
    return usage.units.get(part, 0)


def first(values: Iterable[str]) -> tuple[str, ...]:
    """Drop empty and repeated names, keeping the order."""
    return tuple(dict.fromkeys(value.strip().lower() for value in values if value.strip()))
