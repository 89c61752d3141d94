"""Many slow streams at once through one core of Sternpost: what each token waits longer than without it.

Load and fake server share the other core. The load and the server are the same on both ways, and the two
ways alternate, so that what the machine adds meets both.
"""

import asyncio
import gc
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bench.load import Load, request_bytes
from bench.machine import cpu_s
from tests.support.running import RunningSternpost

STREAMS = 150
TOKENS_PER_S = 50
TOKENS = 150
STREAMS_EACH = 3
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_FRAME = b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[%b]}\n\n'
_STAMP = b'"content":"t'


def _chunk(frame: bytes, stamped: int = 0) -> bytes:
    """Frame for HTTP; stamped: by how many bytes the stamp is longer than its place."""
    return b"%x\r\n%b\r\n" % (len(frame) + stamped, frame)


_TOKEN = _chunk(  # a stamp has 19 digits, %019d five characters
    _FRAME % b'{"index":0,"delta":{"content":"t%019d"},"finish_reason":null}', 14
)
_LAST = _chunk(_FRAME % b'{"index":0,"delta":{},"finish_reason":"stop"}') + _chunk(b"data: [DONE]\n\n")


async def _play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
            writer.write(_HEAD)
            await _tokens(writer.write)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        writer.close()  # the other side is gone, or the measurement over


async def _tokens(write: Callable[[bytes], None]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(TOKENS):
        await asyncio.sleep(max(0.0, began + number / TOKENS_PER_S - loop.time()))
        write(_TOKEN % time.perf_counter_ns())
    write(_LAST)


async def _listen(url: str, request: bytes, delays_ms: list[float], start_s: float) -> None:
    """Read one stream after the other; keep how long each token of all but the first was on its way.

    The first streams begin while there are not yet as many as there are to be.
    """
    await asyncio.sleep(start_s)
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for number in range(STREAMS_EACH):
        await _read_one(reader, writer, request, delays_ms if number else [])
    writer.close()


async def _read_one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, delays_ms: list[float]
) -> None:
    writer.write(request)
    rest = b""
    while not rest.endswith(b"0\r\n\r\n"):
        block = await reader.read(65536)
        if not block:
            raise RuntimeError(f"a stream ended early: {rest[-300:]!r}")
        now_ns = time.perf_counter_ns()
        rest += block
        while (at := rest.find(_STAMP)) >= 0 and (end := rest.find(b'"', at + len(_STAMP))) >= 0:
            delays_ms.append((now_ns - int(rest[at + len(_STAMP) : end])) / 1e6)
            rest = rest[end:]


async def _round(url: str, key: str, model: str) -> Load:
    ask = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Count."}]}
    request = request_bytes(url, key, json.dumps(ask).encode())
    delays_ms: list[float] = []
    began = time.perf_counter()
    gc.collect()
    gc.disable()  # the load's own pauses are no one's latency
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in range(STREAMS):  # spread over the time of one stream, as callers are
                start_s = number / STREAMS * TOKENS / TOKENS_PER_S
                group.create_task(_listen(url, request, delays_ms, start_s))
    finally:
        gc.enable()
    missing = STREAMS * TOKENS * (STREAMS_EACH - 1) - len(delays_ms)
    return Load(sorted(delays_ms), time.perf_counter() - began, missing)


def bound() -> socket.socket:
    """Take the metronome's port, so that Sternpost can be told of it before it plays."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken


async def measure(sternpost: RunningSternpost, port: socket.socket, *, rounds: int = 5) -> dict[str, Any]:
    """Measure in pairs: the same streams straight from the metronome and through Sternpost.

    The metronome plays in this process, and writes into each token when it left: one clock measures.
    """
    server = await asyncio.start_server(_play, sock=port, backlog=1024)
    async with server:
        return await _measure(sternpost, f"http://127.0.0.1:{port.getsockname()[1]}", rounds)


async def _measure(sternpost: RunningSternpost, metronome_url: str, rounds: int) -> dict[str, Any]:
    pid = sternpost.pid_of("serve")
    ways = {
        "direct": (f"{metronome_url}/v1/chat/completions", "m"),
        "through": (f"{sternpost.base_url}/v1/chat/completions", "metronome/m"),
    }
    await _round(ways["through"][0], sternpost.key, "metronome/m")  # warm
    pairs: list[dict[str, Load]] = []
    used_s = 0.0
    for _ in range(rounds):
        pair: dict[str, Load] = {}
        for name, (url, model) in ways.items():
            before = cpu_s(pid)
            pair[name] = await _round(url, sternpost.key, model)
            used_s += cpu_s(pid) - before if name == "through" else 0.0
        pairs.append(pair)
    return _summary(pairs, used_s)


def _summary(pairs: list[dict[str, Load]], used_s: float) -> dict[str, Any]:
    added = {
        name: sorted(
            round(pair["through"].percentile(share) - pair["direct"].percentile(share), 3) for pair in pairs
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    through_s = sum(pair["through"].elapsed_s for pair in pairs)
    return {
        "streams": STREAMS,
        "tokens_per_s_each": TOKENS_PER_S,
        "added_ms": {name: {"median": one[len(one) // 2], "all": one} for name, one in added.items()},
        "direct_p99_ms": [round(pair["direct"].percentile(0.99), 3) for pair in pairs],
        "through_p99_ms": [round(pair["through"].percentile(0.99), 3) for pair in pairs],
        "tokens_lost": sum(load.failures for pair in pairs for load in pair.values()),
        "core_share_of_serve": round(used_s / through_s, 2),
        "load_average": round(os.getloadavg()[0], 1),
    }
