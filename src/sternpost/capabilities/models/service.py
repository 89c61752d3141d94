"""What one can ask of models and providers; they come from the configuration, so nothing is stored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sternpost.capabilities.models.records import (
    ListPrice,
    ModelItem,
    ModelPage,
    ProviderItem,
    ProviderPage,
)
from sternpost.capabilities.models.rules import model_items, page_of, provider_items
from sternpost.contracts.call import Route
from sternpost.contracts.provider import Catalog, Provider


@dataclass(frozen=True, slots=True)
class Offered:
    """What the configuration in force offers to callers."""

    catalog: Catalog
    routes: Mapping[str, Route]


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of one configuration, in their order."""

    offered: Offered
    models: Sequence[ModelItem]
    providers: Sequence[ProviderItem]


class Models:
    """Answers from the catalogue and routes of this process."""

    def __init__(
        self,
        offered: Callable[[], Offered],
        price_of: Callable[[Provider, str], ListPrice] = lambda _provider, _model: ListPrice(None, None),
    ) -> None:
        """offered: returns what is in force now."""
        self._offered = offered
        self._price_of = price_of
        self._lists: _Lists | None = None

    def list_models(self, *, cursor: str = "", limit: int = 100) -> ModelPage:
        """List routes and models with their prices; the usable ones first. Blocking, as prices are read."""
        lists = self._in_order()
        page, following = page_of(lists.models, cursor, limit)
        return ModelPage([self._priced(item, lists.offered.catalog) for item in page], following)

    def _priced(self, item: ModelItem, catalog: Catalog) -> ModelItem:
        if item.kind == "route":
            return item
        price = self._price_of(catalog.providers[item.provider], item.id.removeprefix(f"{item.provider}/"))
        return replace(item, input_usd=price.input_usd, output_usd=price.output_usd)

    def list_providers(self, *, cursor: str = "", limit: int = 100) -> ProviderPage:
        """List providers; the configured ones first."""
        page, following = page_of(self._in_order().providers, cursor, limit)
        return ProviderPage(page, following)

    def _in_order(self) -> _Lists:
        """Sort what is offered, once for each configuration."""
        offered, lists = self._offered(), self._lists
        if lists is None or lists.offered.catalog is not offered.catalog:
            lists = self._lists = _Lists(
                offered,
                model_items(offered.catalog, offered.routes),
                provider_items(offered.catalog.providers.values()),
            )
        return lists
