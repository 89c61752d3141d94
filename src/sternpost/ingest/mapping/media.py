"""Images, audio and files in messages of any provider's JSON; what happens to their bytes is elsewhere."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from sternpost.base.ids import ContentHash, ProjectId
from sternpost.contracts.message import BlobPart, FilePart, Json, Modality, OtherPart, Part, TextPart, UriPart
from sternpost.ingest.mapping.values import as_text, is_mapping

MEDIA_KINDS: Final = frozenset(
    {
        *("image_url", "input_image", "image", "blob", "uri", "file", "input_audio", "audio"),
        *("input_file", "media", "video", "video_url"),  # OpenAI Responses, LangChain
        "binary",  # pydantic-ai
    }
)
_MODALITIES: Final[Mapping[str, Modality]] = {"image": "image", "video": "video", "audio": "audio"}
# Where forms put the inner object: OpenAI chat, Anthropic, LangChain and OpenInference.
_INNER: Final = (
    *("image_url", "input_audio", "file", "source", "image", "audio", "video", "video_url", "media"),
    *("inline_data", "inlineData", "s3Location"),
)
_BYTES: Final = ("data", "bytes", "content", "file_data", "base64", "image", "audio", "file")
_PLACES: Final = ("url", "uri", "image_url", "file_url", "image", "fileUri", "file_uri", "video_url")
_TYPES: Final = ("mime_type", "media_type", "mimeType", "mediaType", "contentType")
# Where Langfuse's SDKs take a medium's bytes out; they send them apart, under this id.
_LANGFUSE: Final = re.compile(
    r"@@@langfuseMedia:type=([^|@]{1,100})\|id=([\w-]{1,100})\|source=[^@]{0,40}@@@"
)
_AUDIO_TYPES: Final[Mapping[str, str]] = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def read_medium(value: Mapping[str, Json], kind: str) -> Part:
    """Read one medium: its bytes, its address or the id of its file; what has none of them is kept as it is.

    kind: the type of the part, with underscores.
    """
    layers = tuple(_layers(value))
    mime_type = _first(layers, _TYPES)
    sound = _first(layers, ("format",))
    if not mime_type and sound:
        mime_type = _type_of_format(sound, kind)
    modality = _modality(as_text(value.get("modality")), mime_type, kind)
    if file_id := _first(layers, ("file_id",)):
        return FilePart(modality, file_id)
    name = _first(layers, ("filename", "title", "name")) or None
    place, content = _first(layers, _PLACES), _first(layers, _BYTES)
    for text in (place, content):
        if text.startswith("data:") and ";base64," in text:
            head, _, packed = text.partition(";base64,")
            mime_type = head.removeprefix("data:").partition(";")[0]
            return BlobPart(_modality("", mime_type, kind), packed, mime_type, name)
    if (apart := place or content).startswith("@@@langfuseMedia:") and (found := read_apart(apart)):
        return found
    if "://" in place:
        return UriPart(modality, place, mime_type)
    if layers[-1].get("type") == "text":  # Anthropic: a document that is plain text
        return TextPart(content)
    if content or kind == "blob":
        return BlobPart(modality, content, mime_type, name)
    return UriPart(modality, place, mime_type) if place else OtherPart(value)


def read_apart(text: str) -> BlobPart | None:
    """Read the token that represents media of Langfuse's SDKs; None for any other text."""
    match = _LANGFUSE.fullmatch(text)
    return BlobPart(_modality("", match[1], ""), text, match[1]) if match else None


def with_hash(part: BlobPart, project_id: ProjectId) -> BlobPart:
    """Point a part that `read_apart` made at the blob that is, or will be, sent for it."""
    match = _LANGFUSE.fullmatch(part.content)
    return part if match is None else replace(part, content="", hash=apart_hash(project_id, match[2]))


def apart_hash(project_id: ProjectId, media_id: str) -> ContentHash:
    """Return the hash of bytes that are sent apart: made of their id, which alone is known early."""
    digest = blake2b(f"langfuse-media:{media_id}".encode(), digest_size=32, key=project_id.encode()[:64])
    return ContentHash(digest.hexdigest())


def _type_of_format(word: str, kind: str) -> str:
    """Return the media type of a format as Bedrock and OpenAI name it, `png` or `wav`."""
    group = kind.removeprefix("input_").partition("_")[0]
    if group == "audio":
        return _AUDIO_TYPES.get(word, f"audio/{word}")
    if group in ("image", "video"):
        return f"{group}/{word}"
    return "application/pdf" if word == "pdf" else ""


def _layers(value: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Yield the object and those inside it that describe the same medium, the outer first."""
    yield value
    for name in _INNER:
        inner = value.get(name)
        if is_mapping(inner):
            yield from _layers(inner)
            return


def _first(layers: tuple[Mapping[str, Json], ...], names: tuple[str, ...]) -> str:
    values = (layer.get(name) for layer in layers for name in names)
    return next((one for one in values if isinstance(one, str) and one), "")


def _modality(said: str, mime_type: str, kind: str) -> Modality:
    words = (said, mime_type.partition("/")[0], kind.removeprefix("input_").partition("_")[0])
    for word in words:
        if found := _MODALITIES.get(word):
            return found
    return "document"
