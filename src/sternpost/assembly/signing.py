"""Chooses who signs for which provider; only those that sign each request have a client of their own."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sternpost.backends.upstream.signing import SigningClient
from sternpost.contracts.provider import AuthStyle, Catalog, Provider
from sternpost.contracts.upstream import Signer, UpstreamClient
from sternpost.providers.azure import entra_signer
from sternpost.providers.bedrock import SigV4Signer
from sternpost.providers.vertex import VertexSigner

_SIGNERS: Final[Mapping[AuthStyle, Callable[[Provider], Signer]]] = {
    "aws_sigv4": SigV4Signer,
    "google_oauth": VertexSigner,
    "azure_entra": entra_signer,
}


def signer_of(provider: Provider) -> Signer | None:
    """Return who signs for a provider; None: a key in a header does, or nothing."""
    make = _SIGNERS.get(provider.auth)
    return make(provider) if make else None


def signing_clients(
    catalog: Catalog, client: UpstreamClient, kept: Mapping[str, UpstreamClient] = MappingProxyType({})
) -> dict[str, UpstreamClient]:
    """Return a client for each configured provider that wants its requests signed.

    kept: those of providers that did not change, with the credentials that they hold.
    """
    return {
        provider.name: kept.get(provider.name) or SigningClient(client, _SIGNERS[provider.auth](provider))
        for provider in catalog.providers.values()
        if provider.auth in _SIGNERS and not provider.is_known_only
    }
