"""Marks of what a provider is to cache, as Anthropic writes them and others copied; not their places."""

from typing import Literal, TypeAlias

from sternpost.contracts.chat import CacheMark
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import Fields

Ttl: TypeAlias = Literal["5m", "1h"]


def read_ttl(owner: Fields) -> Ttl | None:
    """Return how long the mark on a block, message or tool lasts; None without a mark."""
    mark = owner.values.get("cache_control")
    if not isinstance(mark, dict):
        return None
    return "1h" if mark.get("ttl") == "1h" else "5m"


def write_mark(ttl: Ttl) -> dict[str, Json]:
    mark: dict[str, Json] = {"type": "ephemeral"}
    return {"cache_control": mark if ttl == "5m" else mark | {"ttl": ttl}}


def tool_marks(fields: Fields, names: list[str]) -> list[CacheMark]:
    """Find the marks on tools. names: of the tools that were read; others can't be marked."""
    marks: list[CacheMark] = []
    for tool in fields.items("tools"):
        function = tool.values.get("function")
        named = function if isinstance(function, dict) else tool.values
        name = named.get("name")
        ttl = read_ttl(tool)
        if ttl is not None and isinstance(name, str) and name in names:
            marks.append(CacheMark(-1, names.index(name), ttl))
    return marks
