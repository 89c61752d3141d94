"""Which price a call pays: the meaning of names, tiers and dates; the sums are `arithmetic`'s."""

import re
from collections.abc import Iterable, Mapping

from sternpost.capabilities.cost.records import Clause, ModelPrices, PriceRow, Rate

DAY_NS = 86_400_000_000_000

# bucket -> price keys, the most specific first; a bucket without its own price pays its parent's
KEYS_OF_BUCKET: Mapping[str, tuple[str, ...]] = {
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
KEY_OF_UNIT: Mapping[str, str] = {
    "web_search": "web_searches_kcount",
    "file_search": "storage_searches_kcount",
}
REQUEST_KEY = "requests_kcount"

BUCKETS = tuple(KEYS_OF_BUCKET)
_BUCKET_KEYS = [key for keys in KEYS_OF_BUCKET.values() for key in keys]
PRICED_KEYS = tuple(dict.fromkeys([*_BUCKET_KEYS, *KEY_OF_UNIT.values(), REQUEST_KEY]))

# Official price pages: batch at half price for every model that takes batches.
HALF_PRICE_BATCH = frozenset({"openai", "anthropic", "google", "mistral", "groq", "azure", "aws"})
_STANDARD_TIERS = frozenset({"", "default", "standard", "auto", "on_demand"})
_DATED = re.compile(r"[-@](?:20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])|latest)$")


def plain_tier(service_tier: str, processing: str = "") -> str:
    """Return the tier that chooses a price: `batch`, a name of the provider's, or "" for the standard one."""
    tier = (processing or service_tier).lower()
    return "" if tier in _STANDARD_TIERS else tier


def price_context(tier: str) -> dict[str, str]:
    """Say which variant of a price a tier asks for; {} is the standard price."""
    if not tier:
        return {}
    if tier == "batch":
        return {"processing": "batch"}
    return {"service_tier": tier, "speed": tier}  # Anthropic's fast mode is a `speed`


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
        return at_ns // DAY_NS >= row.from_day
    if row.from_second is None or row.until_second is None:
        return True
    second = at_ns % DAY_NS / 1e9
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


def first(values: Iterable[str]) -> tuple[str, ...]:
    """Drop empty and repeated names, keeping the order."""
    return tuple(dict.fromkeys(value.strip().lower() for value in values if value.strip()))
