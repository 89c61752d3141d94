"""Takes media out of messages and JSON: bytes become blobs, a reference stays; stores nothing itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

import msgspec

from sternpost.base.ids import ContentHash, ProjectId
from sternpost.capabilities.traces.media.detect import (
    clean_mime_type,
    decode_base64,
    is_base64,
    modality_of,
    sniff_mime_type,
)
from sternpost.contracts.blobs import Blob
from sternpost.contracts.message import (
    BlobPart,
    Json,
    Message,
    OtherPart,
    Part,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
)

BLOB_REFERENCE: Final = "sternpost:blob:"  # in a text or a JSON value: here stood the bytes of this hash
_MIN_CHARACTERS: Final = 1000  # base64 in text below that takes no more room than a reference with its blob
_HASH_BYTES: Final = 32
# Tried at the start of each run of such characters only, so that it is linear in the text.
_RUN = re.compile(rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{{_MIN_CHARACTERS}}}")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/_-]{1000,}={0,2})")
_QUOTED = re.compile(rf'(?<=")[A-Za-z0-9+/_-]{{{_MIN_CHARACTERS},}}={{0,2}}(?=")')
_MIME_NAMES: Final = ("mime_type", "mimeType", "media_type", "mediaType", "contentType")
_DEEPEST: Final = 60

_ENCODE = msgspec.json.Encoder(enc_hook=dict).encode


@dataclass(slots=True)
class Media:
    """The blobs of one project that were met, each once."""

    project_id: ProjectId
    found: dict[ContentHash, Blob] = field(default_factory=dict[ContentHash, Blob])

    @property
    def blobs(self) -> tuple[Blob, ...]:
        return tuple(self.found.values())

    def taken_from(self, message: Message) -> Message:
        """Return the message with references where it had bytes; the same object when it has none."""
        if all(isinstance(part, TextPart) and len(part.content) < _MIN_CHARACTERS for part in message.parts):
            return message
        parts = tuple(taken for part in message.parts for taken in self._take(part))
        return message if parts == message.parts else replace(message, parts=parts)

    def taken_from_json(self, value: Json) -> Json:
        """Return a value with references where it had media: data URLs, and base64 known by type or bytes."""
        return _Search(self).walk(value)

    def keep(self, content: bytes, mime_type: str) -> Blob:
        """Make the blob of some bytes; a media type that says nothing is detected from the bytes."""
        key = self.project_id.encode()[:64]  # a hash says nothing about the content of another project
        hash_ = ContentHash(blake2b(content, digest_size=_HASH_BYTES, key=key).hexdigest())
        blob = Blob(self.project_id, hash_, clean_mime_type(mime_type, content), content)
        return self.found.setdefault(hash_, blob)

    def _take(self, part: Part) -> Iterator[Part]:
        """Yield what stays of a part, and a reference to each medium that was inside its text."""
        search = _Search(self)
        match part:
            case BlobPart():
                yield self._refer(part)
            case ToolResponsePart(response, media=media):
                kept = tuple(self._refer(one) if isinstance(one, BlobPart) else one for one in media)
                response = search.walk(response)
                yield replace(part, response=response, media=(*kept, *search.parts()))
            case TextPart(content) if len(content) >= _MIN_CHARACTERS:
                yield replace(part, content=search.text(content))
                yield from search.parts()
            case ToolCallPart(arguments=arguments) if len(arguments) >= _MIN_CHARACTERS:
                yield replace(part, arguments=search.text(arguments))
                yield from search.parts()
            case OtherPart(payload):
                taken = search.walk(payload)
                yield OtherPart(taken) if isinstance(taken, Mapping) else part
                yield from search.parts()
            case _:
                yield part

    def _refer(self, part: BlobPart) -> BlobPart:
        """Put a reference in place of the bytes; what is no base64 is kept as the text it is."""
        if not part.content:
            return part
        content = decode_base64(part.content)
        blob = self.keep(part.content.encode() if content is None else content, part.mime_type)
        mime_type = part.mime_type or blob.mime_type
        return replace(part, content="", mime_type=mime_type, hash=blob.hash, size_bytes=len(blob.content))


def _may_hold_base64(text: str) -> bool:
    """Look at stretches that a run of the least length would fill: 50 times faster than the search."""
    half = _MIN_CHARACTERS // 2
    stretches = (text[at : at + half] for at in range(0, len(text) - half + 1, half))
    return len(text) >= _MIN_CHARACTERS and any(" " not in one and '"' not in one for one in stretches)


@dataclass(slots=True)
class _Search:
    """Looks through one value and remembers which blobs it took out of it, in order."""

    media: Media
    taken: dict[ContentHash, Blob] = field(default_factory=dict[ContentHash, Blob])

    def parts(self) -> Iterator[BlobPart]:
        for blob in self.taken.values():
            modality = modality_of(blob.mime_type)
            yield BlobPart(modality, "", blob.mime_type, hash=blob.hash, size_bytes=len(blob.content))

    def walk(self, value: Json, mime_type: str = "", depth: int = 0) -> Json:
        """mime_type: what the object that holds the value says of its content."""
        if isinstance(value, str):
            return self.text(value, mime_type, depth)
        if depth > _DEEPEST:
            return value
        if isinstance(value, Mapping):
            said = next((name for name in map(value.get, _MIME_NAMES) if isinstance(name, str)), "")
            return {name: self.walk(inner, said, depth + 1) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.walk(inner, mime_type, depth + 1) for inner in value]
        return value

    def text(self, text: str, mime_type: str = "", depth: int = 0) -> str:
        if not _may_hold_base64(text) or not _RUN.search(text):
            return text
        if text[0] in "{[" and depth < _DEEPEST:
            return self._json_text(text, depth)
        if "base64," in text:
            return _DATA_URL.sub(self._replace_url, text)
        return self._replace_bare(text, mime_type)

    def _json_text(self, text: str, depth: int) -> str:
        """Look into JSON written as text; its spelling stays unless something is taken out of it."""
        before = len(self.taken)
        try:
            value = self.walk(msgspec.json.decode(text), depth=depth + 1)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            text = _DATA_URL.sub(self._replace_url, text)
            return _QUOTED.sub(lambda match: self._replace_bare(match[0], ""), text)
        return _ENCODE(value).decode() if len(self.taken) > before else text

    def _replace_url(self, match: re.Match[str]) -> str:
        content = decode_base64(match[2])
        return match[0] if content is None else self._reference(content, match[1])

    def _replace_bare(self, text: str, mime_type: str) -> str:
        """Replace a value that is base64 and nothing else.

        Signatures and encrypted reasoning are base64 too, and stay: no media type, and no known start.
        """
        has_type = mime_type != "" and not mime_type.startswith("text/")
        if not has_type and not sniff_mime_type(decode_base64(text[:64]) or b""):
            return text
        content = decode_base64(text) if is_base64(text) else None
        return text if content is None else self._reference(content, mime_type)

    def _reference(self, content: bytes, mime_type: str) -> str:
        blob = self.media.keep(content, mime_type)
        self.taken[blob.hash] = blob
        return f"{BLOB_REFERENCE}{blob.hash}"
