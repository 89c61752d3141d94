"""A real HTTP server that answers with the bytes a test wrote, one reply after the other."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class ScriptedProvider:
    """`replies` are used up in order; the last one stays. Each is what follows the request on the wire."""

    url: str = ""
    replies: list[bytes] = field(default_factory=list[bytes])
    paths: list[str] = field(default_factory=list[str])  # of the requests so far
    open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").lower().split("\r\n")
                size = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
                await reader.readexactly(size)
                self.paths.append(lines[0].split(" ")[1])
                writer.write(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])
                await writer.drain()
        writer.close()


def reply(
    body: bytes, content_type: str = "application/json", *, status: int = 200, headers: bytes = b""
) -> bytes:
    """Write a whole HTTP reply."""
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + headers + b"\r\n" + body


@asynccontextmanager
async def start_scripted_provider() -> AsyncGenerator[ScriptedProvider]:
    provider = ScriptedProvider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, limit=2**24)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.close()
        for writer in provider.open:
            writer.close()
        await server.wait_closed()
