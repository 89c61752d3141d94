"""Citations of Anthropic's text blocks, read and written; which text they belong to is told them.

Source: https://docs.anthropic.com/en/docs/build-with-claude/citations. A place inside a cited document is not
carried: no other dialect has one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sternpost.contracts.chat import Citation
from sternpost.contracts.message import Json


def read_citation(value: Json) -> Citation | None:
    """Read one citation of any kind; its place in the reply is not in it."""
    if not isinstance(value, Mapping):
        return None
    index = value.get("document_index")
    return Citation(
        title=_text(value.get("title")) or _text(value.get("document_title")),
        url=_text(value.get("url")) or _text(value.get("source")),
        cited_text=_text(value.get("cited_text")),
        document=str(index) if type(index) is int else "",
    )


def read_citations(values: Json, *, start: int, end: int) -> list[Citation]:
    """Read the citations of a text that stands at these characters of the reply."""
    if not isinstance(values, list):
        return []
    read = (read_citation(value) for value in values)
    return [replace(citation, start=start, end=end) for citation in read if citation is not None]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def write_citation(citation: Citation) -> dict[str, Json]:
    """Write a page of the web, or a document of the request."""
    if citation.url:
        return {
            "type": "web_search_result_location",
            "url": citation.url,
            "title": citation.title,
            "encrypted_index": "",
            "cited_text": citation.cited_text,
        }
    return {
        "type": "char_location",
        "cited_text": citation.cited_text,
        "document_index": int(citation.document) if citation.document.isdecimal() else 0,
        "document_title": citation.title or citation.document or None,
        "start_char_index": 0,
        "end_char_index": len(citation.cited_text),
    }


def write_citations(citations: Iterable[Citation]) -> list[Json]:
    return [write_citation(citation) for citation in citations]
