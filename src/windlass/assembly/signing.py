"""Chooses who signs for which provider; only those that sign each request have a client of their own."""

from collections.abc import Callable, Mapping
from typing import Final

from windlass.backends.upstream.signing import SigningClient
from windlass.contracts.provider import AuthStyle, Catalog, Provider
from windlass.contracts.upstream import Signer, UpstreamClient
from windlass.providers.azure import entra_signer

_SIGNERS: Final[Mapping[AuthStyle, Callable[[Provider], Signer]]] = {
    "azure_entra": entra_signer,
}


def signing_clients(catalog: Catalog, client: UpstreamClient) -> dict[str, UpstreamClient]:
    """Return a client for each configured provider that wants its requests signed."""
    return {
        provider.name: SigningClient(client, _SIGNERS[provider.auth](provider))
        for provider in catalog.providers.values()
        if provider.auth in _SIGNERS and not provider.is_known_only
    }
