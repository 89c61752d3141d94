"""Joins the catalogue with what the configuration says into the providers of this process; calls nobody."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from sternpost.base.errors import ConfigurationError
from sternpost.base.web_address import checked_address, is_plain
from sternpost.contracts.call import Dialect
from sternpost.contracts.provider import SIGNED, AuthStyle, Catalog, ModelFacts, Provider, Quirks, Secret
from sternpost.dialects.addresses import completed
from sternpost.dialects.registry import UPSTREAM_CODECS
from sternpost.providers.catalog import KnownHost, KnownOption, load_catalog

_OFFLINE = "offline"
_KEYLESS = SIGNED | {"none"}
_OWN_KEY_STARTS = ("sp-", "wl-")  # of Sternpost's keys; no provider's key begins so
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ProviderSetting:
    """One entry of `providers:`. A value read from an unset variable is None and `is_key_expected`."""

    name: str
    dialect: Dialect | None = None
    base_url: str | None = None
    api_key: str | None = None
    is_key_expected: bool = False  # `api_key` stands in the file, whatever became of it
    key_variable: str = ""  # that `api_key` is read from; empty: none, or the catalogue's
    is_address_expected: bool = False  # `base_url` stands in the file, whatever became of it
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_free: bool = False
    also_speaks: tuple[Dialect, ...] | None = None  # None: what the catalogue says
    auth: AuthStyle | None = None  # None: by the host, and by whether there is a key
    options: Mapping[str, str] = field(default_factory=dict[str, str])  # region, project, ...
    deployments: Mapping[str, str] = field(default_factory=dict[str, str])
    like: str | None = None  # the host of the catalogue that it is another account at


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
    providers = {name: _from_environment(host, environment) for name, host in known.items()}
    accounts = dict(known)
    for setting in settings:
        host = _host(setting, known)
        if host is not None:
            accounts[setting.name] = host
            providers[setting.name] = _known(host, setting, environment)
        else:
            providers[setting.name] = _custom(setting, known)
    models = {f"{facts.provider}/{facts.name}": facts for host in accounts.values() for facts in host.models}
    return Catalog(providers, {**models, **_deployed(providers, accounts, models)})


def _host(setting: ProviderSetting, known: Mapping[str, KnownHost]) -> KnownHost | None:
    """Return the host of the catalogue that an entry is an account at; None: it is at no known host."""
    if setting.like is None:
        return known.get(setting.name)
    place = f"providers.{setting.name}.like"
    if setting.name in known:
        raise ConfigurationError(f"{place}: {setting.name!r} is in the catalogue itself; choose another name")
    if setting.like not in known:
        near = difflib.get_close_matches(setting.like, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "`sternpost provider list` names what it has"
        raise ConfigurationError(f"{place}: the catalogue has no {setting.like!r}; {hint}")
    _check_name(setting.name)
    host = known[setting.like]
    price_provider = host.provider.price_provider or setting.like
    return replace(
        host,
        provider=replace(host.provider, name=setting.name, price_provider=price_provider),
        models=tuple(replace(facts, provider=setting.name) for facts in host.models),
    )


def _deployed(
    providers: Mapping[str, Provider], accounts: Mapping[str, KnownHost], models: Mapping[str, ModelFacts]
) -> dict[str, ModelFacts]:
    """Return the facts of each deployment: those of the model it is, under the name it has at its host."""
    found: dict[str, ModelFacts] = {}
    for provider in providers.values():
        account = accounts.get(provider.name)
        home = (account.facts_of if account is not None else "") or provider.name
        for name, base_model in provider.deployments.items():
            facts = models.get(f"{home}/{base_model}")
            if facts is not None:
                found[f"{provider.name}/{name}"] = replace(facts, provider=provider.name, name=name)
    return found


def price_names(catalog: Catalog) -> dict[str, str]:
    """Return provider name -> its name in the price table, where they differ."""
    return {p.name: p.price_provider for p in catalog.providers.values() if p.price_provider}


def _from_environment(host: KnownHost, environment: Mapping[str, str]) -> Provider:
    """A host that nobody named is there when its key is set and its address needs nothing else."""
    provider = host.provider
    options = _options(host, {}, environment)
    key = _key(provider.name, environment.get(provider.key_variable)) if provider.key_variable else ""
    if _is_own(key):
        return replace(provider, is_known_only=True, fault=_own_key_sentence(provider.key_variable))
    own = _own_address(host, {}, environment) if key else ""
    base_url = _completed(host, own) if own else _filled(_template(host, options), options)
    is_ready = bool(key) and not _PLACEHOLDER.search(base_url)
    return _in_style(
        host,
        replace(
            provider,
            base_url=base_url,
            api_key=Secret(key),
            options=options,
            is_known_only=not is_ready and provider.name != _OFFLINE,
        ),
    )


def _known(host: KnownHost, setting: ProviderSetting, environment: Mapping[str, str]) -> Provider:
    provider = host.provider
    if setting.dialect is not None and setting.dialect != provider.dialect:
        raise ConfigurationError(
            f"providers.{setting.name}: its dialect is {provider.dialect!r}; leave `dialect` out,"
            " or give the provider another name"
        )
    is_elsewhere = _is_elsewhere(host, setting)
    found_key = "" if is_elsewhere else environment.get(provider.key_variable)
    key = _key(setting.name, setting.api_key or found_key)
    variable = setting.key_variable or ("" if setting.api_key else provider.key_variable)
    fault = _fault_of(setting, key, variable)
    key = "" if fault else key
    auth = setting.auth or _auth(host, has_key=bool(key))
    is_withheld = is_elsewhere and not key and _has_implicit(auth, setting, provider, environment)
    needs_key = setting.is_key_expected or (bool(provider.key_variable) and auth not in _KEYLESS)
    options = _options(host, setting.options, environment)
    is_key_written = _is_key_written(setting)
    found = replace(
        provider,
        base_url=_address(host, setting, options, environment),
        api_key=Secret(key),
        key_variable=setting.key_variable or ("" if is_key_written else provider.key_variable),
        is_key_written=is_key_written,
        auth=auth,
        options=options,
        deployments=setting.deployments,
        headers={**provider.headers, **_headers(setting)},
        is_free=setting.is_free or provider.is_free,
        is_known_only=bool(fault)
        or (needs_key and not key)
        or is_withheld
        or (setting.is_address_expected and not setting.base_url),
        fault=fault,
        is_key_withheld=is_withheld,
    )
    styled = _in_style(host, found)
    return styled if setting.also_speaks is None else replace(styled, also_speaks=setting.also_speaks)


def _is_elsewhere(host: KnownHost, setting: ProviderSetting) -> bool:
    """Say whether the file sends calls, and so the shell's key, to another site or without encryption."""
    if not setting.base_url:
        return False
    asked, own = urlsplit(setting.base_url.lower()), urlsplit(host.provider.base_url)
    if asked.scheme != own.scheme and own.scheme == "https":
        return True
    name, own_name = asked.hostname or "", own.netloc.partition(":")[0]
    if _PLACEHOLDER.search(own_name):  # one word each: others may rent names under a cloud's domain
        return not re.fullmatch(_PLACEHOLDER.sub(r"[a-z0-9-]+", own_name.replace(".", r"\.")), name)
    _, _, site = own_name.partition(".")
    is_of_site = "." in site and not own_name.replace(".", "").isdigit() and name.endswith(f".{site}")
    return name != own_name and not is_of_site


