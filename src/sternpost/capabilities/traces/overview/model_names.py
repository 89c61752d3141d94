"""Writes the filter that finds the calls of one model, under every name that they carry."""

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[^\s()\"\\]+")


def filter_of(names: Iterable[tuple[str, str]]) -> str:
    """Join (provider, model) pairs into a filter of the traces list; "" where a call named no model."""
    pairs = sorted(set(names))
    if not pairs or any(not model for _, model in pairs):
        return ""
    terms = [
        f"model:{_written(model)}" + (f" provider:{_written(provider)}" if provider else "")
        for provider, model in pairs
    ]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(f'({term})' for term in terms)})"


def _written(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
