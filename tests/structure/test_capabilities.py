"""Every capability can be found where a stranger looks: README, API, command line, docs, browser test."""

import ast
import json
from pathlib import Path

import pytest

from scripts import capability
from sternpost.assembly.parts import plugs
from sternpost.cli.groups import groups

ROOT = Path(__file__).resolve().parents[2]
NOUNS = [plug.name for plug in plugs()]
COMMAND = {
    "access": "key",
    "batches": "batch",
    "configuration": "config",
}  # where it is not the noun without its s


def _command(noun: str) -> str:
    return COMMAND.get(noun, noun.removesuffix("s"))


@pytest.mark.parametrize("noun", NOUNS)
def test_a_capability_has_its_readme_and_its_browser_test(noun: str) -> None:
    assert (ROOT / "src" / "sternpost" / "capabilities" / noun / "README.md").is_file()
    assert (ROOT / "web" / "e2e" / f"{noun}.spec.ts").is_file()


@pytest.mark.parametrize("noun", NOUNS)
def test_a_capability_is_a_tag_of_the_api_with_paths(noun: str) -> None:
    schema = json.loads((ROOT / "web" / "openapi.json").read_text(encoding="utf-8"))
    assert noun in {tag["name"] for tag in schema["tags"]}
    used = {tag for path in schema["paths"].values() for one in path.values() for tag in one["tags"]}
    assert noun in used


@pytest.mark.parametrize("noun", NOUNS)
def test_a_capability_has_commands_and_a_guide_that_shows_them(noun: str) -> None:
    command = _command(noun)
    assert command in groups()
    guides = (path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "how-to").glob("*.md"))
    assert any(f"sternpost {command} " in text for text in guides)


def test_what_the_scaffold_writes_can_be_read_and_is_named_after_the_capability() -> None:
    words = capability.words_of("notes", "note")
    written = capability.files(words)
    assert ROOT / "src/sternpost/assembly/parts/notes.py" in written
    for path, text in {**written, **capability.changes(words)}.items():
        assert "@thing" not in text.lower(), path
        if path.suffix == ".py":
            ast.parse(text)
