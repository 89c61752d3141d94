"""A fault in `windlass.yaml` is named with its place; nothing in the file is passed over in silence."""

from pathlib import Path

import pytest

from windlass.assembly.config_file import load_config
from windlass.base.errors import ConfigurationError

LAB = 'lab: {dialect: openai_chat, base_url: "http://h/v1"'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"providers:\n  {LAB}}}\n  {LAB}}}\n", r"windlass.yaml:3: 'lab' stands here twice"),
        (f"providers:\n  {LAB},\n    dialect: anthropic}}\n", r":3: 'dialect' stands here twice"),
        ("routes: {}\nlimits: []\nroutes: {}\n", r":3: 'routes' stands here twice"),
        ("limits: &a [*a]\n", "alias"),
        ("providers:\n\tlab: {}\n", r":2: not valid YAML"),
        ("providers:\n  lab: \x00\n", "control character"),
        ("- a\n", ":1: the file must be a mapping"),
        ("provider: {}\n", r":1: unknown field 'provider'; did you mean 'providers'\?"),
        ("limits:\n  - scope: kye\n", r":2: limits.0.scope"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "windlass.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=says):
        load_config(path, {})


def test_an_anchor_used_twice_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "windlass.yaml"
    path.write_text("routes:\n  a: &same {targets: [{model: offline/extract-small}]}\n  b: *same\n")
    routes = load_config(path, {}).config.routes
    assert routes["a"] == routes["b"]
