"""Content parts of OpenAI messages, read and written; roles and order belong to the request."""

from collections.abc import Iterator, Mapping
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    FilePart,
    Json,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    UriPart,
)
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.losses.no_place import no_place
from sternpost.dialects.openai_chat.mistral_parts import read_mistral_part, write_mistral_content

_AUDIO_MIME: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO_FORMAT: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def read_content(message: Fields) -> Iterator[Part]:
    """Read `content`: null, a string or an array of parts, on every role."""
    content = message.values.get("content")
    if content is None:
        return
    if isinstance(content, str):
        if content:
            yield TextPart(content)
        return
    for part in message.items("content"):
        yield _read_part(part)


def thinking_blocks(message: Fields) -> Iterator[ReasoningPart]:
    """Read the extension field that carries signed thinking through this dialect."""
    for block in message.items("thinking_blocks"):
        if block.values.get("type") == "redacted_thinking":
            yield ReasoningPart(encrypted_content=block.need_text("data"))
        else:
            yield ReasoningPart(block.text("thinking") or "", signature=block.text("signature"))


def details_text(details: Json) -> str:
    """Join what `reasoning_details` show; sealed ones show nothing.

    Source: https://openrouter.ai/docs/use-cases/reasoning-tokens.
    """
    if not isinstance(details, list):
        return ""
    texts = [item.get("text") or item.get("summary") for item in details if isinstance(item, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _read_part(part: Fields) -> Part:
    match part.text("type"):
        case "text":
            return TextPart(part.need_text("text"))
        case "refusal":
            return RefusalPart(part.need_text("refusal"))
        case "image_url":
            return _read_image(part)
        case "input_audio":
            if isinstance(part.values.get("input_audio"), str):
                return read_mistral_part(part)
            audio = part.need_child("input_audio")
            kind = audio.text("format") or "wav"
            return BlobPart("audio", audio.need_text("data"), _AUDIO_MIME.get(kind, f"audio/{kind}"))
        case "file" if part.has("file"):
            return _read_file(part.need_child("file"))
        case "thinking" | "document_url":
            return read_mistral_part(part)
        case _:
            return OtherPart(part.values)


def _read_image(part: Fields) -> Part:
    detail: str | None = None
    if isinstance(part.values.get("image_url"), str):  # some clients send the address itself
        url = part.need_text("image_url")
    else:
        image = part.need_child("image_url")
        url, detail = image.need_text("url"), read_detail(image)
    if url.startswith("data:"):
        mime_type, content = split_data_url(url, part.at("image_url"))
        return BlobPart("image", content, mime_type, detail=detail)
    return UriPart("image", url, detail=detail)


def read_detail(image: Fields) -> str | None:
    """Return how closely to look; `auto` is what is done unasked."""
    detail = image.text("detail")
    return None if detail == "auto" else detail


def _read_file(file: Fields) -> Part:
    if file_id := file.text("file_id"):
        return FilePart("document", file_id)
    content = file.need_text("file_data")
    mime_type = "application/pdf"
    if content.startswith("data:"):
        mime_type, content = split_data_url(content, file.at("file_data"))
    return BlobPart("document", content, mime_type, file.text("filename"))


def split_data_url(url: str, path: str) -> tuple[str, str]:
    """Return media type and base64. Raises: BadRequest when it is not base64."""
    header, comma, content = url.partition(",")
    if not comma or not header.endswith(";base64"):
        raise BadRequest(f"{path}: a data URL must be base64 (data:<type>;base64,...).", param=path)
    return header[len("data:") : -len(";base64")].partition(";")[0], content


def write_content(parts: "tuple[Part, ...] | list[Part]", *, is_mistral: bool = False) -> Json:
    """Write the parts of a system or user message: one text as a string, otherwise an array."""
    if is_mistral:
        return write_mistral_content(parts, _write_part)
    if all(isinstance(part, TextPart) for part in parts) and len(parts) <= 1:
        return "".join(part.content for part in parts if isinstance(part, TextPart))
    return [_write_part(part) for part in parts]


def _write_part(part: Part) -> Mapping[str, Json]:
    match part:
        case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
            return {"type": "text", "text": content}
        case UriPart("image", uri):
            return _image(uri, part.detail)
        case BlobPart("image", content, mime_type):
            return _image(f"data:{mime_type or 'image/png'};base64,{content}", part.detail)
        case BlobPart("audio", content, mime_type) if mime_type in _AUDIO_FORMAT:
            return {
                "type": "input_audio",
                "input_audio": {"data": content, "format": _AUDIO_FORMAT[mime_type]},
            }
        case BlobPart("document", content, mime_type, filename):
            return {"type": "file", "file": _write_document(content, mime_type, filename)}
        case FilePart("document", file_id):
            return {"type": "file", "file": {"file_id": file_id}}
        case OtherPart(payload):
            raise no_place(payload)
        case _:
            raise BadRequest(f"This model's API can't take {_kind_of(part)}; send it as base64 content.")


def _image(url: str, detail: str | None) -> Mapping[str, Json]:
    detailed: dict[str, Json] = {"detail": detail} if detail else {}
    return {"type": "image_url", "image_url": {"url": url, **detailed}}


def _write_document(content: str, mime_type: str, filename: str | None) -> Mapping[str, Json]:
    mime_type = mime_type or "application/pdf"
    name = filename or ("document.pdf" if mime_type == "application/pdf" else "document")
    return {"filename": name, "file_data": f"data:{mime_type};base64,{content}"}


def _kind_of(part: Part) -> str:
    match part:
        case UriPart(modality):
            return f"{modality} by URL"
        case FilePart(modality):
            return f"{modality} by file id"
        case BlobPart(modality, _, mime_type):
            return f"{modality} of type {mime_type!r}"
        case _:
            return f"content of type {part.type!r} here"
