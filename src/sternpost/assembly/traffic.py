"""Turns `sternpost.yaml` into what the gateway and the price book look things up in."""

import difflib
from collections.abc import Mapping

from sternpost.assembly.config_file import LoadedConfig
from sternpost.assembly.config_grammar import ConfigFile, RouteEntry
from sternpost.base.errors import ConfigurationError
from sternpost.capabilities.access.config import SECTION as ENVIRONMENTS
from sternpost.capabilities.access.rules import known_environments
from sternpost.capabilities.batches.config import SECTION as BATCHES
from sternpost.capabilities.batches.records import OffPeak
from sternpost.capabilities.batches.rules import read_off_peak
from sternpost.capabilities.cost.config import SECTION as PRICES
from sternpost.capabilities.cost.service import PriceBook
from sternpost.capabilities.cost.store import read_table
from sternpost.contracts.call import Route, Target, TimeLimits
from sternpost.contracts.provider import Catalog
from sternpost.gateway.state.traffic import Traffic, traffic_of
from sternpost.providers.configure import ProviderSetting, configure, price_names


def load_catalog(loaded: LoadedConfig, environment: Mapping[str, str]) -> Catalog:
    """Return every provider and model. Raises: ConfigurationError for an entry that can't be meant."""
    settings = [
        ProviderSetting(
            name=name,
            dialect=entry.dialect,
            base_url=entry.base_url,
            api_key=entry.api_key,
            is_key_expected="api_key" in entry.model_fields_set,
            key_variable=loaded.key_variables.get(name, ""),
            is_address_expected="base_url" in entry.model_fields_set,
            headers=entry.headers,
            is_free=entry.free,
            also_speaks=entry.also_speaks,
            auth=entry.auth,
            options=entry.options,
            deployments=entry.deployments,
            like=entry.like,
        )
        for name, entry in loaded.config.providers.items()
    ]
    return configure(settings, environment)


def check_config(loaded: LoadedConfig, environment: Mapping[str, str]) -> Catalog:
    """Read everything the file says, as `serve` will. Raises: ConfigurationError."""
    catalog = load_catalog(loaded, environment)
    load_traffic(loaded, catalog)
    load_prices(loaded.config, catalog)
    load_off_peak(loaded.config)
    return catalog


def load_traffic(loaded: LoadedConfig, catalog: Catalog) -> Traffic:
    """Prepare routes and limits. Raises: ConfigurationError for a target whose provider is unknown."""
    config = loaded.config
    routes = [_route(name, entry, catalog) for name, entry in config.routes.items()]
    return traffic_of(catalog, routes, config.limits)


def load_prices(config: ConfigFile, catalog: Catalog) -> PriceBook:
    """Read the shipped table under the file's overrides. Raises: ConfigurationError for an invalid price."""
    table, content = read_table()
    return PriceBook(table, content, config.section(PRICES), price_names(catalog))


def load_off_peak(config: ConfigFile) -> OffPeak | None:
    """Return when the queue of batches may work. Raises: ConfigurationError for an invalid window."""
    window = config.section(BATCHES).off_peak
    return None if window is None else read_off_peak(window.from_, window.until, window.timezone)


def _route(name: str, entry: RouteEntry, catalog: Catalog) -> Route:
    targets: list[Target] = []
    for number, target in enumerate(entry.targets):
        provider, separator, model = target.model.partition("/")
        if not separator or not model:
            raise ConfigurationError(
                f"routes.{name}.targets.{number}: {target.model!r} must be provider/model"
            )
        if provider not in catalog.providers:
            near = difflib.get_close_matches(provider, catalog.providers, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else "name it under `providers:`"
            raise ConfigurationError(f"routes.{name}.targets.{number}: no provider {provider!r}; {hint}")
        targets.append(Target(provider, model, tuple(target.when)))
    times = entry.timeouts
    limits = TimeLimits(times.connect_s, times.first_token_s, times.idle_s, times.total_s) if times else None
    return Route(
        name=name,
        targets=tuple(targets),
        time_limits=limits,
        hold_ms=entry.hold_ms,
        unsupported=entry.unsupported,
        cache_ttl=entry.prompt_cache_ttl if entry.prompt_cache == "auto" else None,
    )


def load_environments(config: ConfigFile) -> tuple[str, ...]:
    """Return the environments there are. Raises: ConfigurationError for what is no name of one."""
    return known_environments(config.section(ENVIRONMENTS))
