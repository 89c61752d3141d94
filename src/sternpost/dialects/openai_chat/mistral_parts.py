"""Content parts that Mistral writes otherwise than OpenAI; everything else is read and written in `parts`.

Source: https://docs.mistral.ai/api/endpoint/chat and https://docs.mistral.ai/capabilities/reasoning.
"""

from collections.abc import Callable, Mapping, Sequence

from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    UriPart,
)
from sternpost.dialects.json_text.fields import Fields


def read_mistral_part(part: Fields) -> Part:
    """Read a thinking chunk (text within), a document by its address, or sound as a string."""
    match part.text("type"):
        case "thinking":
            return ReasoningPart(_thought(part), signature=part.text("signature"))
        case "document_url":
            url = part.need_text("document_url")
            header, _, content = url.partition(";base64,")
            if url.startswith("data:") and content:
                name = part.text("document_name")
                return BlobPart("document", content, header.removeprefix("data:").partition(";")[0], name)
            return UriPart("document", url)
        case "input_audio":
            sound = part.need_text("input_audio")
            if sound.startswith(("http://", "https://")):
                return UriPart("audio", sound)
            return BlobPart("audio", sound.rpartition(",")[2], "audio/mpeg")
        case _:
            return OtherPart(part.values)


def _thought(part: Fields) -> str:
    inner = part.values.get("thinking")
    if isinstance(inner, str):
        return inner
    return "".join(piece.text("text") or "" for piece in part.items("thinking"))


def write_mistral_content(parts: Sequence[Part], write_part: Callable[[Part], Mapping[str, Json]]) -> Json:
    """Write content as Mistral takes it. write_part: writes the parts that are as OpenAI's."""
    if all(isinstance(part, TextPart) for part in parts) and len(parts) <= 1:
        return "".join(part.content for part in parts if isinstance(part, TextPart))
    return [_write_own(part) or write_part(part) for part in parts]


def _write_own(part: Part) -> dict[str, Json]:
    match part:
        case UriPart("document", uri):
            return {"type": "document_url", "document_url": uri}
        case BlobPart("document", content, mime_type, filename):
            url = f"data:{mime_type or 'application/pdf'};base64,{content}"
            named: dict[str, Json] = {"document_name": filename} if filename else {}
            return {"type": "document_url", "document_url": url, **named}
        case UriPart("audio", uri):
            return {"type": "input_audio", "input_audio": uri}
        case BlobPart("audio", content):
            return {"type": "input_audio", "input_audio": content}
        case FilePart("document", file_id):
            return {"type": "file", "file_id": file_id}
        case _:
            return {}
