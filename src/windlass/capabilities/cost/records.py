"""The shapes of the price table and of its overrides; not how a price is looked up."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

# A unit price in pico-USD, or [base, [start, price], ...]: the whole request pays the price of the
# highest tier whose start its input tokens exceed (the "cliff" of every provider in the table).
Rate: TypeAlias = int | list[int | list[int]]
MatchStep: TypeAlias = Literal["override", "exact", "dated", "family_rule"]


class Clause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule for names that have no fixed spelling; exactly one field is set."""

    starts_with: str = ""
    ends_with: str = ""
    contains: str = ""
    equals: str = ""
    regex: str = ""
    every: tuple["Clause", ...] = ()
    some: tuple["Clause", ...] = ()


class PriceRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Unit prices under their keys, in force from a UTC day or within a UTC time of day."""

    rates: dict[str, Rate]
    from_day: int | None = None  # days since 1970-01-01
    from_second: int | None = None  # of the day; the end may lie before the start
    until_second: int | None = None
    when: dict[str, str] = {}  # a variant: service_tier=flex, processing=batch


class ModelPrices(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every price of one model; of the rows in force the last one wins."""

    id: str
    names: tuple[str, ...] = ()
    rules: tuple[Clause, ...] = ()
    rows: tuple[PriceRow, ...] = ()
    variants: tuple[PriceRow, ...] = ()


class ProviderPrices(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    models: tuple[ModelPrices, ...]
    fallbacks: tuple[str, ...] = ()  # providers whose models this one resells at their prices


class PriceTable(msgspec.Struct, frozen=True):
    """The shipped table; a provider stays undecoded until a call needs it."""

    source: str
    providers: dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """A contract or self-hosted price, in USD per million tokens."""

    model: str  # provider/model
    input_usd: Decimal
    output_usd: Decimal
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RateCard:
    """One row made ready for arithmetic; a rate is None where the table has no price."""

    rates: tuple[int | None, ...]  # pico-USD per token, in the order of BUCKETS
    tiers: tuple[tuple[int, tuple[int | None, ...]], ...] = ()  # (input tokens to exceed, rates)
    unit_rates: dict[str, int] = field(default_factory=dict[str, int])  # pico-USD per unit
    request_rate: int = 0  # pico-USD per request
    is_write_1h_guessed: bool = False
    divisor: int = 1000  # pico to nano; 2000 when a batch is charged at half

    @property
    def is_empty(self) -> bool:
        return not self.unit_rates and not self.request_rate and all(rate is None for rate in self.rates)


@dataclass(frozen=True, slots=True)
class PriceMatch:
    """Which row of prices a model name led to, and by which step."""

    model: ModelPrices
    provider: str
    step: MatchStep
    is_resold: bool = False  # another provider's row; its variants don't apply
