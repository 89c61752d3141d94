"""Which media a browser may show, under which headers, and which bytes a range asks for; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from sternpost.base.ids import ContentHash, ProjectId
from sternpost.capabilities.traces.media.detect import UNKNOWN_TYPE
from sternpost.contracts.blobs import StoredBlob

# Formats that hold no code for a browser to run. SVG and HTML do, so they are only ever downloaded.
_SHOWN: Final = frozenset(
    {
        *("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"),
        "application/pdf",
    }
)
_PLAYED: Final = re.compile(r"(audio|video)/[a-z0-9.+-]{1,60}")
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_SAFETY: Final[Mapping[str, str]] = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "vary": "authorization, x-api-key, cookie",
    # A hash never changes its bytes; an hour, so that what was erased leaves browsers soon.
    "cache-control": "private, max-age=3600, immutable",
}


THUMBNAIL_EDGES: Final = (128, 256, 512)  # few, so that few are kept of each picture


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    length: int


def is_shown_inline(mime_type: str) -> bool:
    return mime_type in _SHOWN or _PLAYED.fullmatch(mime_type) is not None


def media_headers(blob: StoredBlob) -> dict[str, str]:
    """Return the headers of a blob's bytes; what may be active is a download of no type."""
    is_inline = is_shown_inline(blob.mime_type)
    return {
        **_SAFETY,
        "content-type": blob.mime_type if is_inline else UNKNOWN_TYPE,
        # No file name: it would win over the one that a page gives, which knows what the sender called it.
        "content-disposition": "inline" if is_inline else "attachment",
        "etag": f'"{blob.hash}"',
        "accept-ranges": "bytes",
    }


def thumbnail_headers(blob: StoredBlob, edge: int, *, is_placeholder: bool) -> dict[str, str]:
    kind = {"x-sternpost-thumbnail": "placeholder"} if is_placeholder else {}
    return {**_SAFETY, "content-disposition": "inline", "etag": f'"{blob.hash}-{edge}"', **kind}


def thumbnail_hash(project_id: ProjectId, hash_: ContentHash, edge: int) -> ContentHash:
    """Name the blob that keeps a thumbnail: known from the image's hash alone, in the image's project."""
    key = project_id.encode()[:64]
    name = f"thumbnail:{edge}:{hash_}".encode()
    return ContentHash(blake2b(name, digest_size=32, key=key).hexdigest())


def read_byte_range(header: str, size_bytes: int) -> ByteRange | None:
    """Read `Range` (RFC 9110, section 14); None for the whole blob: no range, several, or an unreadable one.

    A length of 0 means that the range is outside the blob: answer 416.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last so many bytes
        length = min(int(found[2]), size_bytes)
        return ByteRange(size_bytes - length, length)
    start = int(found[1])
    end = min(int(found[2]), size_bytes - 1) if found[2] else size_bytes - 1
    if found[2] and int(found[2]) < start:
        return None
    return ByteRange(start, max(end - start + 1, 0))