def _has_implicit(
    auth: AuthStyle, setting: ProviderSetting, provider: Provider, environment: Mapping[str, str]
) -> bool:
    """Say whether there are credentials that the file does not name: a variable, or a signed-in account."""
    if auth == "aws_sigv4":
        return False  # a signature is good for its one host, and the key stays here
    if auth in SIGNED:
        return setting.auth is None and not {"credentials_file", "profile"} & set(setting.options)
    return bool(environment.get(provider.key_variable))


def _custom(setting: ProviderSetting, known: Mapping[str, KnownHost]) -> Provider:
    if setting.dialect is None:
        near = difflib.get_close_matches(setting.name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "give it a `dialect` and a `base_url`"
        raise ConfigurationError(f"providers.{setting.name}: the catalogue has no such host; {hint}")
    _check_name(setting.name)
    if not setting.base_url and not setting.is_address_expected:
        raise ConfigurationError(
            f"providers.{setting.name}: give it a `base_url`, such as http://127.0.0.1:9000/v1"
        )
    key = _key(setting.name, setting.api_key)
    # Its headers are not looked at: so another Sternpost can be a provider (docs/how-to/add-a-provider.md).
    fault = _own_key_sentence(_key_place(setting, setting.key_variable)) if _is_own(key) else ""
    key = "" if fault else key
    is_ready = bool(setting.base_url) and (bool(key) or not setting.is_key_expected)
    return Provider(
        name=setting.name,
        title=setting.name,
        dialect=setting.dialect,
        base_url=completed(checked_address(setting.name, setting.base_url), setting.dialect)
        if setting.base_url
        else "",
        api_key=Secret(key),
        key_variable=setting.key_variable,
        is_key_written=_is_key_written(setting),
        auth=setting.auth or (UPSTREAM_CODECS[setting.dialect].auth if key else "none"),
        options=setting.options,
        deployments=setting.deployments,
        headers=_headers(setting),
        is_free=setting.is_free,
        also_speaks=setting.also_speaks or (),
        quirks=Quirks(is_anthropic=_is_at(setting.base_url or "", "anthropic.com")),
        is_known_only=not is_ready,
        fault=fault,
    )


def _is_own(text: str) -> bool:
    return text.startswith(_OWN_KEY_STARTS)


def _fault_of(setting: ProviderSetting, key: str, variable: str) -> str:
    """Return why the key or a header of an entry can't be sent to a host of the catalogue, or ""."""
    if _is_own(key):
        return _own_key_sentence(_key_place(setting, variable))
    for header, value in setting.headers.items():
        if any(_is_own(word) for word in value.split()):
            return _own_key_sentence(f"providers.{setting.name}.headers.{header}")
    return ""


def _key_place(setting: ProviderSetting, variable: str) -> str:
    return variable or f"providers.{setting.name}.api_key"


def _own_key_sentence(place: str) -> str:
    return f"this is a Sternpost key in {place}, which no provider knows; put the provider's own key there"


def _is_at(base_url: str, domain: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == domain or host.endswith(f".{domain}")


def _is_key_written(setting: ProviderSetting) -> bool:
    return bool(setting.api_key) and not setting.key_variable


def _check_name(name: str) -> None:
    if "/" in name or not name:
        raise ConfigurationError(f"providers.{name}: a provider's name is one word without '/'")


def _auth(host: KnownHost, *, has_key: bool) -> AuthStyle:
    """A host without keys of its own may still be behind a door that wants one."""
    if not has_key:
        return host.keyless_auth if host.keyless_auth != "none" else host.provider.auth
    return UPSTREAM_CODECS[host.provider.dialect].auth if host.provider.auth == "none" else host.provider.auth


def _options(host: KnownHost, written: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the host's options: from the file, else from their variable, else by default.

    Raises: ConfigurationError for an option that the host does not have.
    """
    name = host.provider.name
    for option in written:
        if option not in host.options:
            has = ", ".join(host.options) or "none"
            raise ConfigurationError(f"providers.{name}.{option}: {name!r} has no such option; it has: {has}")
    found = {
        option: written.get(option) or _from_variables(known, environment) or known.default
        for option, known in host.options.items()
    }
    return {option: value for option, value in found.items() if value}


def _from_variables(option: KnownOption, environment: Mapping[str, str]) -> str:
    return environment.get(option.variable, "") or environment.get(option.other_variable, "")


def _address(
    host: KnownHost, setting: ProviderSetting, options: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    """Raises: ConfigurationError naming the option that the address still needs."""
    own = setting.base_url or _own_address(host, setting.options, environment)
    base_url = own or _filled(_template(host, options), options)
    missing = _PLACEHOLDER.findall(base_url)
    if missing:
        raise ConfigurationError(
            f"providers.{setting.name}: its address needs `{missing[0]}`; write it, or give a `base_url`"
        )
    checked = checked_address(setting.name, base_url)
    return _completed(host, checked) if own else checked


def _completed(host: KnownHost, own: str) -> str:
    """End an address of the user's own where the host's paths begin, unless it has endings of its own."""
    is_plain = not host.base_path and not host.provider.quirks.is_vertex
    has_version = bool(urlsplit(host.provider.base_url).path)  # else the paths of the host hold it
    is_rooted = host.provider.dialect in ("cohere", "ollama")
    return completed(own, host.provider.dialect) if is_plain and (has_version or is_rooted) else own


def _own_address(host: KnownHost, written: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return the account's address from its variable, unless the file says what the address is made of."""
    is_written = any(name in written for name in _PLACEHOLDER.findall(host.provider.base_url))
    own = "" if is_written else environment.get(host.address_variable, "").strip()
    return checked_address(host.provider.name, own) if own else ""


def _in_style(host: KnownHost, provider: Provider) -> Provider:
    """End the address as its options ask for, whichever ending the user copied with it.

    Raises: ConfigurationError for an option that the style can't be written with.
    """
    if not host.base_path:
        return provider
    style = host.style
    endings = (host.base_path, style.base_path if style else "")
    root = next(
        (root for end in endings if (root := provider.base_url.removesuffix(end)) != provider.base_url), None
    )
    root = provider.base_url if root is None else root
    if "?" in root or any(end and f"{end}/" in root for end in endings):
        raise ConfigurationError(
            f"providers.{provider.name}.base_url: write only what stands before {host.base_path}"
        )
    value = provider.options.get(style.option, "") if style else ""
    if style is None or not value:
        return replace(provider, base_url=root + host.base_path)
    if not re.fullmatch(style.matches, value):
        raise ConfigurationError(
            f"providers.{provider.name}.{style.option}: must look like {style.example}; leave it out for "
            f"the addresses under {host.base_path}"
        )
    return replace(
        provider,
        base_url=root + style.base_path,
        path_prefix=style.path_prefix,
        query=style.query.replace("{value}", value),
        also_speaks=style.also_speaks,
    )


def _template(host: KnownHost, options: Mapping[str, str]) -> str:
    """Return the host's address, or the one that belongs to the value of an option."""
    special = (known.addresses.get(options.get(name, "")) for name, known in host.options.items())
    return next((address for address in special if address), host.provider.base_url)


def _filled(template: str, options: Mapping[str, str]) -> str:
    """Put options into the address; one that is no plain word would make another address of it."""
    for option, value in options.items():
        if f"{{{option}}}" in template and not re.fullmatch(r"[\w.-]+", value):
            raise ConfigurationError(f"the option {option} has a letter that no address can hold")
        template = template.replace(f"{{{option}}}", value)
    return template


def _key(name: str, text: str | None) -> str:
    """Return a key without the line break that files and shells leave at its end."""
    key = (text or "").strip()
    if not is_plain(key):
        raise ConfigurationError(
            f"providers.{name}.api_key: has a space, a line break or a letter that no key has; copy it again"
        )
    return key


def _headers(setting: ProviderSetting) -> Mapping[str, str]:
    for header, value in setting.headers.items():
        if not (header and is_plain(header) and value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"providers.{setting.name}.headers: a name or value can't be sent; use printable ASCII "
                "on one line"
            )
    return setting.headers
