"""Checks the prices of `sternpost.yaml` and makes rows of them; when a row applies is `cards`' matter."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from sternpost.base.errors import ConfigurationError
from sternpost.capabilities.cost.cards import UNIT_PREFIX
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.records import Factor, OverrideRow, Rate
from sternpost.capabilities.cost.rules import REQUEST_KEY, plain_tier

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_AMOUNTS = {
    "input_mtok": "input_usd",
    "output_mtok": "output_usd",
    "cache_read_mtok": "cache_read_usd",
    "cache_write_mtok": "cache_write_usd",
    "cache_write_1h_mtok": "cache_write_1h_usd",
    "input_audio_mtok": "input_audio_usd",
    "input_image_mtok": "input_image_usd",
    "output_reasoning_mtok": "output_reasoning_usd",
    "output_audio_mtok": "output_audio_usd",
    "output_image_mtok": "output_image_usd",
}


def compile_overrides(overrides: Iterable[PriceEntry]) -> dict[tuple[str, str], tuple[OverrideRow, ...]]:
    """Return (provider, model) in lower case -> its rows.

    Raises: ConfigurationError for an implausible price, and for two that apply at the same time.
    """
    by_model: defaultdict[tuple[str, str], list[PriceEntry]] = defaultdict(list)
    for override in overrides:
        provider, separator, model = override.model.partition("/")
        if not separator or not provider or not model:
            raise ConfigurationError(f"prices: write the model as provider/model, not {override.model!r}")
        by_model[provider.lower(), model.lower()].append(override)
    return {key: _rows(entries) for key, entries in by_model.items()}


def _rows(entries: Sequence[PriceEntry]) -> tuple[OverrideRow, ...]:
    by_place: defaultdict[tuple[str, str], list[PriceEntry]] = defaultdict(list)
    for entry in entries:
        by_place[plain_tier(entry.service_tier), entry.region].append(entry)
    return tuple(
        row for (tier, region), group in by_place.items() for row in _rows_of_place(tier, region, group)
    )


def _rows_of_place(tier: str, region: str, entries: Sequence[PriceEntry]) -> list[OverrideRow]:
    """Make a row of each entry and of the entries above it, for larger requests at the same time."""
    bases = sorted(
        (one for one in entries if not one.above_input_tokens), key=lambda one: one.from_date or date.min
    )
    for earlier, later in pairwise(bases):
        if earlier.until_date is None or earlier.until_date > (later.from_date or date.min):
            raise ConfigurationError(
                f"prices: two entries for {later.model!r} apply at the same time; separate them by `from`, "
                "`until`, `service_tier`, `region` or `above_input_tokens`"
            )
    rows: list[OverrideRow] = []
    rest = [one for one in entries if one.above_input_tokens]
    for base in bases:
        above = [one for one in rest if (one.from_date, one.until_date) == (base.from_date, base.until_date)]
        rest = [one for one in rest if one not in above]
        rows.append(_row(tier, region, base, sorted(above, key=lambda one: one.above_input_tokens)))
    if rest:
        raise ConfigurationError(
            f"prices: {rest[0].model!r} above {rest[0].above_input_tokens} input tokens needs an entry "
            "without `above_input_tokens` too, for the same time, tier and region"
        )
    return rows


def _row(tier: str, region: str, base: PriceEntry, above: Sequence[PriceEntry]) -> OverrideRow:
    if base.from_date and base.until_date and base.until_date <= base.from_date:
        raise ConfigurationError(f"prices: {base.model!r}: `until` must be later than `from`")
    rates: dict[str, Rate] = dict(_rates(base))
    higher = [(entry.above_input_tokens, _rates(entry)) for entry in above]
    for key in _AMOUNTS:
        steps: list[int | list[int]] = [[start, tier[key]] for start, tier in higher if key in tier]
        if steps:
            parent = "output_mtok" if key.startswith("output") else "input_mtok"
            first = rates.get(key, _rates(base)[parent])
            rates[key] = [first, *steps] if isinstance(first, int) else first
    return OverrideRow(
        rates=rates,
        from_day=_day(base.from_date),
        until_day=_day(base.until_date),
        service_tier=tier,
        region=region,
        batch_factor=_factor(base),
    )


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - _EPOCH_DAY


def _factor(entry: PriceEntry) -> Factor | None:
    if entry.batch_factor is None:
        return None
    if not 0 < entry.batch_factor <= 1:
        raise ConfigurationError(
            f"prices: {entry.model!r}: batch_factor {entry.batch_factor} must be above 0 and at most 1, "
            "such as 0.5 for half the price"
        )
    return entry.batch_factor.as_integer_ratio()


def _rates(override: PriceEntry) -> dict[str, int]:
    """Check the amounts of an entry and turn them into pico-USD."""
    rates = {
        key: _per_million(override.model, amount)
        for key, name in _AMOUNTS.items()
        if (amount := getattr(override, name)) is not None
    }
    for unit, usd in override.units_usd.items():
        rates[f"{UNIT_PREFIX}{unit}"] = _per_use(override.model, f"units_usd.{unit}", usd)
    if override.request_usd is not None:
        rates[REQUEST_KEY] = _per_use(override.model, "request_usd", override.request_usd)
    return rates


def _per_million(model: str, usd: Decimal) -> int:
    is_plausible = usd.is_finite() and (usd == 0 or Decimal("0.0005") <= usd <= 5000)
    if not is_plausible:
        raise ConfigurationError(
            f"the price {usd} of {model!r} is not plausible in USD per million tokens; "
            "write the price per million tokens, not per token or per thousand"
        )
    pico = usd * 1_000_000
    if pico != pico.to_integral_value():
        raise ConfigurationError(f"the price {usd} of {model!r} has more than six digits after the point")
    return int(pico)


def _per_use(model: str, name: str, usd: Decimal) -> int:
    is_plausible = usd.is_finite() and (usd == 0 or Decimal("0.000001") <= usd <= 100)
    if not is_plausible:
        raise ConfigurationError(
            f"{name} {usd} of {model!r} is not plausible in USD per use; write the price of one use, "
            "such as 0.01 if a thousand cost $10"
        )
    return int(usd * 1_000_000_000_000)
