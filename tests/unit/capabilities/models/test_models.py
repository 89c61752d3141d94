"""The list of models shows what can be used first, and pages without losing or repeating a name."""

from hypothesis import given
from hypothesis import strategies as st

from sternpost.capabilities.models.rules import model_items, page_of, provider_items
from sternpost.contracts.call import Route, Target
from sternpost.contracts.provider import Catalog, ModelFacts, Provider


def catalog(names: list[str]) -> Catalog:
    providers = {
        "open": Provider("open", "Open", "openai_chat", "http://o"),
        "shut": Provider("shut", "Shut", "openai_chat", "http://s", is_known_only=True),
    }
    models = {
        f"{provider}/{name}": ModelFacts(provider, name) for name in names for provider in ("open", "shut")
    }
    return Catalog(providers, models)


def test_routes_come_first_then_usable_models_then_the_rest() -> None:
    routes = {"fast": Route("fast", (Target("shut", "m"), Target("open", "m")))}
    items = model_items(catalog(["m"]), routes)
    assert [(item.id, item.kind, item.is_configured) for item in items] == [
        ("fast", "route", True),
        ("open/m", "model", True),
        ("shut/m", "model", False),
    ]
    assert items[0].targets == ("shut/m", "open/m")


def test_a_route_whose_providers_have_no_key_is_not_usable() -> None:
    routes = {"slow": Route("slow", (Target("shut", "m"),))}
    assert model_items(catalog([]), routes)[0].is_configured is False


def test_providers_that_can_be_used_come_first() -> None:
    assert [item.name for item in provider_items(catalog([]).providers.values())] == ["open", "shut"]


@given(st.lists(st.text("abcdef", min_size=1), unique=True, max_size=20), st.integers(1, 7))
def test_pages_put_together_are_the_list(names: list[str], limit: int) -> None:
    items = model_items(catalog(names), {})
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = page_of(items, cursor, limit)
        assert len(page) <= limit
        found += [item.id for item in page]
    assert found == [item.id for item in items]
