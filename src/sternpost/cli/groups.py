"""The groups of commands there are: each is a file whose first line names it; nothing lists them by hand.

The file `key.py`, whose docstring begins with "`sternpost key`: make, list and revoke API keys.", is that
group. A docstring says `Needs sternpost[server].` where the command line alone is not enough. Files are
read, not imported: `up` and `engine` must not pay for the server's imports in time and memory.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_HEAD = re.compile(r'"""`sternpost ([a-z][a-z-]*)`: (.+?)("""|$)', re.MULTILINE)
_NEEDS_SERVER = "Needs sternpost[server]."


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    summary: str
    needs_server: bool  # it runs Sternpost or opens its data folder; others ask a running one over HTTP


@cache
def groups() -> Mapping[str, Group]:
    """Return every group by its name: those that need the server first, both by name."""
    found = [one for path in _FOLDER.glob("*.py") if (one := _read(path)) is not None]
    return {one.name: one for one in sorted(found, key=lambda one: (not one.needs_server, one.name))}


def group(name: str) -> Group | None:
    """Return one group, reading its file alone."""
    path = _FOLDER / f"{name.replace('-', '_')}.py"
    found = _read(path) if path.is_file() else None
    return found if found is not None and found.name == name else None


def _read(path: Path) -> Group | None:
    with path.open(encoding="utf-8") as file:
        text = file.read(2000)
    head = _HEAD.match(text)
    if head is None:
        return None
    name, summary = head.group(1), head.group(2)
    docstring = text.split('"""', 2)[1]
    return Group(name, summary[0].upper() + summary[1:], _NEEDS_SERVER in docstring)
