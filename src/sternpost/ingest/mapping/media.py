"""Pictures, sounds and files in messages of any vendor's JSON; what becomes of their bytes is elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Final

from sternpost.contracts.message import BlobPart, FilePart, Json, Modality, OtherPart, Part, TextPart, UriPart
from sternpost.ingest.mapping.values import as_text, is_mapping

MEDIA_KINDS: Final = frozenset(
    {
        *("image_url", "input_image", "image", "blob", "uri", "file", "input_audio", "audio"),
        *("input_file", "media"),  # OpenAI Responses, LangChain
    }
)
_MODALITIES: Final[Mapping[str, Modality]] = {"image": "image", "video": "video", "audio": "audio"}
# Where forms put the inner object: OpenAI chat, Anthropic, LangChain and OpenInference.
_INNER: Final = ("image_url", "input_audio", "file", "source", "image", "audio")
_BYTES: Final = ("data", "content", "file_data", "base64", "image", "audio", "file")
_PLACES: Final = ("url", "uri", "image_url", "file_url", "image")
_TYPES: Final = ("mime_type", "media_type", "mimeType", "mediaType")
_AUDIO_TYPES: Final[Mapping[str, str]] = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def read_medium(value: Mapping[str, Json], kind: str) -> Part:
    """Read one medium: its bytes, its address or the id of its file; what has none of them is kept as it is.

    kind: the type of the part, with underscores.
    """
    layers = tuple(_layers(value))
    mime_type = _first(layers, _TYPES)
    sound = _first(layers, ("format",))
    if not mime_type and sound and "audio" in kind:
        mime_type = _AUDIO_TYPES.get(sound, f"audio/{sound}")
    modality = _modality(as_text(value.get("modality")), mime_type, kind)
    if file_id := _first(layers, ("file_id",)):
        return FilePart(modality, file_id)
    name = _first(layers, ("filename", "title")) or None
    place, content = _first(layers, _PLACES), _first(layers, _BYTES)
    for text in (place, content):
        if text.startswith("data:") and ";base64," in text:
            head, _, packed = text.partition(";base64,")
            mime_type = head.removeprefix("data:").partition(";")[0]
            return BlobPart(_modality("", mime_type, kind), packed, mime_type, name)
    if "://" in place:
        return UriPart(modality, place, mime_type)
    if layers[-1].get("type") == "text":  # Anthropic: a document that is plain text
        return TextPart(content)
    if content or kind == "blob":
        return BlobPart(modality, content, mime_type, name)
    return UriPart(modality, place, mime_type) if place else OtherPart(value)


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
