"""The shapes of the models and providers API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelItem:
    """A name callers may use as `model`: a model of a provider, or a route."""

    id: str
    kind: Literal["model", "route"]
    provider: str
    title: str
    is_configured: bool
    context_tokens: int | None
    max_output_tokens: int | None
    abilities: Sequence[str]  # empty: not described, which says nothing about the model
    retires_on: date | None
    targets: Sequence[str]  # of a route, in order
    input_usd: str | None = None  # for a million tokens, at the standard rate; None: unknown, or a route
    output_usd: str | None = None


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a million tokens cost."""

    input_usd: str | None
    output_usd: str | None


@dataclass(frozen=True, slots=True)
class ModelPage:
    items: Sequence[ModelItem]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ProviderItem:
    """A host of the catalogue or of sternpost.yaml; its key is never part of an answer."""

    name: str
    title: str
    dialect: str
    base_url: str
    is_configured: bool
    fault: str  # why it is not, although a key was given
    key_variable: str
    is_key_written: bool  # in sternpost.yaml itself
    docs_url: str


@dataclass(frozen=True, slots=True)
class ProviderPage:
    items: Sequence[ProviderItem]
    next_cursor: str | None
