"""Content blocks of Anthropic messages, read and written; roles and order belong to the request."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    FilePart,
    Json,
    Modality,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.no_place import no_place

_IMAGE_STARTS: Final = (  # of base64
    ("/9j/", "image/jpeg"),
    ("iVBORw0KGgo", "image/png"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
)
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,256}\Z")
_DOCUMENT_MIMES: Final = frozenset({"application/pdf", ""})


def read_blocks(owner: Fields, name: str = "content") -> Iterator[Part]:
    """Read a string or an array of blocks."""
    value = owner.values.get(name)
    if isinstance(value, str):
        if value:
            yield TextPart(value)
        return
    for block in owner.items(name):
        yield from _read_block(block)


def _read_block(block: Fields) -> Iterator[Part]:
    match block.text("type"):
        case "text":
            yield TextPart(block.need_text("text"))
        case "image":
            yield from _read_source(block, "image")
        case "document":
            yield from _read_source(block, "document")
        case "tool_use":
            arguments = msgspec.json.encode(block.values.get("input") or {}).decode()
            yield ToolCallPart(block.need_text("name"), arguments, block.need_text("id"))
        case "tool_result":
            yield _read_result(block)
        case "thinking":
            yield ReasoningPart(block.text("thinking") or "", signature=block.text("signature"))
        case "redacted_thinking":
            yield ReasoningPart(encrypted_content=block.need_text("data"))
        case "search_result":
            passage = "\n".join(_texts(list(read_blocks(block))))
            yield TextPart(_lines(block.text("title"), block.text("source"), passage))
        case _:
            yield OtherPart(block.values)


def _read_source(block: Fields, modality: Modality) -> Iterator[Part]:
    """Read a medium; what the model is told of a document beside it, no other dialect has a field for."""
    source = block.need_child("source")
    mime_type, kind, title = source.text("media_type") or "", source.text("type"), block.text("title")
    told = _lines(None if kind == "base64" else title, block.text("context"))
    if told:
        yield TextPart(told)
    match kind:
        case "base64":
            yield BlobPart(modality, source.need_text("data"), mime_type, title)
        case "url":
            yield UriPart(modality, source.need_text("url"), mime_type)
        case "file":
            yield FilePart(modality, source.need_text("file_id"))
        case "text":
            yield TextPart(source.need_text("data"))
        case "content":
            yield from read_blocks(source)
        case _:
            raise source.refuse("type", "base64, url, file, text or content")


def _read_result(block: Fields) -> ToolResponsePart:
    parts = list(read_blocks(block))
    media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
    others = [part.payload for part in parts if isinstance(part, OtherPart)]
    text = "\n".join(_texts(parts))
    response: Json = [*([{"type": "text", "text": text}] if text else []), *others] if others else text
    return ToolResponsePart(
        response, block.need_text("tool_use_id"), is_error=bool(block.flag("is_error")), media=media
    )


def _texts(parts: Sequence[Part]) -> list[str]:
    return [part.content for part in parts if isinstance(part, TextPart)]


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)


def write_part(part: Part) -> Mapping[str, Json]:
    """Write one part of a system, user or assistant message as a block.

    Raises: BadRequest for content the dialect has no block for.
    """
    match part:
        case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
            return {"type": "text", "text": content}
        case ToolCallPart(name, arguments, id):
            return {"type": "tool_use", "id": call_id(id), "name": name, "input": _input(arguments)}
        case ToolResponsePart():
            return _write_result(part)
        case ReasoningPart(encrypted_content=str(sealed)):
            return {"type": "redacted_thinking", "data": sealed}
        case ReasoningPart(content, signature):
            return {"type": "thinking", "thinking": content, "signature": signature or ""}
        case BlobPart():
            return _write_blob(part)
        case UriPart("image" | "document" as modality, uri):
            return {"type": modality, "source": {"type": "url", "url": uri}}
        case FilePart("image" | "document" as modality, file_id):
            return {"type": modality, "source": {"type": "file", "file_id": file_id}}
        case UriPart(modality) | FilePart(modality):
            raise BadRequest(f"This model's API takes no {modality}; send text, images or documents.")
        case OtherPart(payload):
            raise no_place(payload)


def _write_blob(part: BlobPart) -> Mapping[str, Json]:
    match part:
        case BlobPart("image", content, mime_type):
            return _base64("image", content, _image_type(content) or mime_type or "image/png")
        case BlobPart("document", content, mime_type) if mime_type.startswith("text/"):
            return _text_document(part)
        case BlobPart("document", content, mime_type, filename) if mime_type in _DOCUMENT_MIMES:
            block = _base64("document", content, mime_type or "application/pdf")
            return {**block, "title": filename} if filename else block
        case _:
            raise BadRequest(
                f"This model's API takes no {part.modality} of type {part.mime_type!r};"
                " send text, images or PDF documents."
            )


def _image_type(content: str) -> str | None:
    """Return what the first bytes say: the API answers 400 when the media type is another."""
    return next((kind for start, kind in _IMAGE_STARTS if content.startswith(start)), None)


def _text_document(part: BlobPart) -> Mapping[str, Json]:
    try:
        text = base64.b64decode(part.content).decode()
    except ValueError as error:
        raise BadRequest(f"A document of type {part.mime_type!r} must be base64 of UTF-8 text.") from error
    source: Json = {"type": "text", "media_type": "text/plain", "data": text}
    block: dict[str, Json] = {"type": "document", "source": source}
    return {**block, "title": part.filename} if part.filename else block


def _base64(kind: str, content: str, mime_type: str) -> Mapping[str, Json]:
    return {"type": kind, "source": {"type": "base64", "media_type": mime_type, "data": content}}


def _write_result(part: ToolResponsePart) -> Mapping[str, Json]:
    text = part.response if isinstance(part.response, str) else msgspec.json.encode(part.response).decode()
    block: dict[str, Json] = {"type": "tool_result", "tool_use_id": call_id(part.id)}
    if part.media:
        texts: list[Json] = [{"type": "text", "text": text}] if text.strip() else []
        block["content"] = [*texts, *(write_part(item) for item in part.media)]
    else:
        block["content"] = text
    if part.is_error:
        block["is_error"] = True
    return block


def call_id(given: str | None) -> str:
    """Return the id, or a digest of one in letters that the API answers 400 to: other hosts make such."""
    if given and _CALL_ID.match(given):
        return given
    return f"call_{hashlib.sha256((given or '').encode()).hexdigest()[:24]}"


def _input(arguments: str) -> Json:
    """Return the arguments as an object, which the API demands; what isn't one is kept as text in one."""
    try:
        value: Json = msgspec.json.decode(arguments) if arguments.strip() else {}
    except UNREADABLE:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": arguments}
