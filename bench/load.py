"""A small closed-loop HTTP/1.1 load: so many connections, so many requests each, latencies back."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw; latencies in milliseconds, sorted."""

    latencies_ms: list[float]
    elapsed_s: float
    failures: int

    @property
    def calls_per_s(self) -> float:
        return len(self.latencies_ms) / self.elapsed_s

    def percentile(self, share: float) -> float:
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(len(self.latencies_ms) * share))]


def request_bytes(url: str, key: str, body: bytes) -> bytes:
    """Build one POST with a JSON body, ready to be sent many times."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run_load(url: str, request: bytes, *, connections: int, calls: int) -> Load:
    """Send `calls` requests over `connections` kept-alive connections, each waiting for its answer."""
    parts = urlsplit(url)
    latencies: list[float] = []
    left = iter(range(calls))
    failures = 0

    async def one_connection() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for _ in left:
            began = time.perf_counter()
            writer.write(request)
            if not await answer(reader):
                failures += 1
            latencies.append((time.perf_counter() - began) * 1000)
        writer.close()

    began = time.perf_counter()
    async with asyncio.timeout(180), asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one_connection())
    return Load(sorted(latencies), time.perf_counter() - began, failures)


async def answer(reader: asyncio.StreamReader) -> bool:
    """Read one whole answer, sized or chunked; whether its status was 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while True:
            size = int(await reader.readline(), 16)
            await reader.readexactly(size + 2)
            if size == 0:
                break
    else:
        length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
    return head.split(b" ", 2)[1] == b"200"
