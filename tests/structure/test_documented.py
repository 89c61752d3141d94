"""Every setting, command and error code has its place in the reference, and the reference is current."""

import subprocess
import sys
from pathlib import Path

from sternpost.assembly.environment import setting_names
from sternpost.assembly.parts import span_facts
from sternpost.base import errors
from sternpost.cli.groups import groups

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    assert [name for name in setting_names() if f"`{name}`" not in page] == []


def test_every_command_is_documented() -> None:
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    assert [name for name in groups() if f"## sternpost {name}\n" not in page] == []


def test_every_error_code_is_documented() -> None:
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.code for kind in kinds if issubclass(kind, errors.SternpostError)}
    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_every_fact_of_a_span_is_documented() -> None:
    page = (REFERENCE / "facts.md").read_text(encoding="utf-8")
    assert [name for name in span_facts() if f"`{name}`" not in page] == []


def test_the_reference_is_what_the_code_says() -> None:
    command = [sys.executable, "scripts/reference.py", "--check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_the_docs_never_name_a_file_that_is_not_there() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {word}"
        for page in ROOT.joinpath("docs").rglob("*.md")
        for word in _paths_in(page.read_text(encoding="utf-8"))
        if not (ROOT / word).exists()
    ]
    assert missing == []


def _paths_in(text: str) -> list[str]:
    """Return the words in backquotes that are a path below a folder of the checkout."""
    words = text.split("`")[1::2]
    roots = ("src/", "tests/", "docs/", "examples/", "bench/", "web/", "scripts/")
    return [word for word in words if word.startswith(roots) and not set(word) & set(" *{}<>\n")]
