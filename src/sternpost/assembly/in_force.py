"""Holds the configuration in force; reading a file is `config_file`'s, what it means is `traffic`'s."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sternpost.assembly.config_file import LoadedConfig, find_config, load_config
from sternpost.assembly.traffic import load_catalog, load_environments, load_prices, load_traffic
from sternpost.base.settings import Settings
from sternpost.capabilities.cost.service import PriceBook
from sternpost.contracts.provider import Catalog
from sternpost.contracts.usage import Cost, Usage
from sternpost.gateway.state.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Configuration:
    """One reading of `sternpost.yaml`, prepared for look-ups; replaced as a whole."""

    loaded: LoadedConfig
    catalog: Catalog
    traffic: Traffic
    prices: PriceBook
    environments: tuple[str, ...]


def prepare(loaded: LoadedConfig, environment: Mapping[str, str]) -> Configuration:
    """Prepare what a file says. Raises: ConfigurationError for what can't be meant."""
    catalog = load_catalog(loaded, environment)
    return Configuration(
        loaded,
        catalog,
        load_traffic(loaded, catalog),
        load_prices(loaded.config, catalog),
        load_environments(loaded.config),
    )


class InForce:
    """Holds the configuration in force. Read through `current` each time: a copy misses the next change."""

    def __init__(self, read: Callable[[], Configuration]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._current: Configuration | None = None
        self._listeners: list[Callable[[Configuration], None]] = []

    @property
    def current(self) -> Configuration:
        """Return the configuration, read at its first use; blocking then.

        Raises: ConfigurationError; the next use reads again.
        """
        return self._current or self._first()

    def put(self, configuration: Configuration) -> None:
        """Replace the configuration as a whole, and tell those who were built from the one before."""
        with self._lock:
            self._current = configuration
            for listener in self._listeners:
                listener(configuration)

    def on_change(self, listener: Callable[[Configuration], None]) -> None:
        """Call `listener` with each configuration that is put in force from now on, in any thread."""
        self._listeners.append(listener)

    def price(
        self,
        *,
        provider: str,
        model: str,
        fallback_model: str,
        usage: Usage | None,
        started_ns: int,
        is_free: bool = False,
        processing: str = "",
    ) -> Cost:
        """Price a call by the prices in force; see `PriceBook.price`."""
        return self.current.prices.price(
            provider=provider,
            model=model,
            fallback_model=fallback_model,
            usage=usage,
            started_ns=started_ns,
            is_free=is_free,
            processing=processing,
        )

    def _first(self) -> Configuration:
        with self._lock:
            if self._current is None:
                self._current = self._read()
            return self._current


def in_force(settings: Settings, environment: Mapping[str, str]) -> InForce:
    """Go by the file that the settings lead to; nothing is read yet."""
    return InForce(lambda: prepare(load_config(find_config(settings), environment), environment))
