"""Embeddings as OpenAI and its likes write them: heads are edited, vectors counted and rarely rebuilt."""

from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.message import Json, Message, OtherPart, Part, TextPart
from sternpost.contracts.provider import Quirks
from sternpost.dialects.json_text.fields import read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import (
    UNREADABLE,
    is_null,
    read_model,
    read_value,
    rewrite_object,
    split_object,
)
from sternpost.dialects.openai_chat.usage import read_usage
from sternpost.dialects.protocols import ReplySummary, RequestHead, Vectors, WrittenRequest
from sternpost.dialects.vectors import as_base64, wants_base64

PATH: Final = "/embeddings"
_MISTRAL_SIZE: Final = "output_dimension"  # https://docs.mistral.ai/capabilities/embeddings/code_embeddings
_MOST_TEXTS: Final = 2048  # https://platform.openai.com/docs/api-reference/embeddings/create
_FLOAT_BYTES = 4  # base64 is of little-endian float32


def read_head(body: bytes) -> RequestHead:
    """Check the structure only: model and input. Raises: BadRequest with `param`."""
    fields = split_object(body)
    model = read_model(fields)
    given = fields.get("input")
    if given is None or is_null(given) or bytes(memoryview(given)[:1]) not in {b'"', b"["}:
        raise BadRequest("input: send a string, an array of strings, or tokens as numbers.", param="input")
    user = read_value(fields.get("user"))
    return RequestHead(
        model=model,
        is_stream=False,
        wants_stream_usage=False,
        end_user=user if isinstance(user, str) else "",
        metadata={},
        fields=fields,
        body=body,
    )


class OpenAiEmbedder:
    """Implements `dialects.protocols.Embedder`."""

    def most_texts(self, model: str, quirks: Quirks) -> int:
        return _MOST_TEXTS

    def path(self, model: str, quirks: Quirks) -> str:
        return PATH

    def write(self, head: RequestHead, model: str, quirks: Quirks) -> WrittenRequest:
        return WrittenRequest(
            edit(head, model, quirks), tuple(name for name in quirks.rejects if name in head.fields)
        )

    def read(self, body: bytes, head: RequestHead, quirks: Quirks) -> Vectors:
        return read_vectors(body, quirks, is_base64=wants_base64(head))


def edit(head: RequestHead, model: str, quirks: Quirks) -> bytes:
    """Change the model, what Mistral calls by another name, and leave out what the host refuses.

    Every value keeps its bytes and its place.
    """
    fields: dict[str, msgspec.Raw | bytes] = {
        name: value for name, value in head.fields.items() if name not in quirks.rejects
    }
    if quirks.is_mistral and _MISTRAL_SIZE not in fields:
        fields = {_MISTRAL_SIZE if name == "dimensions" else name: value for name, value in fields.items()}
    if model != head.model:
        fields["model"] = msgspec.json.encode(model)
    return rewrite_object(head.body, head.fields, fields)


class _Reply(msgspec.Struct):
    data: list[dict[str, msgspec.Raw]]
    model: Any = None  # only a string is a name
    usage: Any = None


_REPLY = msgspec.json.Decoder(_Reply)


def read_vectors(body: bytes, quirks: Quirks, *, is_base64: bool = False) -> Vectors:
    """Count the vectors and read names and usage. Raises: BadRequest when the body holds no vectors.

    is_base64: what was asked for. Hosts that know only numbers get them encoded: SDKs ask unasked, and not
    all look at what came.
    """
    try:
        reply = _REPLY.decode(body)
    except UNREADABLE as error:
        raise BadRequest("The provider's reply has no `data` with embeddings.", param="data") from error
    if not reply.data:
        raise BadRequest("The provider's reply has no embeddings.", param="data")
    summary = ReplySummary(usage=read_usage(reply.usage, quirks), model=text_or_empty(reply.model))
    first = bytes(reply.data[0].get("embedding", b""))
    shown = _encoded(body, reply.data) if is_base64 and first.startswith(b"[") else body
    return Vectors(summary, len(reply.data), _dimensions(first), shown)


def _encoded(body: bytes, items: list[dict[str, msgspec.Raw]]) -> bytes:
    fields = split_object(body)
    try:
        encoded = [{**item, "embedding": as_base64(item["embedding"])} for item in items]
    except (KeyError, *UNREADABLE) as error:
        raise BadRequest("The provider's embeddings are not all numbers.", param="data") from error
    return rewrite_object(body, fields, {**fields, "data": msgspec.json.encode(encoded)})


def _dimensions(vector: bytes) -> int:
    """Count by the punctuation: decoding thousands of numbers would cost more than the rest of the call."""
    if vector.startswith(b"["):
        return vector.count(b",") + 1 if vector[1:-1].strip() else 0
    if vector.startswith(b'"'):
        letters = len(vector.strip(b'"').rstrip(b"="))
        return letters * 3 // 4 // _FLOAT_BYTES
    return 0


def read_request(body: bytes) -> ChatRequest:
    """Read what was embedded as one message, for the trace: a part per text, tokens by their number.

    Raises: BadRequest.
    """
    fields = read_object(body)
    given = fields.values.get("input")
    if isinstance(given, list) and given and not _is_number(given[0]):
        parts = tuple(_part(item) for item in given)
    else:
        parts = (_part(given),)
    return ChatRequest(model=fields.need_text("model"), messages=(Message("user", parts),))


def _part(given: Json) -> Part:
    if isinstance(given, str):
        return TextPart(given)
    if isinstance(given, list):
        return OtherPart({"tokens": len(given)})
    return OtherPart({"input": given})


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float)
