"""Finds the usage object of a reply as the provider wrote it, to keep on the span; reads no number in it."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.framing.sse import FrameSplitter, FrameTooLarge, payload_of
from sternpost.dialects.json_text.raw_object import UNREADABLE

_MARK = b'"usage":'  # inside a JSON text the quotation marks would be escaped
_MOST_BYTES = 4000


class _Holder(msgspec.Struct):
    """The places of a usage object: OpenAI, Anthropic, Bedrock and Cohere; Gemini; events with one inside."""

    usage: Any = None
    usageMetadata: Any = None  # noqa: N815  # Gemini's name
    message: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


_DECODE = msgspec.json.Decoder(_Holder)
_DECODE_OBJECT = msgspec.json.Decoder(dict[str, Any])


def raw_usage(body: bytes, *, is_stream: bool) -> str:
    """Return the usage object as JSON text; "" when there is none. Of a stream, what came later wins."""
    found: dict[str, Json] = {}
    for one in _of_stream(body) if is_stream else _of_document(body):
        found.update({name: value for name, value in one.items() if value is not None})
    text = msgspec.json.encode(found) if found else b""
    return text.decode() if len(text) <= _MOST_BYTES else ""


def _of_stream(body: bytes) -> Iterable[Mapping[str, Json]]:
    splitter = FrameSplitter()
    try:
        frames = [*splitter.feed(body), splitter.finish()[0]]
    except FrameTooLarge:
        frames = []
    found = [one for frame in frames if b'"usage' in frame for one in _of_document(payload_of(frame))]
    return found or _behind_mark(body)


def _of_document(payload: bytes | msgspec.Raw) -> list[Mapping[str, Json]]:
    try:
        holder = _DECODE.decode(payload)
    except UNREADABLE:
        return []
    inner = [one for raw in (holder.message, holder.response) if bytes(raw) for one in _of_document(raw)]
    return [*inner, *(one for one in (holder.usage, holder.usageMetadata) if isinstance(one, Mapping))]


def _behind_mark(body: bytes) -> list[Mapping[str, Json]]:
    """Look in frames that are not text, such as Bedrock's: the JSON in them is whole."""
    start = body.rfind(_MARK)
    if start < 0:
        return []
    object_at = start + len(_MARK)
    end, depth = object_at, 0
    for end in range(object_at, min(object_at + _MOST_BYTES, len(body))):
        depth += (body[end] == 0x7B) - (body[end] == 0x7D)  # { and }
        if depth <= 0:
            break
    try:
        return [_DECODE_OBJECT.decode(body[object_at : end + 1])]
    except UNREADABLE:
        return []
