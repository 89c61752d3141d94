"""Cohere's citations, read as the internal ones: one for each source that a piece of the reply names."""

from collections.abc import Iterator, Mapping

from sternpost.contracts.chat import Citation
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import text_or_empty

_OF_TEXT = ("TEXT_CONTENT", "")  # others are about thinking or the plan, and their places count in those


def read_citation(values: Json, *, offset: int) -> Iterator[Citation]:
    """offset: where in the reply's text the cited block begins. Without sources the place alone is named."""
    if not isinstance(values, Mapping):
        return
    is_of_text = text_or_empty(values.get("type")) in _OF_TEXT
    start = _place(values.get("start"), offset) if is_of_text else None
    end = _place(values.get("end"), offset) if is_of_text else None
    sources = values.get("sources")
    found = [source for source in sources if isinstance(source, Mapping)] if isinstance(sources, list) else []
    for source in found or [{}]:
        said = _said(source)
        yield Citation(
            title=text_or_empty(said.get("title")),
            url=text_or_empty(said.get("url")),
            cited_text=next(
                (t for n in ("snippet", "text", "content") if (t := text_or_empty(said.get(n)))), ""
            ),
            document=text_or_empty(source.get("id")),
            start=start,
            end=end,
        )


def _said(source: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return what a source held: the fields of a document, or what a tool answered."""
    held = source.get("document") or source.get("tool_output")
    return held if isinstance(held, Mapping) else {}


def _place(value: Json, offset: int) -> int | None:
    return value + offset if isinstance(value, int) and not isinstance(value, bool) else None
