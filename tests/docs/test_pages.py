"""The documentation is whole: links lead somewhere, configuration is valid, words are listed."""

import re
from pathlib import Path

import pytest

from sternpost.assembly.config_file import load_config
from tests.docs.pages import PAGES, ROOT, Block, blocks_of, name_of

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_YAML = [block for page in PAGES for block in blocks_of(page) if block.language == "yaml"]


def _anchors(page: Path) -> set[str]:
    """Return the anchors that a forge makes of headings."""
    headings = re.findall(r"^#{1,6} (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _is_broken(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if "reference" in target.parts:  # written by `make docs`
        return False
    return not target.exists() or bool(anchor and anchor not in _anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link for link in _LINK.findall(text) if "://" not in link]

    assert [link for link in links if _is_broken(page, link)] == []


@pytest.mark.parametrize("block", _YAML, ids=lambda block: f"{name_of(block.page)}:{block.line}")
def test_every_configuration_shown_is_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "sternpost.yaml"
    path.write_text(block.text, encoding="utf-8")

    loaded = load_config(path, {})

    assert loaded.path == path


def test_every_page_can_be_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        links = _LINK.findall(page.read_text(encoding="utf-8"))
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links if "://" not in link}
        waiting += [path for path in found if path.suffix == ".md" and path.exists() and path not in seen]

    assert {name_of(page) for page in PAGES if "docs" in page.parts} <= {name_of(page) for page in seen}


def test_decisions_are_numbered_without_a_gap_and_at_most_a_page() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert [path.name for path in records if path.read_text(encoding="utf-8").count("\n") > 60] == []
    parts = ("**Problem.**", "**Choice.**", "**Rejected.**", "**Would change our mind.**")
    assert [path.name for path in records if not all(part in path.read_text("utf-8") for part in parts)] == []


def test_the_glossary_is_in_order_and_names_each_word_once() -> None:
    text = (ROOT / "docs" / "concepts" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([a-z ]+) \|", text, re.MULTILINE)[1:]

    assert len(words) > 20
    assert words == sorted(set(words))
