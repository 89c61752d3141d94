"""The header of a blob's file: a mark and its media type; not the bytes themselves."""

MAGIC = b"WLBLOB1\n"
HEAD_BYTES = 128  # of a fixed length, so that a range of the bytes is a range of the file
_TYPE_BYTES = HEAD_BYTES - len(MAGIC)


def pack_head(mime_type: str) -> bytes:
    """Write the head; a media type too long to be one is left out."""
    encoded = mime_type.encode("ascii", "replace")
    return MAGIC + (encoded if len(encoded) <= _TYPE_BYTES else b"").ljust(_TYPE_BYTES, b"\0")


def read_head(head: bytes) -> str:
    """Return the media type; "" for a file that no Sternpost wrote."""
    if not head.startswith(MAGIC):
        return ""
    return head[len(MAGIC) :].rstrip(b"\0").decode("ascii", "replace")
