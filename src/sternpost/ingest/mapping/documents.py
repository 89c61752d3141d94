"""What retrievers and rerankers found, in any framework's JSON, as documents."""

from collections.abc import Mapping, Sequence
from typing import Final

from sternpost.contracts.message import DocumentPart, Json
from sternpost.ingest.mapping.shapes import plain_shape
from sternpost.ingest.mapping.values import as_json, as_number, as_text, is_list, is_mapping

# Where results hold their list: Haystack, LangChain, LlamaIndex, vector stores.
_LISTS: Final = ("documents", "source_documents", "nodes", "source_nodes", "results", "matches", "chunks")
_CONTENTS: Final = ("content", "page_content", "pageContent", "text", "snippet")
_IDS: Final = ("id", "id_", "doc_id", "document_id", "node_id")
_SCORES: Final = ("score", "relevance_score", "relevanceScore", "similarity")
_TITLES: Final = ("title", "file_name")
_PLACES: Final = ("uri", "url", "source", "file_path")


def find_documents(value: Json) -> tuple[DocumentPart, ...]:
    """Read a list of documents, or the one inside a result; () unless every entry is one."""
    value = as_json(value)
    if is_mapping(value):
        value = plain_shape(value)
        listed = next((found for name in _LISTS if is_list(found := as_json(value.get(name)))), None)
        value = listed if listed is not None else ()
    if not is_list(value) or not all(_is_document(item) for item in value):
        return ()
    return read_documents(value)


def _is_document(value: Json) -> bool:
    value = as_json(value)
    if not is_mapping(value) or "role" in value:
        return False
    value = plain_shape(value)
    if is_mapping(value.get("document")) or is_mapping(value.get("node")):
        return True
    return "role" not in value and any(isinstance(value.get(name), str) for name in _CONTENTS)


def read_documents(values: Sequence[Json]) -> tuple[DocumentPart, ...]:
    """Read what a retriever or reranker found, in its order."""
    read = [read_document(found) for value in values if is_mapping(found := as_json(value))]
    return tuple(document for document in read if document is not None)


def read_document(value: Mapping[str, Json]) -> DocumentPart | None:
    """Read one document; None if nothing in it says what it is."""
    value = plain_shape(value)
    score = _number(value, _SCORES)
    for name in ("document", "node"):
        inner = value.get(name)
        if is_mapping(inner):
            value = plain_shape(inner)
            score = score if score is not None else _number(value, _SCORES)
    metadata = as_json(value.get("metadata") if value.get("metadata") is not None else value.get("meta"))
    described = metadata if is_mapping(metadata) else dict[str, Json]()
    layers = (value, described)
    document = DocumentPart(
        id=_text(layers, _IDS),
        content=next((as_text(value[name]) for name in _CONTENTS if value.get(name) is not None), ""),
        score=score,
        title=_text(layers, _TITLES),
        uri=_text(layers, _PLACES),
    )
    return document if document.id or document.content or document.uri else None


def _text(layers: tuple[Mapping[str, Json], ...], names: tuple[str, ...]) -> str:
    return next((as_text(layer[name]) for layer in layers for name in names if layer.get(name)), "")


def _number(value: Mapping[str, Json], names: tuple[str, ...]) -> float | None:
    return next((found for name in names if (found := as_number(value.get(name))) is not None), None)
