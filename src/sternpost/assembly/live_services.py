"""Builds the gateway's services anew for each configuration; counts, health and connections stay."""

from collections.abc import Callable
from dataclasses import replace

from sternpost.assembly.in_force import Configuration
from sternpost.assembly.signing import signing_clients
from sternpost.gateway.services import GatewayServices


class LiveServices:
    """The services that calls begin with; a call keeps those it began with to its end.

    Used on the event loop only.
    """

    def __init__(self, services: GatewayServices, configuration: Configuration) -> None:
        """services: `clients` holds those that no configuration changes."""
        self._configuration = configuration
        self._users: list[Callable[[GatewayServices], None]] = []
        self._always = services.clients
        signing = signing_clients(configuration.catalog, services.client)
        self.current = _with(configuration, replace(services, clients={**self._always, **signing}))

    def give_to(self, use: Callable[[GatewayServices], None]) -> None:
        """Call `use` with the services of now, and with those after each change."""
        self._users.append(use)
        use(self.current)

    def renew(self, configuration: Configuration) -> None:
        """Let calls begin with another configuration; a provider that changed is no longer avoided."""
        before, after = self._configuration.catalog.providers, configuration.catalog.providers
        self._configuration = configuration
        changed = {name for name, provider in before.items() if after.get(name) != provider}
        for name in changed:
            self.current.health.forget(name)
        kept = {name: client for name, client in self.current.clients.items() if name not in changed}
        signing = signing_clients(configuration.catalog, self.current.client, kept)
        self.current = _with(configuration, replace(self.current, clients={**self._always, **signing}))
        for use in self._users:
            use(self.current)


def _with(configuration: Configuration, services: GatewayServices) -> GatewayServices:
    return replace(services, traffic=lambda: configuration.traffic, price=configuration.prices.price)
