"""A configuration is checked as a whole: every name that does not exist, with its line, all at once."""

from pathlib import Path

import pytest

from sternpost.assembly.config_check import examine
from sternpost.base.errors import ConfigurationError

LAB = '  lab: {dialect: openai_chat, base_url: "http://127.0.0.1:9000/v1"}\n'


def findings(folder: Path, text: str, keys: set[str] | None = None) -> list[tuple[str, str]]:
    path = folder / "sternpost.yaml"
    path.write_text(text, encoding="utf-8")
    return [(one.weight, one.sentence) for one in examine(path, {"OPENAI_API_KEY": "x"}, keys).said]


def route(target: str) -> str:
    return f"routes:\n  fast:\n    targets:\n      - {{model: {target}}}\n"


def price(model: str) -> str:
    return f"prices:\n  - {{model: {model}, input_usd: 1, output_usd: 2}}\n"


def limit(scope: str, name: str) -> str:
    return f"limits:\n  - {{scope: {scope}, name: {name}, concurrency: 1}}\n"


@pytest.mark.parametrize(
    ("text", "weight", "says"),
    [
        (
            route("opnai/gpt-5-mini"),
            "stop",
            "yaml:4: routes.fast.targets.0.model: no provider 'opnai'; did you mean",
        ),
        (
            route("openai/gpt-5-mni"),
            "fault",
            "yaml:4: routes.fast.targets.0.model: the catalogue lists no model",
        ),
        (route("openai/gpt-5-mni"), "fault", "did you mean 'openai/gpt-5-mini'?"),
        (route("openai/gpt-5.99-mini"), "note", "lists no model 'openai/gpt-5.99-mini'"),
        (route("gpt-5-mini"), "stop", "must be provider/model; did you mean 'openai/gpt-5-mini'?"),
        (route("fast"), "stop", "'fast' is this route itself"),
        (
            route("anthropic/claude-haiku-4-5"),
            "note",
            "yaml:2: routes.fast: no provider of this route is configured",
        ),
        (price("opnai/gpt-5-mini"), "fault", "yaml:2: prices.0.model: no provider 'opnai'"),
        (price("openai/gpt-5-mni"), "fault", "yaml:2: prices.0.model: the catalogue lists no model"),
        (price("gpt-5-mini"), "stop", "'gpt-5-mini' must be provider/model"),
        (
            limit("route", "fsat") + route("openai/gpt-5-mini"),
            "fault",
            "yaml:2: limits.0.name: no route 'fsat'",
        ),
        (limit("model", "openai/gpt-5-mni"), "fault", "yaml:2: limits.0.name: the catalogue lists no model"),
        (limit("model", "gpt-5-mni"), "fault", "did you mean 'gpt-5-mini'?"),
        (limit("model", "fast") + route("openai/gpt-5-mini"), "fault", "write `scope: route`"),
        (limit("key", "shpo"), "fault", "yaml:2: limits.0.name: no key 'shpo'; did you mean 'shop'?"),
        (
            "providers:\n  opnai: {api_key: x}\n",
            "stop",
            "yaml:2: providers.opnai: the catalogue has no such host",
        ),
        (
            "providers:\n  mine: {like: azur}\n",
            "stop",
            "yaml:2: providers.mine.like: the catalogue has no 'azur'",
        ),
    ],
)
def test_a_name_that_does_not_exist_is_told_with_its_line(
    tmp_path: Path, text: str, weight: str, says: str
) -> None:
    found = findings(tmp_path, text, {"shop", "key_1"})
    assert any(one == weight and says in sentence for one, sentence in found), found


@pytest.mark.parametrize(
    "text",
    [
        route("openai/gpt-5-mini") + limit("route", "fast") + price("openai/gpt-5-mini"),
        f"providers:\n{LAB}" + route("lab/anything") + price("lab/anything") + limit("model", "lab/anything"),
        route("openai/gpt-5-mni") + price("openai/gpt-5-mni"),  # in two places: it is meant
        limit("key", "shop") + limit("key", "key_1").replace("limits:\n", ""),
        limit("model", "gpt-5-mini") + limit("user", "ann").replace("limits:\n", ""),
    ],
)
def test_what_exists_is_not_mentioned(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text, {"shop", "key_1"}) == []


def test_keys_are_not_judged_where_nobody_knows_them(tmp_path: Path) -> None:
    assert findings(tmp_path, limit("key", "shpo"), None) == []


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "providers:\n  opnai: {api_key: x}\n  bad: {dialct: openai_chat}\n"
        + route("bad/m1")
        + "      - {model: openai/gpt-5-mni}\n"
        + "limits:\n  - {scope: route, name: fsat, concurrency: 1}\nlimts: []\n"
    )
    said = [sentence.partition(": ")[0] for _, sentence in findings(tmp_path, text)]
    assert said == [f"sternpost.yaml:{line}" for line in (2, 3, 8, 10, 11)]


def test_only_what_can_not_be_meant_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "sternpost.yaml"
    path.write_text(route("openai/gpt-5-mni"), encoding="utf-8")
    examine(path, {}).refuse()
    path.write_text(route("opnai/gpt-5-mini") + "      - {model: fast}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        examine(path, {}).refuse()
    assert refused.value.message.count("\n") == 1
