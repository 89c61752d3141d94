"""What a start has read from file and environment, in the few words that a newcomer needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from sternpost.assembly.config_file import LoadedConfig
from sternpost.contracts.provider import Catalog

_OFFLINE = "offline"  # is always there


@dataclass(frozen=True, slots=True)
class ConfigSummary:
    config: str | None  # the path of sternpost.yaml; None: there is none, which is fine
    providers: Sequence[str]  # that calls can use, each with where its key is from
    routes: Sequence[str]


def summarise(loaded: LoadedConfig, catalog: Catalog) -> ConfigSummary:
    """Sum up a configuration; no key is part of it."""
    providers = [
        one.name + (f" ({one.key_variable})" if one.key_variable and one.api_key.value else "")
        for one in catalog.providers.values()
        if not one.is_known_only and one.name != _OFFLINE
    ]
    return ConfigSummary(
        str(loaded.path) if loaded.path else None, sorted(providers), list(loaded.config.routes)
    )
