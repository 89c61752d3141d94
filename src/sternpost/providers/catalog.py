"""Reads the catalogue, one TOML file per known host; who has a key for it is not its business."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from sternpost.base.errors import ConfigurationError
from sternpost.contracts.call import Dialect
from sternpost.contracts.provider import AuthStyle, ModelFacts, Provider, Quirks

_FOLDER = Path(__file__).parent / "catalog"
_LISTED = "listed.json"  # written by scripts/models.py


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A host of the catalogue: a provider without a key, and its documented models."""

    provider: Provider
    models: tuple[ModelFacts, ...]
    keyless_auth: AuthStyle = "none"  # how it is asked without a key; `none`: it needs the key
    options: Mapping[str, "KnownOption"] = field(default_factory=dict[str, "KnownOption"])
    base_path: str = ""  # ends the address, one of the user's own too, who may have written it or not
    address_variable: str = ""  # where an address of the user's own is looked for
    style: "AddressStyle | None" = None
    facts_of: str = ""  # whose models its deployments are


class AddressStyle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another way a host writes its addresses, used when `option` is set; `{value}` is the option's."""

    option: str
    matches: str  # what the option looks like, as a regular expression
    example: str
    base_path: str = ""
    path_prefix: str = ""
    query: str = ""
    also_speaks: tuple[Dialect, ...] = ()


class KnownOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account at a host is told apart by; `{region}` in its address is filled from it."""

    title: str
    variable: str = ""  # where else it is looked for
    other_variable: str = ""  # and where then
    default: str = ""
    addresses: dict[str, str] = {}  # of values whose base URL is written otherwise


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    prefixes: tuple[str, ...] = ()  # `eu` stands for `eu.{name}` too: the same model, reached another way
    title: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    abilities: tuple[str, ...] = ()
    rejects: tuple[str, ...] = ()
    retires_on: date | None = None
    min_cache_tokens: int | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    dialect: Dialect
    base_url: str
    auth: AuthStyle
    keyless_auth: AuthStyle = "none"
    options: dict[str, KnownOption] = msgspec.field(default_factory=dict[str, KnownOption])
    path_prefix: str = ""
    query: str = ""
    base_path: str = ""
    address_variable: str = ""
    style: AddressStyle | None = None
    facts_of: str = ""
    also_speaks: tuple[Dialect, ...] = ()
    batch_api: Literal["", "openai", "anthropic"] = ""
    key_variable: str = ""
    price_provider: str = ""
    listed: str = ""  # a regular expression: which models of the price table are reached here
    is_free: bool = False
    docs_url: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    quirks: Quirks = Quirks()
    models: tuple[_Model, ...] = ()


def load_catalog(folder: Path = _FOLDER) -> dict[str, KnownHost]:
    """Read every file of the catalogue; a file's name is the provider's name.

    Raises: ConfigurationError naming the file that can't be read.
    """
    listed = _read_listed(folder / _LISTED)
    return {path.stem: _read(path, listed) for path in sorted(folder.glob("*.toml"))}


def _read_listed(path: Path) -> dict[str, dict[str, int]]:
    """Return price provider -> model -> context size, of models that nobody described by hand."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, int]]) if path.exists() else {}


def _read(path: Path, listed: Mapping[str, Mapping[str, int]]) -> KnownHost:
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"the catalogue file {path.name} can't be read: {error}") from error
    provider = Provider(
        name=path.stem,
        title=file.title,
        dialect=file.dialect,
        base_url=file.base_url + file.base_path,
        key_variable=file.key_variable,
        auth=file.auth,
        also_speaks=file.also_speaks,
        headers=file.headers,
        quirks=file.quirks,
        price_provider=file.price_provider,
        is_free=file.is_free,
        docs_url=file.docs_url,
        path_prefix=file.path_prefix,
        query=file.query,
        batch_api=file.batch_api,
    )
    models = tuple(
        ModelFacts(
            provider=path.stem,
            name=name,
            title=model.title,
            context_tokens=model.context_tokens,
            max_output_tokens=model.max_output_tokens,
            abilities=model.abilities,
            rejects=model.rejects,
            retires_on=model.retires_on,
            min_cache_tokens=model.min_cache_tokens,
        )
        for model in file.models
        for name in (model.name, *(f"{prefix}.{model.name}" for prefix in model.prefixes))
    )
    described = {facts.name for facts in models}
    models += tuple(
        ModelFacts(provider=path.stem, name=name, context_tokens=context_tokens)
        for name, context_tokens in listed.get(file.price_provider or path.stem, {}).items()
        if name not in described and re.match(file.listed, name)
    )
    return KnownHost(
        provider,
        models,
        file.keyless_auth,
        file.options,
        base_path=file.base_path,
        address_variable=file.address_variable,
        style=file.style,
        facts_of=file.facts_of,
    )
