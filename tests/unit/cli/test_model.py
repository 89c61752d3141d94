"""A model is found by the names that a call may use for it."""

from typing import Any

import pytest

from sternpost.base.errors import NotFound
from sternpost.cli.model import find_model, is_served


def item(name: str, *, is_configured: bool = True) -> dict[str, Any]:
    return {"id": name, "provider": name.partition("/")[0], "is_configured": is_configured}


ITEMS = [
    item("openai/gpt-5-mini"),
    item("openrouter/openai/gpt-5-mini"),
    item("azure/gpt-5-mini", is_configured=False),
    item("openai/gpt-5"),
    item("azure/gpt-5"),
]


def test_a_bare_name_is_found_where_one_usable_provider_has_it() -> None:
    assert find_model("gpt-5-mini", ITEMS)["id"] == "openai/gpt-5-mini"
    assert find_model("openrouter/openai/gpt-5-mini", ITEMS)["provider"] == "openrouter"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gpt-5", "did you mean openai/gpt-5 or azure/gpt-5?"),
        ("openai/gpt-5-mnii", "did you mean openai/gpt-5-mini"),
        ("zzz", "sternpost model list --all"),
    ],
)
def test_another_name_is_told_the_nearest(name: str, says: str) -> None:
    with pytest.raises(NotFound) as refused:
        find_model(name, ITEMS)
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("name", "served"),
    [
        ("fast", True),
        ("openai/gpt-6-luna", True),
        ("gpt-6-luna", True),
        ("lab/a-model-nobody-listed", True),
        ("openai/*", True),
        ("lab/*", True),
        ("fa*", True),
        ("la*", True),
        ("*", True),
        ("nope", False),
        ("nope/gpt-6-luna", False),
        ("nope/*", False),
    ],
)
def test_a_name_of_an_allow_list_is_a_route_a_model_or_anything_at_a_provider(
    name: str, served: bool
) -> None:
    assert is_served(name, ["fast", "openai/gpt-6-luna"], ["openai", "lab"]) is served
