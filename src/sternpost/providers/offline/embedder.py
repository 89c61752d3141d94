"""Turns texts into vectors of hashed words, so that embeddings work without a key; it knows no meaning."""

import base64
import hashlib
import math
import struct
from collections import Counter
from typing import Final

import msgspec

from sternpost.base.tokens import estimate_tokens
from sternpost.providers.offline.requests import Refusal
from sternpost.providers.offline.words import terms

MODEL: Final = "hash-256"
DESCRIPTION: Final = "counts of stemmed words hashed into 256 dimensions; alike only where words are shared"
_DIMENSIONS = 256
_MOST_TEXTS = 2_048  # OpenAI's own limit


class _Body(msgspec.Struct):
    model: str
    input: str | list[str]
    encoding_format: str | None = None
    dimensions: int | None = None


_DECODER = msgspec.json.Decoder(_Body)


def embed(text: str) -> list[float]:
    """Hash each word to a dimension and a sign, and scale to length 1.

    Source: Weinberger and others, "Feature Hashing for Large Scale Multitask Learning", 2009.
    """
    vector = [0.0] * _DIMENSIONS
    for word, count in Counter(terms(text) or [text]).items():
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=2).digest()
        vector[digest[0]] += (1.0 if digest[1] & 1 else -1.0) * (1.0 + math.log(count))
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else vector


def answer_embeddings(body: bytes) -> bytes:
    """Answer as OpenAI does, in base64 or numbers. Raises: Refusal."""
    request = _read(body)
    texts = [request.input] if isinstance(request.input, str) else request.input
    is_packed = request.encoding_format == "base64"
    items = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if is_packed else vector}
        for index, vector in enumerate(map(embed, texts))
    ]
    tokens = sum(map(estimate_tokens, texts))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "data": items, "model": MODEL, "usage": usage})


def _read(body: bytes) -> _Body:
    try:
        request = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal(400, "send `model`, and `input` as a text or an array of texts") from error
    if request.model != MODEL:
        raise Refusal(
            404, f"the offline answerer embeds with {MODEL!r} only", code="model_not_found", param="model"
        )
    if request.dimensions not in {None, _DIMENSIONS}:
        raise Refusal(400, f"{MODEL!r} has {_DIMENSIONS} dimensions, no others", param="dimensions")
    if request.encoding_format not in {None, "float", "base64"}:
        raise Refusal(400, "encoding_format: send `float` or `base64`", param="encoding_format")
    count = 1 if isinstance(request.input, str) else len(request.input)
    if not 0 < count <= _MOST_TEXTS:
        raise Refusal(400, f"input: send 1 to {_MOST_TEXTS:,} texts", param="input")
    return request


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{_DIMENSIONS}f", *vector)).decode()
