"""Prices one call in microseconds: finds the row for a model name and applies the rules; keeps no ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

import msgspec

from windlass.base.errors import ConfigurationError
from windlass.base.money import NanoUsd
from windlass.capabilities.cost.records import (
    ModelPrices,
    PriceMatch,
    PriceOverride,
    PriceRow,
    PriceTable,
    ProviderPrices,
    RateCard,
)
from windlass.capabilities.cost.rules import (
    HALF_PRICE_BATCH,
    explain,
    first,
    matches,
    override_rates,
    parts_of,
    price_context,
    rate_card,
    rates_at,
    undated,
)
from windlass.capabilities.cost.store import decode_provider, read_table
from windlass.contracts.usage import Cost, CostStatus, Usage, UsageSource

_REASON_OF_SOURCE = {UsageSource.PARTIAL: "cut_stream", UsageSource.ESTIMATED: "tokenizer_estimate"}
_MOST_REMEMBERED = 4096  # names come from callers, so what is remembered of them is bounded

explain_cost = explain


class PriceBook:
    """The compiled table under its overrides; one per process, shared by gateway and ingest."""

    def __init__(
        self,
        table: PriceTable,
        table_bytes: bytes,
        overrides: Sequence[PriceOverride] = (),
        provider_aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._table = table
        self._aliases = dict(provider_aliases or {})
        self._overrides = _compile_overrides(overrides)
        self._providers: dict[str, ProviderPrices] = {}
        self._names: dict[str, dict[str, ModelPrices]] = {}
        self._found: dict[tuple[str, str, str], PriceMatch | None] = {}
        self._cards: dict[tuple[str, str, str, str, int], tuple[RateCard, str]] = {}
        digest = blake2b(table_bytes, digest_size=6)
        digest.update(msgspec.json.encode([(o.model, str(override_rates(o))) for o in overrides]))
        self.version = digest.hexdigest()

    def price(
        self,
        *,
        provider: str,
        model: str,
        fallback_model: str,
        usage: Usage | None,
        started_ns: int,
        is_free: bool = False,
    ) -> Cost:
        """Price one call at the rates in force when it started.

        model: the name the provider answered with; fallback_model: the one it was asked for.
        """
        if is_free and not self._is_overridden(provider, model, fallback_model):
            return Cost(status=CostStatus.FREE, nanousd=NanoUsd(0), price_version=self.version)
        if usage is None:
            return self._unknown("no_usage")
        match = self.find(provider, model, fallback_model)
        if usage.reported_nanousd is not None:
            return self._reported(usage.reported_nanousd, match, usage, started_ns)
        if match is None:
            return self._unknown("model_unmatched")
        return self._computed(match, usage, started_ns)

    def find(self, provider: str, model: str, fallback_model: str) -> PriceMatch | None:
        """Say which model of the table a call's names lead to; None when no rule does."""
        key = (provider, model, fallback_model)
        try:
            return self._found[key]
        except KeyError:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            found = self._found[key] = self._search(provider.strip().lower(), first((model, fallback_model)))
            return found

    def _is_overridden(self, provider: str, model: str, fallback_model: str) -> bool:
        """A price someone wrote for a model wins over its provider being declared free."""
        if not self._overrides:
            return False
        match = self.find(provider, model, fallback_model)
        return match is not None and match.step == "override"

    def _computed(self, match: PriceMatch, usage: Usage, started_ns: int) -> Cost:
        card, reason = self._card(match, usage.service_tier, started_ns)
        if card.is_empty:
            if match.model.id.endswith(":free"):  # OpenRouter's name for a model without charge
                return Cost(status=CostStatus.FREE, nanousd=NanoUsd(0), price_version=self.version)
            return self._unknown("price_missing")
        parts = parts_of(card, usage)
        if isinstance(parts, str):
            return self._unknown(parts)
        if card.is_write_1h_guessed and usage.in_cache_write_1h:
            reason = "variant_missing"
        if usage.is_mismatch:
            reason = "usage_mismatch"
        reason = _REASON_OF_SOURCE.get(usage.source, reason)
        return Cost(
            status=CostStatus.ESTIMATED if reason else CostStatus.COMPUTED,
            nanousd=NanoUsd(sum(parts.values())),
            parts=parts,
            price_version=self.version,
            reason=reason or ("family_rule" if match.step == "family_rule" else ""),
        )

    def _reported(self, reported: NanoUsd, match: PriceMatch | None, usage: Usage, started_ns: int) -> Cost:
        """Keep the provider's own amount; our parts stay beside it and a gap over 1 % is said."""
        computed = self._computed(match, usage, started_ns) if match else None
        reason = ""
        if computed and computed.nanousd is not None and abs(computed.nanousd - reported) * 100 > reported:
            reason = "computed_differs"
        return Cost(
            status=CostStatus.PROVIDER_REPORTED,
            nanousd=reported,
            parts=computed.parts if computed else {},
            price_version=self.version,
            reason=reason,
        )

    def _unknown(self, reason: str) -> Cost:
        return Cost(status=CostStatus.UNKNOWN, price_version=self.version, reason=reason)

    def _card(self, match: PriceMatch, service_tier: str, started_ns: int) -> tuple[RateCard, str]:
        """Return the rates at a moment, remembered by the minute, and why they are an estimate."""
        # Rows change at a UTC day or a UTC minute of the day, so a minute has one answer.
        key = (match.provider, match.model.id, match.step, service_tier, started_ns // 60_000_000_000)
        if len(match.model.rows) == 1 and not match.model.variants:
            key = (*key[:4], 0)
        try:
            return self._cards[key]
        except KeyError:
            if len(self._cards) >= _MOST_REMEMBERED:
                self._cards.clear()
            card = self._cards[key] = _make_card(match, service_tier, started_ns)
            return card

    def _search(self, provider: str, names: tuple[str, ...]) -> PriceMatch | None:
        for name in names:
            if model := self._overrides.get((provider, name)):
                return PriceMatch(model, provider, "override")
        home = self._aliases.get(provider, provider)
        if home not in self._table.providers:
            return None
        for place in (home, *self._provider(home).fallbacks):
            if found := self._search_in(place, names):
                return replace(found, is_resold=place != home)
        return None

    def _search_in(self, provider: str, names: tuple[str, ...]) -> PriceMatch | None:
        known = self._names_of(provider)
        for name in names:
            if model := known.get(name):
                return PriceMatch(model, provider, "exact")
        models = self._provider(provider).models
        for name in names:  # a rule may name a date exactly, so rules of patterns go before dropping it
            for model in models:
                if any(clause.regex and matches(clause, name) for clause in model.rules):
                    return PriceMatch(model, provider, "exact")
        for name in names:
            if model := known.get(undated(name)):
                return PriceMatch(model, provider, "dated")
        for name in names:
            for model in models:
                if any(matches(clause, name) for clause in model.rules):
                    return PriceMatch(model, provider, "family_rule")
        return None

    def _provider(self, provider: str) -> ProviderPrices:
        found = self._providers.get(provider)
        if found is None:
            found = self._providers[provider] = decode_provider(self._table, provider)
        return found

    def _names_of(self, provider: str) -> dict[str, ModelPrices]:
        """Index fixed spellings; where two models claim one name, the first in the table has it."""
        known = self._names.get(provider)
        if known is None:
            known = dict[str, ModelPrices]()
            for model in self._provider(provider).models:
                for name in model.names:
                    known.setdefault(name, model)
            for model in self._provider(provider).models:
                known.setdefault(model.id.lower(), model)
            self._names[provider] = known
        return known


def open_price_book(
    overrides: Sequence[PriceOverride] = (), provider_aliases: Mapping[str, str] | None = None
) -> PriceBook:
    """Read the shipped table under the overrides of the configuration.

    provider_aliases: provider name -> its name in the price table, where they differ.
    Raises: ConfigurationError for an override that can't be right.
    """
    table, table_bytes = read_table()
    return PriceBook(table, table_bytes, overrides, provider_aliases)


def _make_card(match: PriceMatch, service_tier: str, started_ns: int) -> tuple[RateCard, str]:
    context = price_context(service_tier)
    rates, has_variant = rates_at(match.model, started_ns, {} if match.is_resold else context)
    if not context or has_variant:
        return rate_card(rates), ""
    card = rate_card(rates)
    if context == {"processing": "batch"} and match.provider in HALF_PRICE_BATCH:
        card = replace(card, divisor=2000)
    return card, "variant_missing"


def _compile_overrides(overrides: Iterable[PriceOverride]) -> dict[tuple[str, str], ModelPrices]:
    compiled: dict[tuple[str, str], ModelPrices] = {}
    for override in overrides:
        provider, separator, model = override.model.partition("/")
        if not separator or not provider or not model:
            raise ConfigurationError(f"prices: write the model as provider/model, not {override.model!r}")
        row = PriceRow(rates=override_rates(override))
        compiled[provider.lower(), model.lower()] = ModelPrices(id=model, rows=(row,))
    return compiled
