"""The frames between the process that serves calls and its intake process; what is in a body is `flow`'s.

A frame is two lengths, a head in MessagePack, and a body as it came: the largest part is never encoded again.
"""

import asyncio
from collections.abc import Mapping
from struct import Struct

import msgspec

from sternpost.contracts.call import Principal
from sternpost.ingest.otlp_reply import Signal

_LENGTHS = Struct("<II")


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """What `serve` knows of one request; its body is the frame's."""

    content_type: str
    content_encoding: str
    principal: Principal
    signal: Signal


class Request(msgspec.Struct, frozen=True, array_like=True):
    """The head of a frame to the intake process. `ask` None: the body is another first frame."""

    number: int
    ask: Ask | None


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The head of a frame back; its body is the reply's. counts: what was counted since the last answer."""

    number: int
    status: int
    headers: Mapping[str, str]
    counts: Mapping[str, int]


def write_frame(writer: asyncio.StreamWriter, head: bytes, body: bytes = b"") -> None:
    writer.write(_LENGTHS.pack(len(head), len(body)) + head)
    if body:
        writer.write(body)


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Return the next head and body; None when the other process closed its end, or is gone."""
    try:
        head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        return await reader.readexactly(head), await reader.readexactly(body)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
