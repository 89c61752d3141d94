"""Embeddings as Ollama is asked for them and answers; callers speak OpenAI's shape."""

from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import ReplySummary, RequestHead, Vectors, WrittenRequest
from sternpost.dialects.vectors import as_base64, wants_base64

_SAME_NAME: Final = ("dimensions", "keep_alive", "options")
_READ: Final = frozenset({"model", "input", "encoding_format", "truncate", *_SAME_NAME})


class OllamaEmbedder:
    """Implements `dialects.protocols.Embedder`. Nothing is truncated unless `truncate` says so."""

    def most_texts(self, model: str, quirks: Quirks) -> int:
        return 0

    def path(self, model: str, quirks: Quirks) -> str:
        return "/api/embed"

    def write(self, head: RequestHead, model: str, quirks: Quirks) -> WrittenRequest:
        given: dict[str, Json] = {name: msgspec.json.decode(value) for name, value in head.fields.items()}
        asked = given.get("input")
        texts = [asked] if isinstance(asked, str) else asked
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise BadRequest(
                "input: Ollama embeds texts; send a string or an array of strings.", param="input"
            )
        body: dict[str, Json] = {"model": model, "input": texts, "truncate": given.get("truncate") is True}
        body |= {name: given[name] for name in _SAME_NAME if given.get(name) is not None}
        dropped = tuple(name for name, value in given.items() if name not in _READ and value is not None)
        return WrittenRequest(msgspec.json.encode(body), dropped)

    def read(self, body: bytes, head: RequestHead, quirks: Quirks) -> Vectors:
        return read_vectors(body, head)


class _Reply(msgspec.Struct):
    embeddings: list[msgspec.Raw]
    model: Any = None
    prompt_eval_count: Any = None


_REPLY: Final = msgspec.json.Decoder(_Reply)


def read_vectors(body: bytes, head: RequestHead) -> Vectors:
    """Write the vectors in OpenAI's shape and the asked encoding. Raises: BadRequest when there are none."""
    try:
        reply = _REPLY.decode(body)
        is_base64 = wants_base64(head)
        vectors = [as_base64(vector) if is_base64 else vector for vector in reply.embeddings]
    except UNREADABLE as error:
        raise BadRequest("The provider's reply has no `embeddings`.", param="embeddings") from error
    if not vectors:
        raise BadRequest("The provider's reply has no embeddings.", param="embeddings")
    count = reply.prompt_eval_count
    usage = Usage(in_fresh=count) if isinstance(count, int) and count >= 0 else None
    model = text_or_empty(reply.model)
    shown = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ],
        "model": model or head.model,
        **({"usage": {"prompt_tokens": count, "total_tokens": count}} if usage else {}),
    }
    dimensions = bytes(reply.embeddings[0]).count(b",") + 1
    return Vectors(ReplySummary(usage, model), len(vectors), dimensions, msgspec.json.encode(shown))
