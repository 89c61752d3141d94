"""What one can ask about costs: how one came about, what a model costs; pricing calls is `service`'s."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sternpost.base.clock import Clock
from sternpost.base.errors import BadRequest, NotFound
from sternpost.base.ids import ProjectId
from sternpost.base.threads import READS
from sternpost.capabilities.cost.cards import make_card
from sternpost.capabilities.cost.explain import decimal_text, explain, iso_time
from sternpost.capabilities.cost.records import (
    CostExplanation,
    ModelPriceList,
    ModelRates,
    PricedSpan,
    PriceMatch,
    RateCard,
)
from sternpost.capabilities.cost.rules import BUCKETS
from sternpost.capabilities.cost.service import PriceBook
from sternpost.capabilities.cost.span_store import SpanReads
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus

_SPAN_ID = re.compile("[0-9a-f]{16}")
_TRACE_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Names:
    """The names under which a span's price is looked for."""

    provider: str
    model: str
    fallback_model: str


class CostExplanations:
    """Verbs on the costs of one project at a time."""

    def __init__(
        self,
        store: TraceStore,
        prices: Callable[[], PriceBook],
        clock: Clock,
        *,
        query_timeout_s: float | None = None,
    ) -> None:
        """prices: returns those in force now."""
        self._store = store
        self._prices = prices
        self._clock = clock
        self._timeout_s = query_timeout_s

    async def explain_span(self, project_id: ProjectId, span_id: str, trace_id: str = "") -> CostExplanation:
        """Say how the cost of a span came about, at the rates recorded with it.

        trace_id: makes the search short. Raises: BadRequest, NotFound; StoreError.
        """
        if not _SPAN_ID.fullmatch(span_id):
            raise BadRequest(f"{span_id[:40]!r} is not a span id: 16 hex digits", param="span_id")
        if trace_id and not _TRACE_ID.fullmatch(trace_id):
            raise BadRequest(f"{trace_id[:40]!r} is not a trace id: 32 hex digits", param="trace_id")
        reads = SpanReads(self._store, project_id, self._timeout_s)
        span = await READS.run(reads.find, span_id, trace_id, self._clock.now_ns())
        if span is None:
            raise NotFound(
                f"there is no span {span_id!r} in this project; a call shows about a second after it ends"
            )
        names = self._names(span)
        return explain(span, self._again(span, names), self._thresholds(span, names), self._prices().source)

    def prices_of(self, model: str) -> ModelPriceList:
        """List the unit prices of one model that are in force now.

        model: provider/model. Raises: BadRequest, NotFound.
        """
        provider, _, name = model.partition("/")
        if not provider or not name:
            raise BadRequest(f"write the model as provider/model, not {model[:80]!r}", param="model")
        match = self._prices().find(provider, name, "")
        if match is None:
            raise NotFound(f"no price is known for {model[:80]!r}; add one under `prices:` in sternpost.yaml")
        now_ns = self._clock.now_ns()
        standard = make_card(match, "", "", now_ns)
        basis: Mapping[str, str] = standard.tiers[0].basis if standard.tiers else dict[str, str]()
        return ModelPriceList(
            model=model,
            row=basis.get("row", f"{match.provider}/{match.model.id}"),
            step=basis.get("step", match.step),
            source=basis.get("source", self._prices().source),
            price_version=self._prices().version,
            at=iso_time(now_ns),
            rates=[*_rates_of(standard, "standard"), *_variants(match, now_ns)],
        )

    def _names(self, span: PricedSpan) -> _Names:
        """Prefer the names of the call; where they lead elsewhere, those of the row it was priced by.

        A deployment has a name of its own, and applications call providers by other names than the table.
        """
        asked = span.target.partition("/")[2] or span.request_model.removeprefix(f"{span.provider}/")
        names = _Names(span.provider, span.response_model, asked)
        row = span.cost.basis.get("row", "") if span.cost else ""
        match = self._prices().find(names.provider, names.model, names.fallback_model)
        while match is not None:
            if not row or f"{match.provider}/{match.model.id}" == row:
                return names
            if match.step != "override" or match.beneath is None:
                break
            match = match.beneath
        if not row:
            return names
        provider, _, model = row.partition("/")
        return _Names(provider, model, model)

    def _again(self, span: PricedSpan, names: _Names) -> Cost:
        """Price the same usage at the same time by the table in force now."""
        if span.cost is None:
            return Cost(CostStatus.UNKNOWN)
        return self._prices().price(
            provider=names.provider,
            model=names.model,
            fallback_model=names.fallback_model,
            usage=span.usage,
            started_ns=span.started_ns,
            is_free=span.cost.status is CostStatus.FREE,
            processing="batch" if span.cost.basis.get("tier") == "batch" else "",
        )

    def _thresholds(self, span: PricedSpan, names: _Names) -> list[int]:
        match = self._prices().find(names.provider, names.model, names.fallback_model)
        if match is None:
            return []
        return [tier.above for tier in make_card(match, "", "", span.started_ns).tiers[1:]]


def _variants(match: PriceMatch, at_ns: int) -> Iterator[ModelRates]:
    """Yield what other tiers cost, each once."""
    tiers = [row.service_tier for row in match.overrides if row.service_tier]
    tiers += ["batch"] if any(row.batch_factor for row in match.overrides) else []
    for variant in match.model.variants:
        for name, value in variant.when.items():
            if name in ("processing", "service_tier", "speed") and variant.rates:
                tiers.append(value)
    for tier in dict.fromkeys(tiers):
        card = make_card(match, tier, "", at_ns)
        if not card.reason:
            yield from _rates_of(card, tier)


def _rates_of(card: RateCard, condition: str) -> Iterator[ModelRates]:
    numerator, denominator = card.factor
    uses = {unit: decimal_text(Decimal(rate) / 10**12) for unit, rate in card.unit_rates.items()}
    for tier in card.tiers:
        tokens = {
            bucket: decimal_text(Decimal(rate * numerator) / denominator / 10**6)
            for bucket, rate in zip(BUCKETS, tier.rates, strict=True)
            if rate is not None and bucket not in card.guessed
        }
        above = f"{condition}, above {tier.above:,} input tokens" if tier.above >= 0 else condition
        yield ModelRates(above, tokens | uses)
