"""Reads `attributes.toml` once into a record; says nothing about what a column means."""

import tomllib
from collections.abc import Mapping, Sequence
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
    usage_object_names: Mapping[str, str]
    types: tuple[TypeRule, ...]
    providers: Mapping[str, str]
    price_providers: Mapping[str, str]
    vendors: Mapping[str, str]
    vendor_prefixes: Mapping[str, str]
    finish_reasons: Mapping[str, str]
    columns_of: Mapping[str, tuple[tuple[str, int], ...]]  # by name, with the rank there
    prefixes: tuple[str, ...]  # of all flattened lists, each with its dot


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    columns: dict[str, tuple[str, ...]]
    indexed: dict[str, tuple[str, ...]]
    parameters: dict[str, str]
    usage_bucket_names: dict[str, str]
    usage_object_names: dict[str, str]
    types: dict[str, dict[str, str | tuple[str, ...]]]
    providers: dict[str, str]
    price_providers: dict[str, str]
    vendors: dict[str, str]
    vendor_prefixes: dict[str, str]
    finish_reasons: dict[str, str]


def read_table(path: Path) -> AttributeTable:
    file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    return AttributeTable(
        version=file.version,
        columns=file.columns,
        indexed=file.indexed,
        parameters=file.parameters,
        usage_bucket_names=file.usage_bucket_names,
        usage_object_names=file.usage_object_names,
        types=tuple(_type_rule(words) for words in file.types.values()),
        providers=file.providers,
        price_providers=file.price_providers,
        vendors=file.vendors,
        vendor_prefixes=file.vendor_prefixes,
        finish_reasons=file.finish_reasons,
        columns_of=_columns_of(file.columns),
        prefixes=tuple(f"{prefix}." for prefixes in file.indexed.values() for prefix in prefixes),
    )


def _columns_of(columns: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[tuple[str, int], ...]]:
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for column, names in columns.items():
        for rank, name in enumerate(names):
            found[name] = (*found.get(name, ()), (column, rank))
    return found


def _type_rule(words: Mapping[str, str | tuple[str, ...]]) -> TypeRule:
    names = words["names"]
    types = {word: SpanType(kind) for word, kind in words.items() if isinstance(kind, str)}
    return TypeRule(names if isinstance(names, tuple) else (names,), types)


TABLE = read_table(Path(__file__).with_name("attributes.toml"))
