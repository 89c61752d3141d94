"""Citations as OpenAI's annotations: nested in chat, flat in Responses; which text they stand in is given."""

from collections.abc import Iterable, Mapping, Sequence

from sternpost.contracts.chat import Citation
from sternpost.contracts.message import Json

_FILES = frozenset({"file_citation", "container_file_citation", "file_path"})


def read_annotations(annotations: Json, *, choice: int = 0) -> tuple[Citation, ...]:
    """Read annotations of either form; those of a kind we do not know are left out."""
    if not isinstance(annotations, Sequence) or isinstance(annotations, str):
        return ()
    read = (read_annotation(annotation, choice) for annotation in annotations)
    return tuple(citation for citation in read if citation is not None)


def read_annotation(annotation: Json, choice: int = 0) -> Citation | None:
    if not isinstance(annotation, Mapping):
        return None
    kind = annotation.get("type")
    nested = annotation.get(kind) if isinstance(kind, str) else None
    fields = nested if isinstance(nested, Mapping) else annotation
    if kind == "url_citation":
        return _citation(fields, choice)
    if kind in _FILES or kind == "document_citation":
        index = _place(fields.get("index"))
        citation = _citation(fields, choice)
        return citation if index is None else _at(citation, index)
    return None


def _citation(fields: Mapping[str, Json], choice: int) -> Citation:
    return Citation(
        title=_text(fields.get("title")) or _text(fields.get("filename")),
        url=_text(fields.get("url")),
        cited_text=_text(fields.get("cited_text")) or _text(fields.get("content")),
        document=_text(fields.get("document")) or _text(fields.get("file_id")),
        start=_place(fields.get("start_index")),
        end=_place(fields.get("end_index")),
        choice=choice,
    )


def _at(citation: Citation, index: int) -> Citation:
    return Citation(
        citation.title, citation.url, citation.cited_text, citation.document, index, index, citation.choice
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _place(value: Json) -> int | None:
    return value if type(value) is int else None


def write_nested(citations: Iterable[Citation]) -> list[Json]:
    """Write annotations of a chat message. A document of the request has no form there: it gets its own."""
    return [nested(citation) for citation in citations]


def nested(citation: Citation) -> dict[str, Json]:
    kind = "url_citation" if citation.url else "document_citation"
    return {"type": kind, kind: {**_places(citation), **_source(citation)}}


def write_flat(citations: Iterable[Citation]) -> list[Json]:
    """Write annotations of a Responses text."""
    return [_flat(citation) for citation in citations]


def _flat(citation: Citation) -> Json:
    if citation.url:
        return {"type": "url_citation", **_places(citation), **_source(citation)}
    named: dict[str, Json] = {"file_id": citation.document, "filename": citation.title}
    cited: dict[str, Json] = {"cited_text": citation.cited_text} if citation.cited_text else {}
    return {"type": "file_citation", **named, "index": citation.start or 0, **cited}


def _places(citation: Citation) -> dict[str, Json]:
    return {"start_index": citation.start or 0, "end_index": citation.end or citation.start or 0}


def _source(citation: Citation) -> dict[str, Json]:
    source: dict[str, Json] = {"title": citation.title}
    if citation.url:
        source["url"] = citation.url
    else:
        source["document"] = citation.document
    if citation.cited_text:
        source["cited_text"] = citation.cited_text
    return source
