"""Content parts of Responses items, read and written; items and their order belong to `items`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    FilePart,
    Json,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
    UriPart,
)
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.losses.no_place import no_place
from sternpost.dialects.openai_chat.parts import read_detail, split_data_url

_AUDIO_MIME: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO_FORMAT: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def read_content(owner: Fields, name: str = "content") -> Iterator[Part]:
    """Read a string or an array of parts."""
    value = owner.values.get(name)
    if isinstance(value, str):
        if value:
            yield TextPart(value)
        return
    for part in owner.items(name):
        yield _read_part(part)


def _read_part(part: Fields) -> Part:
    match part.text("type"):
        case "input_text" | "output_text" | "text":
            return TextPart(part.need_text("text"))
        case "refusal":
            return RefusalPart(part.need_text("refusal"))
        case "input_image":
            return _read_image(part)
        case "input_file":
            return _read_file(part)
        case "input_audio":
            audio = part.need_child("input_audio")
            kind = audio.text("format") or "wav"
            return BlobPart("audio", audio.need_text("data"), _AUDIO_MIME.get(kind, f"audio/{kind}"))
        case _:
            return OtherPart(part.values)


def _read_image(part: Fields) -> Part:
    detail = read_detail(part)
    if file_id := part.text("file_id"):
        return FilePart("image", file_id, detail)
    url = part.need_text("image_url")
    if url.startswith("data:"):
        mime_type, content = split_data_url(url, part.at("image_url"))
        return BlobPart("image", content, mime_type, detail=detail)
    return UriPart("image", url, detail=detail)


def _read_file(part: Fields) -> Part:
    if file_id := part.text("file_id"):
        return FilePart("document", file_id)
    if url := part.text("file_url"):
        return UriPart("document", url)
    content = part.need_text("file_data")
    mime_type = "application/pdf"
    if content.startswith("data:"):
        mime_type, content = split_data_url(content, part.at("file_data"))
    return BlobPart("document", content, mime_type, part.text("filename"))


def write_content(parts: Iterable[Part]) -> Json:
    """Write the parts of a system or user message: one text as a string, otherwise an array."""
    kept = list(parts)
    if not kept:
        return ""
    if len(kept) == 1 and isinstance(kept[0], TextPart):
        return kept[0].content
    return [write_part(part) for part in kept]


def write_part(part: Part) -> Mapping[str, Json]:
    """Write one part of what a model is given. Raises: BadRequest for content without a form here."""
    match part:
        case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
            return {"type": "input_text", "text": content}
        case UriPart("image", uri):
            return {"type": "input_image", "image_url": uri, "detail": part.detail or "auto"}
        case BlobPart("image", content, mime_type):
            url = f"data:{mime_type or 'image/png'};base64,{content}"
            return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
        case FilePart("image", file_id):
            return {"type": "input_image", "file_id": file_id, "detail": part.detail or "auto"}
        case UriPart("document", uri):
            return {"type": "input_file", "file_url": uri}
        case FilePart("document", file_id):
            return {"type": "input_file", "file_id": file_id}
        case BlobPart("document", content, mime_type, filename):
            mime_type = mime_type or "application/pdf"
            name = filename or ("document.pdf" if mime_type == "application/pdf" else "document")
            return {"type": "input_file", "filename": name, "file_data": f"data:{mime_type};base64,{content}"}
        case BlobPart("audio", content, mime_type) if mime_type in _AUDIO_FORMAT:
            audio: Json = {"data": content, "format": _AUDIO_FORMAT[mime_type]}
            return {"type": "input_audio", "input_audio": audio}
        case OtherPart(payload):
            raise no_place(payload)
        case _:
            raise BadRequest(f"This model's API does not support content of type {part.type!r} here.")
