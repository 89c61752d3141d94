"""The bytes of a segment and what is readable in them; no files.

A segment is MAGIC, then records: length, CRC-32 of length and payload, CRC-32 of these eight bytes, payload.
The second checksum tells a torn tail (a sound header whose payload is short) from a flipped length.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Literal, TypeAlias
from zlib import crc32

MAGIC = b"WLJRNL1\n"
HEADER_BYTES = 12
MAX_RECORD_BYTES = 512_000_000

_LENGTH = Struct("<I")
_CHECKS = Struct("<II")
_HEADER = Struct("<III")

# end: nothing is left over; torn: a record that is not whole; payload: it is damaged and its end is known;
# header: its end is not known, and the next record has to be searched for.
Stop: TypeAlias = Literal["end", "torn", "payload", "header"]


@dataclass(frozen=True, slots=True)
class Frame:
    payload: bytes
    end: int  # offset behind it


@dataclass(frozen=True, slots=True)
class Scan:
    """The complete records at the start of a buffer and why reading stopped at `at`."""

    frames: tuple[Frame, ...]
    stop: Stop
    at: int
    wanted: int = 0  # length of the record that is torn or damaged, header included; 0: not known


def header_of(payload: bytes) -> bytes:
    length = _LENGTH.pack(len(payload))
    checks = _CHECKS.pack(len(payload), crc32(payload, crc32(length)))
    return checks + _LENGTH.pack(crc32(checks))


def scan(buffer: bytes, base: int, max_records: int) -> Scan:
    """Read whole records from a buffer that starts at offset `base` of its segment, behind MAGIC."""
    frames: list[Frame] = []
    at, size = 0, len(buffer)
    while at < size and len(frames) < max_records:
        if size - at < HEADER_BYTES:
            return Scan(tuple(frames), "torn", base + at)
        length, payload_crc, header_crc = _HEADER.unpack_from(buffer, at)
        start, end = at + HEADER_BYTES, at + HEADER_BYTES + length
        if crc32(buffer[at : at + 8]) != header_crc or length > MAX_RECORD_BYTES:
            return Scan(tuple(frames), "header", base + at)
        if end > size:
            return Scan(tuple(frames), "torn", base + at, end - at)
        payload = buffer[start:end]
        if crc32(payload, crc32(buffer[at : at + 4])) != payload_crc:
            return Scan(tuple(frames), "payload", base + at, end - at)
        frames.append(Frame(payload, base + end))
        at = end
    return Scan(tuple(frames), "end", base + at)


def find_record(buffer: bytes, start: int) -> int | None:
    """Find where the first whole and sound record at or behind `start` begins; None when there is none.

    Both checksums must hold, so chance finds one in damage once in 2**64 places.
    """
    for at in range(start, len(buffer) - HEADER_BYTES + 1):
        length, payload_crc, header_crc = _HEADER.unpack_from(buffer, at)
        body, end = at + HEADER_BYTES, at + HEADER_BYTES + length
        if end > len(buffer) or crc32(buffer[at : at + 8]) != header_crc:
            continue
        if crc32(buffer[body:end], crc32(buffer[at : at + 4])) == payload_crc:
            return at
    return None
