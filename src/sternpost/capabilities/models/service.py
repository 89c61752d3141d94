"""What one can ask of models and providers; they come from the configuration, so nothing is stored."""

from collections.abc import Mapping

from sternpost.capabilities.models.records import ModelPage, ProviderPage
from sternpost.capabilities.models.rules import model_items, page_of, provider_items
from sternpost.contracts.call import Route
from sternpost.contracts.provider import Catalog


class Models:
    """Answers from the catalogue and routes of this process."""

    def __init__(self, catalog: Catalog, routes: Mapping[str, Route]) -> None:
        self._models = model_items(catalog, routes)
        self._providers = provider_items(catalog.providers.values())

    def list_models(self, *, cursor: str = "", limit: int = 100) -> ModelPage:
        """List routes and models; the usable ones first."""
        page, following = page_of(self._models, cursor, limit)
        return ModelPage(page, following)

    def list_providers(self, *, cursor: str = "", limit: int = 100) -> ProviderPage:
        """List providers; the configured ones first."""
        page, following = page_of(self._providers, cursor, limit)
        return ProviderPage(page, following)
