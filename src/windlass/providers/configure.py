"""Joins the catalogue with what the configuration says into the providers of this process; calls nobody."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from windlass.base.errors import ConfigurationError
from windlass.contracts.call import Dialect
from windlass.contracts.provider import AuthStyle, Catalog, Provider, Secret
from windlass.providers.catalog import KnownHost, load_catalog

_OFFLINE = "offline"
_AUTH_OF_DIALECT: Mapping[Dialect, AuthStyle] = {"openai_chat": "bearer", "anthropic": "x-api-key"}


@dataclass(frozen=True, slots=True)
class ProviderSetting:
    """One entry of `providers:`. A value read from an unset variable is None and `is_key_expected`."""

    name: str
    dialect: Dialect | None = None
    base_url: str | None = None
    api_key: str | None = None
    is_key_expected: bool = False  # `api_key` stands in the file, whatever became of it
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_free: bool = False


def configure(
    settings: Iterable[ProviderSetting],
    environment: Mapping[str, str],
    hosts: Mapping[str, KnownHost] | None = None,
) -> Catalog:
    """Return every provider: the configured ones, and the rest of the catalogue as known only.

    A host of the catalogue whose key variable is set needs no entry. A missing key is no error here:
    the provider refuses its calls. Raises: ConfigurationError for an entry that can't be meant.
    """
    known = load_catalog() if hosts is None else hosts
    providers = {name: _from_environment(host.provider, environment) for name, host in known.items()}
    for setting in settings:
        if setting.name in known:
            providers[setting.name] = _known(known[setting.name].provider, setting, environment)
        else:
            providers[setting.name] = _custom(setting, known)
    models = {f"{facts.provider}/{facts.name}": facts for host in known.values() for facts in host.models}
    return Catalog(providers, models)


def price_names(catalog: Catalog) -> dict[str, str]:
    """Return provider name -> its name in the price table, where they differ."""
    return {p.name: p.price_provider for p in catalog.providers.values() if p.price_provider}


def _from_environment(provider: Provider, environment: Mapping[str, str]) -> Provider:
    key = _key(provider.name, environment.get(provider.key_variable)) if provider.key_variable else ""
    return replace(provider, api_key=Secret(key), is_known_only=not key and provider.name != _OFFLINE)


def _known(provider: Provider, setting: ProviderSetting, environment: Mapping[str, str]) -> Provider:
    if setting.dialect is not None and setting.dialect != provider.dialect:
        raise ConfigurationError(
            f"providers.{setting.name}: its dialect is {provider.dialect!r}; leave `dialect` out,"
            " or give the provider another name"
        )
    key = _key(setting.name, setting.api_key or environment.get(provider.key_variable))
    needs_key = setting.is_key_expected or bool(provider.key_variable)
    return replace(
        provider,
        base_url=_checked(setting.name, setting.base_url or provider.base_url),
        api_key=Secret(key),
        auth=_AUTH_OF_DIALECT[provider.dialect] if key and provider.auth == "none" else provider.auth,
        headers={**provider.headers, **_headers(setting)},
        is_free=setting.is_free or provider.is_free,
        is_known_only=needs_key and not key,
    )


def _custom(setting: ProviderSetting, known: Mapping[str, KnownHost]) -> Provider:
    if setting.dialect is None:
        near = difflib.get_close_matches(setting.name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "give it a `dialect` and a `base_url`"
        raise ConfigurationError(f"providers.{setting.name}: the catalogue has no such host; {hint}")
    if "/" in setting.name or not setting.name:
        raise ConfigurationError(f"providers.{setting.name}: a provider's name is one word without '/'")
    key = _key(setting.name, setting.api_key)
    is_ready = bool(setting.base_url) and (bool(key) or not setting.is_key_expected)
    return Provider(
        name=setting.name,
        title=setting.name,
        dialect=setting.dialect,
        base_url=_checked(setting.name, setting.base_url) if setting.base_url else "",
        api_key=Secret(key),
        auth=_AUTH_OF_DIALECT[setting.dialect] if key else "none",
        headers=_headers(setting),
        is_free=setting.is_free,
        is_known_only=not is_ready,
    )


def _checked(name: str, base_url: str) -> str:
    """Return the address as it is used. A refusal never repeats it: a key may stand in its place."""
    place = f"providers.{name}.base_url"
    if not base_url.startswith(("http://", "https://", "offline://")):
        raise ConfigurationError(f"{place}: must begin with http:// or https://")
    try:
        parts = urlsplit(base_url)
        is_whole = bool(parts.hostname) and parts.port != 0 and _is_plain(base_url)
    except ValueError:  # a port that is none, or half an IPv6 address
        is_whole = False
        parts = urlsplit("")
    if not is_whole:
        raise ConfigurationError(f"{place}: is no address; write one such as http://127.0.0.1:9000/v1")
    if parts.username is not None:
        raise ConfigurationError(
            f"{place}: must not hold a user or password, because addresses are shown; use `api_key`, "
            "or `headers` with `authorization`"
        )
    return base_url.rstrip("/")


def _key(name: str, text: str | None) -> str:
    """Return a key without the line break that files and shells leave at its end."""
    key = (text or "").strip()
    if not _is_plain(key):
        raise ConfigurationError(
            f"providers.{name}.api_key: has a space, a line break or a letter that no key has; copy it again"
        )
    return key


def _headers(setting: ProviderSetting) -> Mapping[str, str]:
    for header, value in setting.headers.items():
        if not (header and _is_plain(header) and value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"providers.{setting.name}.headers: a name or value can't be sent; use printable ASCII "
                "on one line"
            )
    return setting.headers


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
