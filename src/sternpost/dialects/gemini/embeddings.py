"""Embeddings of Gemini, asked for and shown in OpenAI's shape.

Source: https://ai.google.dev/api/embeddings. What Vertex AI does otherwise is in `vertex_embeddings`.
"""

import base64
import struct
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage, UsageSource
from sternpost.dialects.gemini import vertex_embeddings
from sternpost.dialects.gemini.codec import path_of
from sternpost.dialects.gemini.usage import read_usage
from sternpost.dialects.json_text.raw_object import UNREADABLE, read_value
from sternpost.dialects.protocols import ReplySummary, RequestHead, Vectors, WrittenRequest

_READ: Final = frozenset({"model", "input", "dimensions", "encoding_format", "input_type", "title", "user"})
_TASKS: Final[Mapping[str, str]] = {
    "query": "RETRIEVAL_QUERY",
    "search_query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "search_document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}
_MOST_TEXTS: Final = 100
_BYTES_PER_TOKEN: Final = 4.5  # of prose, for models that say no count


class _Embedding(msgspec.Struct):
    values: list[float]


class _Reply(msgspec.Struct, rename="camel"):
    embeddings: list[_Embedding]
    usage_metadata: Any = None


_REPLY: Final = msgspec.json.Decoder(_Reply)
_INPUT: Final = msgspec.json.Decoder(str | list[str])


class GeminiEmbedder:
    """Implements `dialects.protocols.Embedder`."""

    def most_texts(self, model: str, quirks: Quirks) -> int:
        return vertex_embeddings.most_texts(model) if quirks.is_vertex else _MOST_TEXTS

    def path(self, model: str, quirks: Quirks) -> str:
        return vertex_embeddings.path(model) if quirks.is_vertex else path_of(model, "batchEmbedContents")

    def write(self, head: RequestHead, model: str, quirks: Quirks) -> WrittenRequest:
        """Raises: BadRequest for tokens instead of texts."""
        config = _config(head)
        dropped = tuple(field for field in head.fields if field not in _READ)
        if quirks.is_vertex:
            return WrittenRequest(vertex_embeddings.write(_texts(head), model, config), dropped)
        name = f"models/{model.removeprefix('models/')}"
        asked: list[object] = []
        for text in _texts(head):
            one: dict[str, object] = {"model": name, "content": {"parts": [{"text": text}]}}
            if config:
                one["embedContentConfig"] = config
            asked.append(one)
        return WrittenRequest(msgspec.json.encode({"requests": asked}), dropped)

    def read(self, body: bytes, head: RequestHead, quirks: Quirks) -> Vectors:
        """Raises: BadRequest when the body holds no vectors."""
        found, usage = vertex_embeddings.read(body) if quirks.is_vertex else _read(body)
        if not found:
            raise BadRequest("The provider's reply has no embeddings.", param="embeddings")
        usage = usage or _estimate(head)
        is_base64 = read_value(head.fields.get("encoding_format")) == "base64"
        shown = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": _shown(values, is_base64)}
                for index, values in enumerate(found)
            ],
            "model": head.model,
            "usage": {"prompt_tokens": usage.in_fresh, "total_tokens": usage.in_fresh},
        }
        return Vectors(
            ReplySummary(usage=usage),
            len(found),
            len(found[0]),
            msgspec.json.encode(shown),
        )


def _read(body: bytes) -> tuple[list[list[float]], Usage | None]:
    try:
        reply = _REPLY.decode(body)
    except UNREADABLE as error:
        raise BadRequest("The provider's reply has no `embeddings`.", param="embeddings") from error
    return [one.values for one in reply.embeddings], read_usage(reply.usage_metadata)


def _texts(head: RequestHead) -> list[str]:
    try:
        given = _INPUT.decode(head.fields["input"])
    except UNREADABLE as error:
        raise BadRequest("input: this model takes texts, not tokens.", param="input") from error
    texts = [given] if isinstance(given, str) else given
    if not texts:
        raise BadRequest("input: send at least one text.", param="input")
    return texts


def _config(head: RequestHead) -> dict[str, object]:
    """Read what shapes the vectors; `input_type` is a field that OpenAI's API does not have."""
    config: dict[str, object] = {}
    kind = read_value(head.fields.get("input_type"))
    if isinstance(kind, str) and kind:
        config["taskType"] = _TASKS.get(kind.lower(), kind.upper())
    dimensions = read_value(head.fields.get("dimensions"))
    if isinstance(dimensions, int):
        config["outputDimensionality"] = dimensions
    title = read_value(head.fields.get("title"))
    if isinstance(title, str) and title:
        config["title"] = title
    return config


def _estimate(head: RequestHead) -> Usage:
    size_bytes = sum(len(text.encode()) for text in _texts(head))
    return Usage(in_fresh=max(1, round(size_bytes / _BYTES_PER_TOKEN)), source=UsageSource.ESTIMATED)


def _shown(values: list[float], is_base64: bool) -> object:
    """Return the numbers, or as OpenAI's SDKs ask for them: base64 of little-endian float32."""
    if not is_base64:
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
