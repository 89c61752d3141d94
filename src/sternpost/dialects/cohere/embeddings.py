"""Embeddings as Cohere is asked for them and answers; callers speak OpenAI's shape.

Cohere wants to know what a text is for. Callers say it in the extension field `input_type`; without it a text
is a document, because an index is built from many and searched by few, and a query must be named as one.
Nothing is truncated unless `truncate` says so: OpenAI's callers expect an error for a text too long.
Source: https://docs.cohere.com/reference/embed.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.dialects.cohere.usage import read_usage
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import ReplySummary, RequestHead, Vectors, WrittenRequest

_DEFAULT_INPUT_TYPE: Final = "search_document"
_INPUT_TYPES: Final = ("search_document", "search_query", "classification", "clustering", "image")
_TYPES: Final = ("float", "base64", "int8", "uint8", "binary", "ubinary")
_PACKED: Final = {"binary": 8, "ubinary": 8}  # dimensions in one number
_READ: Final = frozenset(
    {"model", "input", "encoding_format", "dimensions", "input_type", "embedding_types", "truncate",
     "max_tokens", "priority"}
)  # fmt: skip
_SAME_NAME: Final = ("max_tokens", "priority")
_FLOAT_BYTES = 4


class CohereEmbedder:
    """Implements `dialects.protocols.Embedder`."""

    def most_texts(self, model: str, quirks: Quirks) -> int:
        return 96

    def path(self, model: str, quirks: Quirks) -> str:
        return "/v2/embed"

    def write(self, head: RequestHead, model: str, quirks: Quirks) -> WrittenRequest:
        given: dict[str, Json] = {name: msgspec.json.decode(value) for name, value in head.fields.items()}
        body: dict[str, Json] = {
            "model": model,
            "input_type": _one_of(given, "input_type", _INPUT_TYPES, _DEFAULT_INPUT_TYPE),
            "texts": _texts(given.get("input")),
            "embedding_types": [_embedding_type(given)],
            "truncate": _one_of(given, "truncate", ("NONE", "START", "END"), "NONE"),
        }
        if given.get("dimensions") is not None:
            body["output_dimension"] = given["dimensions"]
        body |= {name: given[name] for name in _SAME_NAME if given.get(name) is not None}
        dropped = tuple(name for name, value in given.items() if name not in _READ and value is not None)
        return WrittenRequest(msgspec.json.encode(body), dropped)

    def read(self, body: bytes, head: RequestHead, quirks: Quirks) -> Vectors:
        return read_vectors(body, head)


def _texts(given: Json) -> list[Json]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadRequest("input: Cohere embeds texts; send a string or an array of strings.", param="input")
    return list(texts)


def _embedding_type(given: Mapping[str, Json]) -> str:
    """Return the one kind of number that is asked for: an OpenAI reply has room for one."""
    types = given.get("embedding_types")
    if types is None:
        return _one_of(given, "encoding_format", ("float", "base64"), "float")
    if isinstance(types, list) and len(types) == 1 and isinstance(types[0], str) and types[0] in _TYPES:
        return types[0]
    raise BadRequest(
        f"embedding_types: name one of {', '.join(_TYPES)}; for several call Cohere's own path.",
        param="embedding_types",
    )


def _one_of(given: Mapping[str, Json], name: str, known: tuple[str, ...], default: str) -> str:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value in known:
        return value
    raise BadRequest(f"{name}: must be one of {', '.join(known)}.", param=name)


class _Reply(msgspec.Struct):
    embeddings: dict[str, list[msgspec.Raw] | None]
    model: Any = None
    meta: Any = None


_REPLY = msgspec.json.Decoder(_Reply)


def read_vectors(body: bytes, head: RequestHead) -> Vectors:
    """Write the vectors in OpenAI's shape, each kept as it was. Raises: BadRequest when there are none."""
    try:
        reply = _REPLY.decode(body)
    except UNREADABLE as error:
        raise BadRequest("The provider's reply has no `embeddings` by type.", param="embeddings") from error
    kind = next((kind for kind, found in reply.embeddings.items() if found), "")
    vectors = reply.embeddings.get(kind)
    if not vectors:
        raise BadRequest("The provider's reply has no embeddings.", param="embeddings")
    usage = read_usage(reply.meta)
    tokens = usage.in_fresh + usage.in_cache_read + usage.in_image if usage else 0
    model = text_or_empty(reply.model)
    shown = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ],
        "model": model or head.model,
        **({"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if usage else {}),
    }
    dimensions = _dimensions(kind, bytes(vectors[0]))
    return Vectors(ReplySummary(usage, model), len(vectors), dimensions, msgspec.json.encode(shown))


def _dimensions(kind: str, vector: bytes) -> int:
    if vector.startswith(b'"'):
        return len(vector.strip(b'"').rstrip(b"=")) * 3 // 4 // _FLOAT_BYTES
    numbers = vector.count(b",") + 1 if vector[1:-1].strip() else 0
    return numbers * _PACKED.get(kind, 1)
