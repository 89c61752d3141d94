"""Prices one call in microseconds: finds the row for a model name and applies the rules; keeps no ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

import msgspec

from sternpost.base.money import NanoUsd
from sternpost.capabilities.cost.arithmetic import bill
from sternpost.capabilities.cost.cards import choose_override, make_card
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.overrides import compile_overrides
from sternpost.capabilities.cost.records import (
    ModelPrices,
    PriceMatch,
    PriceTable,
    ProviderPrices,
    RateCard,
)
from sternpost.capabilities.cost.regions import region_of
from sternpost.capabilities.cost.rules import DAY_NS, first, matches, plain_tier, undated
from sternpost.capabilities.cost.store import decode_provider, read_table
from sternpost.contracts.usage import Cost, CostStatus, Usage, UsageSource

_REASON_OF_SOURCE = {UsageSource.PARTIAL: "cut_stream", UsageSource.ESTIMATED: "tokenizer_estimate"}
_MOST_REMEMBERED = 4096  # names come from callers, so what is remembered of them is bounded


class PriceBook:
    """The compiled table under its overrides; one per process, shared by gateway and ingest."""

    def __init__(
        self,
        table: PriceTable,
        table_bytes: bytes,
        overrides: Sequence[PriceEntry] = (),
        provider_aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._table = table
        self._aliases = dict(provider_aliases or {})
        self._overrides = compile_overrides(overrides)
        self._providers: dict[str, ProviderPrices] = {}
        self._names: dict[str, dict[str, ModelPrices]] = {}
        self._found: dict[tuple[str, str, str], PriceMatch | None] = {}
        self._cards: dict[tuple[str, str, str, str, str, int], RateCard] = {}
        digest = blake2b(table_bytes, digest_size=6)
        digest.update(msgspec.json.encode([(*key, str(rows)) for key, rows in self._overrides.items()]))
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
        processing: str = "",
    ) -> Cost:
        """Price one call at the rates in force when it started.

        model: the name the provider answered with; fallback_model: the one it was asked for.
        processing: `batch` for a line of a batch; it chooses the price before the tier that came back.
        """
        tier = plain_tier(usage.service_tier if usage else "", processing)
        if is_free and not self._is_overridden(provider, model, fallback_model, started_ns):
            return Cost(status=CostStatus.FREE, nanousd=NanoUsd(0), price_version=self.version)
        if usage is None:
            return self._unknown("no_usage")
        match = self.find(provider, model, fallback_model)
        if match is None and usage.reported_nanousd is None:
            return self._unknown("model_unmatched")
        place = region_of(match, usage.region, (model, fallback_model)) if match else ""
        computed = self._computed(match, usage, self._card(match, tier, place, started_ns)) if match else None
        if usage.reported_nanousd is not None:
            return self._reported(usage.reported_nanousd, computed)
        return computed or self._unknown("model_unmatched")

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

    @property
    def source(self) -> str:
        """Return which table is shipped, e.g. `genai-prices 0.2.3`."""
        return self._table.source

    def _is_overridden(self, provider: str, model: str, fallback_model: str, started_ns: int) -> bool:
        """A price someone wrote for a model wins over its provider being declared free."""
        if not self._overrides:
            return False
        match = self.find(provider, model, fallback_model)
        if match is None or match.step != "override":
            return False
        return choose_override(match.overrides, "", "", started_ns // DAY_NS)[0] is not None

    def _computed(self, match: PriceMatch, usage: Usage, card: RateCard) -> Cost:
        if card.is_empty:
            if match.model.id.endswith(":free"):  # OpenRouter's name for a model without charge
                return Cost(status=CostStatus.FREE, nanousd=NanoUsd(0), price_version=self.version)
            return self._unknown("price_missing")
        found = bill(card, usage)
        if isinstance(found, str):
            return self._unknown(found)
        reason = card.reason
        if not card.guessed.isdisjoint(found.parts):
            reason = "variant_missing" if "in_cache_write_1h" in found.parts else "class_unpriced"
        if usage.is_mismatch:
            reason = "usage_mismatch"
        reason = _REASON_OF_SOURCE.get(usage.source, reason)
        return Cost(
            status=CostStatus.ESTIMATED if reason else CostStatus.COMPUTED,
            nanousd=NanoUsd(sum(found.parts.values())),
            parts=found.parts,
            price_version=self.version,
            reason=reason or ("family_rule" if match.step == "family_rule" else ""),
            rates=found.rates,
            basis=found.basis,
            saved_nanousd=found.saved_nanousd,
        )

    def _reported(self, reported: NanoUsd, computed: Cost | None) -> Cost:
        """Keep the provider's own amount; our parts stay beside it and a gap over 1 % is said."""
        if computed is None or computed.nanousd is None:
            return Cost(CostStatus.PROVIDER_REPORTED, reported, price_version=self.version)
        is_far_off = abs(computed.nanousd - reported) * 100 > reported
        return replace(
            computed,
            status=CostStatus.PROVIDER_REPORTED,
            nanousd=reported,
            reason="computed_differs" if is_far_off else "",
        )

    def _unknown(self, reason: str) -> Cost:
        return Cost(status=CostStatus.UNKNOWN, price_version=self.version, reason=reason)

    def _card(self, match: PriceMatch, tier: str, region: str, started_ns: int) -> RateCard:
        """Return the rates at a moment, remembered by the minute."""
        # Rows change at a UTC day or a UTC minute of the day, so a minute has one answer.
        has_one_row = len(match.model.rows) == 1 and not match.model.variants and not match.overrides
        minute = 0 if has_one_row else started_ns // 60_000_000_000
        key = (match.provider, match.model.id, match.step, tier, region, minute)
        try:
            return self._cards[key]
        except KeyError:
            if len(self._cards) >= _MOST_REMEMBERED:
                self._cards.clear()
            card = self._cards[key] = make_card(match, tier, region, started_ns)
            return card

    def _search(self, provider: str, names: tuple[str, ...]) -> PriceMatch | None:
        for name in names:
            if rows := self._overrides.get((provider, name)):
                beneath = self._search_table(provider, names)
                return PriceMatch(ModelPrices(name), provider, "override", overrides=rows, beneath=beneath)
        return self._search_table(provider, names)

    def _search_table(self, provider: str, names: tuple[str, ...]) -> PriceMatch | None:
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
    overrides: Sequence[PriceEntry] = (), provider_aliases: Mapping[str, str] | None = None
) -> PriceBook:
    """Read the shipped table under the overrides of the configuration.

    provider_aliases: provider name -> its name in the price table, where they differ.
    Raises: ConfigurationError for an override that can't be right.
    """
    table, table_bytes = read_table()
    return PriceBook(table, table_bytes, overrides, provider_aliases)
