"""What a client says a span cost, and the prices we ask; no price is kept here."""

from decimal import Decimal, InvalidOperation
from typing import Protocol

from sternpost.base.money import NanoUsd, nanousd_from_usd
from sternpost.contracts.message import Json
from sternpost.contracts.usage import Cost, Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.values import as_text, is_mapping

_MOST_USD = Decimal(1_000_000)


class Prices(Protocol):
    """The part of the price book that the intake needs."""

    def price(
        self, *, provider: str, model: str, fallback_model: str, usage: Usage | None, started_ns: int
    ) -> Cost: ...


def read_cost(attributes: Attributes) -> NanoUsd | None:
    """Read an amount in dollars; None if there is no plausible one."""
    whole = attributes.value("client_cost_usd")
    parts = attributes.json("client_cost_parts")
    if whole is not None:
        return _nanousd(whole)
    if not is_mapping(parts):
        return None
    if "total" in parts:
        return _nanousd(parts["total"])
    amounts = [_nanousd(part) for part in parts.values()]
    return NanoUsd(sum(amount for amount in amounts if amount is not None)) if any(amounts) else None


def _nanousd(value: Json) -> NanoUsd | None:
    try:
        usd = Decimal(as_text(value))
    except InvalidOperation:
        return None
    return nanousd_from_usd(usd) if usd.is_finite() and 0 <= usd <= _MOST_USD else None
