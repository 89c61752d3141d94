"""How the facts that Sternpost itself records on a span are stored among its attributes, and read again.

A fact is an attribute of the span under a reserved prefix, which senders of spans can't use. So a capability
records its decision without a migration of the trace store.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Final, Literal, Protocol, TypeAlias

FACT_PREFIX: Final = "sternpost.fact."
FactKind: TypeAlias = Literal["text", "number", "flag"]
FactValue: TypeAlias = str | int | float | bool

_MAX_CHARACTERS = 200
_FLAGS: Mapping[str, bool] = {"true": True, "yes": True, "false": False, "no": False}


class Declared(Protocol):
    """What is declared of a fact."""

    @property
    def kind(self) -> FactKind: ...


def fact_attributes(declared: Mapping[str, Declared], values: Mapping[str, FactValue]) -> dict[str, str]:
    """Return the attributes to record; what is not declared, or not of its declared kind, is left out."""
    return {
        FACT_PREFIX + name: text
        for name, value in values.items()
        if name in declared and (text := fact_text(declared[name], value)) is not None
    }


def fact_text(fact: Declared, value: FactValue) -> str | None:
    """Return the value as it is stored, the same for equal values; None when it is not of the fact's kind."""
    if fact.kind == "text":
        return value[:_MAX_CHARACTERS] if isinstance(value, str) else None
    if fact.kind == "flag":
        flag = _FLAGS.get(value.lower()) if isinstance(value, str) else value
        return str(flag).lower() if isinstance(flag, bool) else None
    return None if isinstance(value, bool) else _number_text(value)


def read_facts(declared: Mapping[str, Declared], attributes: Mapping[str, str]) -> dict[str, FactValue]:
    """Return a span's facts with the types they are declared with; those no longer declared are texts."""
    return {
        name: _read(declared.get(name), text)
        for key, text in attributes.items()
        if key.startswith(FACT_PREFIX) and (name := key.removeprefix(FACT_PREFIX))
    }


def _read(fact: Declared | None, text: str) -> FactValue:
    if fact is None or fact.kind == "text":
        return text
    if fact.kind == "flag":
        return _FLAGS.get(text, text)
    number = _float(text)
    if number is None:
        return text
    return int(number) if number.is_integer() else number


def _number_text(value: FactValue) -> str | None:
    number = _float(value)
    if number is None:
        return None
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _float(value: FactValue) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
