"""What one can ask of models and providers; they come from the configuration, so nothing is stored."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sternpost.capabilities.models.records import ListPrice, ModelItem, ModelPage, ProviderPage
from sternpost.capabilities.models.rules import model_items, page_of, provider_items
from sternpost.contracts.call import Route
from sternpost.contracts.provider import Catalog, Provider


class Models:
    """Answers from the catalogue and routes of this process."""

    def __init__(
        self,
        catalog: Catalog,
        routes: Mapping[str, Route],
        price_of: Callable[[Provider, str], ListPrice] = lambda _provider, _model: ListPrice(None, None),
    ) -> None:
        self._by_name = catalog.providers
        self._price_of = price_of
        self._models = model_items(catalog, routes)
        self._providers = provider_items(catalog.providers.values())

    def list_models(self, *, cursor: str = "", limit: int = 100) -> ModelPage:
        """List routes and models with their prices; the usable ones first. Blocking, as prices are read."""
        page, following = page_of(self._models, cursor, limit)
        return ModelPage([self._priced(item) for item in page], following)

    def _priced(self, item: ModelItem) -> ModelItem:
        if item.kind == "route":
            return item
        price = self._price_of(self._by_name[item.provider], item.id.removeprefix(f"{item.provider}/"))
        return replace(item, input_usd=price.input_usd, output_usd=price.output_usd)

    def list_providers(self, *, cursor: str = "", limit: int = 100) -> ProviderPage:
        """List providers; the configured ones first."""
        page, following = page_of(self._providers, cursor, limit)
        return ProviderPage(page, following)
