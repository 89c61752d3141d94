"""Knows media by their bytes and names: base64, media types, modalities; keeps nothing."""

import binascii
import re
from typing import Final

from sternpost.contracts.message import Modality

UNKNOWN_TYPE: Final = "application/octet-stream"
_MIME = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+_-]{0,80}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_TO_STANDARD: Final = str.maketrans("-_", "+/")
# First bytes of formats, and where they stand. Sources: RFC 2083, ISO/IEC 10918-1, GIF89a, the RIFF and
# ISO base media file formats, RFC 3533, RFC 9639, ISO/IEC 11172-3, ISO 32000.
_SIGNS: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)
_MP3_FRAMES: Final = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")


def decode_base64(text: str) -> bytes | None:
    """Decode base64 of either alphabet, with or without padding and line breaks; None if it is not one."""
    packed = "".join(text.split()).translate(_TO_STANDARD).rstrip("=")
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        return None


def is_base64(text: str) -> bool:
    return _BASE64.fullmatch(text) is not None


def sniff_mime_type(content: bytes) -> str:
    """Tell a format by its first bytes, three at least; "" for one that isn't known."""
    return next((mime_type for at, sign, mime_type in _SIGNS if content.startswith(sign, at)), "")


def clean_mime_type(declared: str, content: bytes) -> str:
    """Return the media type that was declared, or what the bytes look like when that says nothing."""
    bare = declared.partition(";")[0].strip().lower()
    if bare != UNKNOWN_TYPE and _MIME.fullmatch(bare):
        return bare
    if found := sniff_mime_type(content):
        return found
    return "audio/mpeg" if content.startswith(_MP3_FRAMES) else UNKNOWN_TYPE


def modality_of(mime_type: str) -> Modality:
    match mime_type.partition("/")[0]:
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "document"
