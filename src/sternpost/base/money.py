"""Amounts of money as integers; no prices and no currencies but US dollars."""

from decimal import Decimal
from typing import NewType

NanoUsd = NewType("NanoUsd", int)  # 1e-9 USD; 64 bits reach 9.2 billion USD
PicoUsd = NewType("PicoUsd", int)  # 1e-12 USD, the unit of a price per token

_NANO = 1_000_000_000


def usd_text(amount: NanoUsd) -> str:
    """Write an amount as an exact decimal string without an exponent, e.g. `0.0000042`."""
    sign = "-" if amount < 0 else ""
    whole, nanos = divmod(abs(amount), _NANO)
    fraction = f"{nanos:09d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def nanousd_from_usd(amount: Decimal) -> NanoUsd:
    """Convert dollars to nano-USD, rounding half to even."""
    return NanoUsd(int((amount * _NANO).quantize(Decimal(1))))
