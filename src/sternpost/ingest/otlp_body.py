"""Unpacks a request body within a limit; what is inside belongs to `otlp_decode`."""

import zlib

import zstandard

from sternpost.base.errors import BadRequest, BodyTooLarge


def unpack(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo gzip or zstd, never making more than `max_bytes`.

    Raises: BodyTooLarge, also for a small body that grows too large; BadRequest for a broken one.
    """
    if len(body) > max_bytes:
        raise BodyTooLarge(f"the body is larger than {max_bytes:,} bytes; send smaller batches")
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            unpacked = _gunzip(body, max_bytes)
        case "zstd":
            unpacked = _unzstd(body, max_bytes)
        case _:
            raise BadRequest(f"content-encoding {encoding[:20]!r} is not one of gzip, zstd, identity")
    if len(unpacked) > max_bytes:
        raise BodyTooLarge(f"the unpacked body is larger than {max_bytes:,} bytes; send smaller batches")
    return unpacked


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, max_bytes + 1)
    except zlib.error:
        raise BadRequest("the body is not valid gzip") from None
    if not unpacker.eof and len(unpacked) <= max_bytes:
        raise BadRequest("the gzip body ends too early")
    return unpacked


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    try:
        with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(body) as reader:
            return reader.read(max_bytes + 1)
    except zstandard.ZstdError:
        raise BadRequest("the body is not valid zstd") from None
