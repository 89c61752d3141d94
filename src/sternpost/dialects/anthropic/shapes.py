"""The fields of messages and their blocks that are read, or that mean nothing to another provider."""

from typing import Final

from sternpost.dialects.losses.inside import Kinds, Shape

_BLOCK: Final = frozenset({"type", "cache_control"})
_SOURCE: Final = frozenset({"type", "media_type", "data", "url", "file_id", "content"})


def _blocks(path: str, *, is_outer: bool = True) -> Kinds:
    source = (("source", Kinds(_of_any_source(f"{path}.source"))),)
    shapes: dict[str | None, Shape] = {
        "text": Shape(path, _BLOCK | {"text", "citations"}),
        "image": Shape(path, _BLOCK | {"source"}, source),
        "document": Shape(path, _BLOCK | {"source", "title", "context", "citations"}, source),
        "search_result": Shape(path, _BLOCK | {"source", "title", "content", "citations"}),
    }
    if is_outer:
        results = _blocks(f"{path}.content.*", is_outer=False)
        told = _BLOCK | {"tool_use_id", "content", "is_error"}
        shapes |= {
            "tool_use": Shape(path, _BLOCK | {"id", "name", "input", "caller"}),  # `caller` is of a reply
            "tool_result": Shape(path, told, (("content", results),)),
            "thinking": Shape(path, _BLOCK | {"thinking", "signature"}),
            "redacted_thinking": Shape(path, _BLOCK | {"data"}),
        }
    return Kinds(shapes)


def _of_any_source(path: str) -> dict[str | None, Shape]:
    return {kind: Shape(path, _SOURCE) for kind in ("base64", "url", "file", "text", "content")}


_MESSAGE: Final = Shape(
    "messages.*", frozenset({"role", "content"}), (("content", _blocks("messages.*.content.*")),)
)
MESSAGES: Final = Kinds({"user": _MESSAGE, "assistant": _MESSAGE, "system": _MESSAGE}, by="role")
CONTENT: Final = _blocks("content.*")  # of a reply
SYSTEM: Final = _blocks("system.*")
