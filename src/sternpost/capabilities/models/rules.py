"""Which models and providers are shown, in which order; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from sternpost.capabilities.models.records import ModelItem, ProviderItem
from sternpost.contracts.call import Route
from sternpost.contracts.provider import Catalog, Provider

T = TypeVar("T", ModelItem, ProviderItem)


def model_items(catalog: Catalog, routes: Mapping[str, Route]) -> list[ModelItem]:
    """List routes, then models that can be used, then those whose provider has no key; each by name.

    Within both, models whose abilities are described come before those of which only the size is known.
    """
    items = [_route_item(route, catalog.providers) for route in routes.values()]
    for name, facts in catalog.models.items():
        provider = catalog.providers[facts.provider]
        items.append(
            ModelItem(
                id=name,
                kind="model",
                provider=facts.provider,
                title=facts.title,
                is_configured=not provider.is_known_only,
                context_tokens=facts.context_tokens,
                max_output_tokens=facts.max_output_tokens,
                abilities=facts.abilities,
                retires_on=facts.retires_on,
                targets=(),
            )
        )
    return sorted(
        items, key=lambda item: (item.kind != "route", not item.is_configured, not item.abilities, item.id)
    )


def provider_items(providers: Iterable[Provider]) -> list[ProviderItem]:
    """List configured providers, then the rest of the catalogue; each by name."""
    items = [
        ProviderItem(
            name=one.name,
            title=one.title,
            dialect=one.dialect,
            base_url=one.base_url,
            is_configured=not one.is_known_only,
            fault=one.fault,
            key_variable=one.key_variable,
            is_key_written=one.is_key_written,
            docs_url=one.docs_url,
        )
        for one in providers
    ]
    return sorted(items, key=lambda item: (not item.is_configured, item.name))


def page_of(items: Sequence[T], after: str, limit: int) -> tuple[Sequence[T], str | None]:
    """Cut the page behind the item that the cursor names; an unknown cursor begins at the start."""
    names = [item.id if isinstance(item, ModelItem) else item.name for item in items]
    start = names.index(after) + 1 if after in names else 0
    page = items[start : start + limit]
    has_more = start + limit < len(items)
    return page, names[start + limit - 1] if has_more else None


def _route_item(route: Route, providers: Mapping[str, Provider]) -> ModelItem:
    targets = tuple(f"{target.provider}/{target.model}" for target in route.targets)
    is_usable = any(not providers[target.provider].is_known_only for target in route.targets)
    return ModelItem(
        id=route.name,
        kind="route",
        provider="sternpost",
        title="",
        is_configured=is_usable,
        context_tokens=None,
        max_output_tokens=None,
        abilities=(),
        retires_on=None,
        targets=targets,
    )
