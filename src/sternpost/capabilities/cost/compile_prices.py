"""Turns the genai-prices snapshot into the shipped `prices.json`; the only module that knows that library.

Run with `python -m sternpost.capabilities.cost.compile_prices`; the server never imports it.
"""

from collections.abc import Iterable
from datetime import date, time
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.metadata import version

import msgspec
from genai_prices import types
from genai_prices.data_snapshot import get_snapshot
from genai_prices.units import UnitRegistry

from sternpost.capabilities.cost.records import Clause, ModelPrices, PriceRow, ProviderPrices, Rate
from sternpost.capabilities.cost.rules import PRICED_KEYS
from sternpost.capabilities.cost.store import TABLE_PATH

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_PICO = Decimal(10) ** 12


def compile_table() -> bytes:
    """Write the library's offline snapshot as our table, one model per line so that changes can be read."""
    registry = _registry()
    providers = [_provider(provider, registry) for provider in get_snapshot().providers]
    head = msgspec.json.encode(f"genai-prices {version('genai-prices')}").decode()
    lines = [f'{{"source":{head},"providers":{{']
    lines.append(",\n".join(_provider_lines(provider) for provider in providers))
    return "\n".join([*lines, "}}", ""]).encode()


def _provider_lines(provider: ProviderPrices) -> str:
    models = ",\n".join(msgspec.json.encode(model).decode() for model in provider.models)
    rest = msgspec.json.encode({"id": provider.id, "fallbacks": provider.fallbacks}).decode()[:-1]
    return f'"{provider.id}":{rest},"models":[\n{models}]}}'


def _registry() -> UnitRegistry:
    from genai_prices.data_units import unit_data  # noqa: PLC0415  # data, wanted here alone

    return UnitRegistry(unit_data)


def _provider(provider: types.Provider, registry: UnitRegistry) -> ProviderPrices:
    return ProviderPrices(
        id=provider.id,
        models=tuple(_model(model, registry) for model in provider.models),
        fallbacks=tuple(provider.fallback_model_providers or ()),
    )


def _model(model: types.ModelInfo, registry: UnitRegistry) -> ModelPrices:
    clauses = _clauses(model.match)
    prices = model.prices if isinstance(model.prices, list) else [types.ConditionalPrice(prices=model.prices)]
    return ModelPrices(
        id=model.id,
        names=tuple(clause.equals.lower() for clause in clauses if clause.equals),
        rules=tuple(clause for clause in clauses if not clause.equals),
        rows=tuple(_row(price.prices, price.constraint, {}, registry) for price in prices),
        variants=tuple(
            _row(variant.prices, variant.constraint, variant.when, registry)
            for variant in model.price_variants or ()
        ),
    )


def _clauses(match: types.MatchLogic) -> tuple[Clause, ...]:
    """Flatten alternatives; what is left is tried one by one."""
    if isinstance(match, types.ClauseOr):
        return tuple(clause for part in match.or_ for clause in _clauses(part))
    return (_clause(match),)


def _clause(match: types.MatchLogic) -> Clause:
    match match:
        case types.ClauseEquals():
            return Clause(equals=match.equals)
        case types.ClauseStartsWith():
            return Clause(starts_with=match.starts_with.lower())
        case types.ClauseEndsWith():
            return Clause(ends_with=match.ends_with.lower())
        case types.ClauseContains():
            return Clause(contains=match.contains.lower())
        case types.ClauseRegex():
            return Clause(regex=match.regex)
        case types.ClauseAnd():
            return Clause(every=tuple(_clause(part) for part in match.and_))
        case types.ClauseOr():
            return Clause(some=tuple(_clause(part) for part in match.or_))


def _row(
    prices: types.ModelPrice,
    constraint: types.StartDateConstraint | types.TimeOfDateConstraint | None,
    when: dict[str, str],
    registry: UnitRegistry,
) -> PriceRow:
    rates = {key: _rate(value, registry.unit_for_price_key(key).per) for key, value in _priced(prices)}
    if isinstance(constraint, types.StartDateConstraint):
        return PriceRow(rates=rates, when=when, from_day=constraint.start_date.toordinal() - _EPOCH_DAY)
    if isinstance(constraint, types.TimeOfDateConstraint):
        return PriceRow(
            rates=rates,
            when=when,
            from_second=_second_of_day(constraint.start_time),
            until_second=_second_of_day(constraint.end_time),
        )
    return PriceRow(rates=rates, when=when)


def _priced(prices: types.ModelPrice) -> Iterable[tuple[str, Decimal | types.TieredPrices]]:
    for key in PRICED_KEYS:
        value: Decimal | types.TieredPrices | None = getattr(prices, key)
        if value is not None:
            yield key, value


def _rate(value: Decimal | types.TieredPrices, per: int) -> Rate:
    if isinstance(value, types.TieredPrices):
        return [_pico(value.base, per), *([tier.start, _pico(tier.price, per)] for tier in value.tiers)]
    return _pico(value, per)


def _pico(usd: Decimal, per: int) -> int:
    return int((usd * _PICO / per).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _second_of_day(moment: time) -> int:
    offset = moment.utcoffset()
    shift = 0 if offset is None else round(offset.total_seconds())
    return (moment.hour * 3600 + moment.minute * 60 + moment.second - shift) % 86_400


if __name__ == "__main__":
    TABLE_PATH.write_bytes(compile_table())
