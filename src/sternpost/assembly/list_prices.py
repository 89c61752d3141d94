"""What models cost, as the list of models shows it: for a million tokens, at the standard rates of today."""

from sternpost.base.clock import Clock
from sternpost.base.money import NanoUsd, usd_text
from sternpost.capabilities.models.records import ListPrice
from sternpost.contracts.provider import Provider
from sternpost.contracts.usage import Usage
from sternpost.gateway.services import PriceCall

_TOKENS = 1000  # below every threshold of a dearer tier
_PER_MILLION = 1_000_000 // _TOKENS
_INPUT, _OUTPUT = Usage(in_fresh=_TOKENS), Usage(out_text=_TOKENS)


class ListPrices:
    """Looks prices up; blocking for a moment where a provider's table is read for the first time."""

    def __init__(self, price: PriceCall, clock: Clock) -> None:
        self._price = price
        self._clock = clock

    def of(self, provider: Provider, model: str) -> ListPrice:
        """Return the price of a model; None in it where no price is known."""
        return ListPrice(
            self._per_million(provider, model, _INPUT), self._per_million(provider, model, _OUTPUT)
        )

    def _per_million(self, provider: Provider, model: str, usage: Usage) -> str | None:
        base_model = provider.deployments.get(model, model)
        cost = self._price(
            provider=provider.name,
            model=model,
            fallback_model=base_model,
            usage=usage,
            started_ns=self._clock.now_ns(),
            is_free=provider.is_free,
        )
        return None if cost.nanousd is None else usd_text(NanoUsd(cost.nanousd * _PER_MILLION))
