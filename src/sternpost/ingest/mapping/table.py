"""Reads `attributes.toml` once into a record; says nothing about what a column means."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sternpost.contracts.span import SpanType


@dataclass(frozen=True, slots=True)
class TypeRule:
    """One convention's word for the kind of a span."""

    names: tuple[str, ...]
    types: Mapping[str, SpanType]  # by the word in lower case


@dataclass(frozen=True, slots=True)
class AttributeTable:
    version: int
    columns: Mapping[str, tuple[str, ...]]
    indexed: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, str]
    usage_bucket_names: Mapping[str, str]
    types: tuple[TypeRule, ...]
    providers: Mapping[str, str]
    price_providers: Mapping[str, str]
    finish_reasons: Mapping[str, str]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    columns: dict[str, tuple[str, ...]]
    indexed: dict[str, tuple[str, ...]]
    parameters: dict[str, str]
    usage_bucket_names: dict[str, str]
    types: dict[str, dict[str, str | tuple[str, ...]]]
    providers: dict[str, str]
    price_providers: dict[str, str]
    finish_reasons: dict[str, str]


def read_table(path: Path) -> AttributeTable:
    file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    return AttributeTable(
        version=file.version,
        columns=file.columns,
        indexed=file.indexed,
        parameters=file.parameters,
        usage_bucket_names=file.usage_bucket_names,
        types=tuple(_type_rule(words) for words in file.types.values()),
        providers=file.providers,
        price_providers=file.price_providers,
        finish_reasons=file.finish_reasons,
    )


def _type_rule(words: Mapping[str, str | tuple[str, ...]]) -> TypeRule:
    names = words["names"]
    types = {word: SpanType(kind) for word, kind in words.items() if isinstance(kind, str)}
    return TypeRule(names if isinstance(names, tuple) else (names,), types)


TABLE = read_table(Path(__file__).with_name("attributes.toml"))
