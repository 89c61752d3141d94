"""Embeddings as Vertex AI is asked for them: `predict`, and `embedContent` since gemini-embedding-2.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api and
google.cloud.aiplatform.v1.EmbedContentRequest. Nothing is cut: OpenAI's callers expect an error for a text
too long.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.usage import Usage
from sternpost.dialects.gemini.codec import path_of
from sternpost.dialects.gemini.usage import read_usage
from sternpost.dialects.json_text.raw_object import UNREADABLE

_PREDICTED: Final = "gemini-embedding-001"
_MOST_PREDICTED: Final = 250


class _Statistics(msgspec.Struct):
    token_count: float | None = None


class _Embedding(msgspec.Struct):
    values: list[float]
    statistics: _Statistics | None = None


class _Prediction(msgspec.Struct):
    embeddings: _Embedding


class _Reply(msgspec.Struct, rename="camel"):
    predictions: list[_Prediction] = []
    embedding: _Embedding | None = None
    usage_metadata: Any = None


_REPLY: Final = msgspec.json.Decoder(_Reply)


def _is_predicted(model: str) -> bool:
    return model == _PREDICTED or not model.startswith("gemini-")


def path(model: str) -> str:
    return path_of(model, "predict" if _is_predicted(model) else "embedContent")


def most_texts(model: str) -> int:
    """Return how many texts a request takes: models of the Gemini family are asked text by text."""
    return 1 if model.startswith("gemini-") else _MOST_PREDICTED


def write(texts: Sequence[str], model: str, config: Mapping[str, object]) -> bytes:
    """Write texts; config: what shapes the vectors, by the names of the Gemini API."""
    if not _is_predicted(model):
        body: dict[str, object] = {
            "content": {"parts": [{"text": texts[0]}]},
            "autoTruncate": False,
            **config,
        }
        return msgspec.json.encode(body)
    named = {"task_type": config.get("taskType"), "title": config.get("title")}
    shared = {name: value for name, value in named.items() if value}
    parameters: dict[str, object] = {"autoTruncate": False}
    if size := config.get("outputDimensionality"):
        parameters["outputDimensionality"] = size
    instances = [{"content": text, **shared} for text in texts]
    return msgspec.json.encode({"instances": instances, "parameters": parameters})


def read(body: bytes) -> tuple[list[list[float]], Usage | None]:
    """Return the vectors and what was counted; no counts when a vector came without. Raises: BadRequest."""
    try:
        reply = _REPLY.decode(body)
    except UNREADABLE as error:
        raise BadRequest("The provider's reply has no embeddings.", param="embeddings") from error
    if reply.embedding is not None:
        return [reply.embedding.values], read_usage(reply.usage_metadata)
    found = [one.embeddings for one in reply.predictions]
    counts = [one.statistics.token_count for one in found if one.statistics is not None]
    known = [round(count) for count in counts if count is not None]
    usage = Usage(in_fresh=sum(known)) if known and len(known) == len(found) else None
    return [one.values for one in found], usage
