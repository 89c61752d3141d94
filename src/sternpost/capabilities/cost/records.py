"""The shapes of the price table and of its overrides; not how a price is looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from sternpost.contracts.usage import Cost, Usage

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


Factor: TypeAlias = tuple[int, int]  # numerator, denominator


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One override made ready: where and when it holds, and its unit prices."""

    rates: Mapping[str, Rate]
    from_day: int | None = None  # days since 1970-01-01
    until_day: int | None = None
    service_tier: str = ""
    region: str = ""
    batch_factor: Factor | None = None


@dataclass(frozen=True, slots=True)
class TierRates:
    """Prices for requests with more than `above` input tokens; a rate is None where there is no price."""

    above: int  # -1: the base
    rates: tuple[int | None, ...]  # pico-USD per token, in the order of BUCKETS
    basis: Mapping[str, str]  # what the cost of a call says about its price


@dataclass(frozen=True, slots=True)
class RateCard:
    """One row made ready for arithmetic."""

    tiers: tuple[TierRates, ...]  # the base first, then by rising threshold
    unit_rates: Mapping[str, int] = field(default_factory=dict[str, int])  # pico-USD per unit
    request_rate: int = 0  # pico-USD per request
    guessed: frozenset[str] = frozenset()  # buckets that pay another bucket's price for want of their own
    factor: Factor = (1, 1)  # on tokens: a batch at half, a region at 11/10
    reason: str = ""  # why what it gives is an estimate
    is_empty: bool = False  # no price at all


class Bill(NamedTuple):
    """What the arithmetic of one call gives; a tuple, as it is made on the path of a call."""

    parts: Mapping[str, int]  # nano-USD
    rates: Mapping[str, int]
    basis: Mapping[str, str]
    saved_nanousd: int | None


@dataclass(frozen=True, slots=True)
class PriceMatch:
    """Which row of prices a model name led to, and by which step."""

    model: ModelPrices
    provider: str
    step: MatchStep
    is_resold: bool = False  # another provider's row; its variants don't apply
    overrides: tuple[OverrideRow, ...] = ()
    beneath: "PriceMatch | None" = None  # what the table says where no override is in force


@dataclass(frozen=True, slots=True)
class PricedSpan:
    """What is stored of one span and bears on its cost."""

    trace_id: str
    span_id: str
    parent_span_id: str
    type: str
    name: str
    started_ns: int
    provider: str
    request_model: str
    response_model: str
    target: str
    is_rollup: bool
    usage: Usage | None
    cost: Cost | None
    provider_usage: str  # JSON, as the provider wrote it; "" when it was not kept


@dataclass(frozen=True, slots=True)
class CostLine:
    """One product of the sum; `cost_usd` is null where the class has no price."""

    part: str
    title: str
    count: int
    unit: str  # token, use, request
    rate_usd: str | None  # per million tokens, per use, per request
    factor: str  # such as 1/2; "" for none
    cost_usd: str | None
    cost_nanousd: int | None
    text: str


@dataclass(frozen=True, slots=True)
class CostFact:
    """One reason why the sum is as it is."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class CacheFacts:
    read_tokens: int
    written_tokens: int
    input_tokens: int
    hit_rate: float | None
    saved_usd: str | None
    saved_nanousd: int | None


@dataclass(frozen=True, slots=True)
class TodayFacts:
    """What the table of this moment says of the same call, at its own time."""

    price_version: str
    cost_usd: str | None
    cost_nanousd: int | None
    is_same: bool
    text: str


@dataclass(frozen=True, slots=True)
class CostExplanation:
    """How the cost of one span came about. `status` is "" for a span that carries no cost."""

    trace_id: str
    span_id: str
    name: str
    started_at: str
    provider: str
    request_model: str
    response_model: str
    status: str
    reason: str
    cost_usd: str | None
    cost_nanousd: int | None
    lines: Sequence[CostLine]
    total: str
    facts: Sequence[CostFact]
    cache: CacheFacts | None
    today: TodayFacts | None
    advice: str  # what to do; "" when nothing is wrong


@dataclass(frozen=True, slots=True)
class ModelRates:
    """The unit prices of one model under one condition."""

    condition: str  # standard, above 200,000 input tokens, service_tier=flex, ...
    rates_usd: Mapping[str, str]  # bucket -> USD per million tokens; a unit -> USD per use


@dataclass(frozen=True, slots=True)
class ModelPriceList:
    model: str
    row: str
    step: str
    source: str
    price_version: str
    at: str
    rates: Sequence[ModelRates]
