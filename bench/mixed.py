"""What large bodies cost, and what stays in memory after many different calls."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from bench.load import request_bytes
from bench.machine import cpu_s, memory_mb
from tests.support.running import RunningSternpost

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
SMALL_BYTES, LARGE_BYTES = 500_000, 10_000_000
WORDS = "Tell me about winches. "


def large_bodies(sternpost: RunningSternpost, *, rounds: int = 3) -> dict[str, Any]:
    """CPU of `serve` for a 10 MB request over that for a 0.5 MB one, within a dialect and across."""
    found: dict[str, Any] = {}
    for name, path, model in (
        ("same_dialect", CHAT, "lab/m1"),
        ("to_anthropic", CHAT, "labant/m1"),
        ("to_responses", CHAT, "labres/m1"),
        ("from_anthropic", MESSAGES, "lab/m1"),
    ):
        costs: dict[int, list[float]] = {SMALL_BYTES: [], LARGE_BYTES: []}
        for _ in range(rounds):
            for size, seen in costs.items():
                seen.append(_cost_ms(sternpost, path, _body(model, size), calls=LARGE_BYTES // size))
        small, large = (sorted(costs[size])[rounds // 2] for size in costs)
        found[name] = {
            "cpu_ms_0.5_mb": round(small, 2),
            "cpu_ms_10_mb": round(large, 2),
            "ratio": round(large / small, 1),
        }
    return found


def _body(model: str, size: int) -> bytes:
    """A long conversation: many messages, since one long string is copied and never looked into."""
    text = WORDS * 40
    turn = [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
    ask = {"model": model, "max_tokens": 50, "messages": turn * (size // (2 * len(text) + 70))}
    ask["messages"] += [{"role": "user", "content": "And now?"}]
    return json.dumps(ask).encode()


def _cost_ms(sternpost: RunningSternpost, path: str, body: bytes, *, calls: int) -> float:
    """CPU per call. As many bytes for both sizes, so that the clock's hundredths weigh the same."""
    pid = sternpost.pid_of("serve")
    before = cpu_s(pid)
    for _ in range(calls):
        status, _, answer = sternpost.request("POST", path, body)
        if status != 200:
            raise RuntimeError(f"a call failed with {status}: {answer}")
    return (cpu_s(pid) - before) * 1000 / calls


def memory_after(sternpost: RunningSternpost, *, calls: int = 10_000) -> dict[str, Any]:
    """Memory of `serve` before and after: whole, streamed, across dialects, images, errors, broken streams.

    Idle means warm: every kind of call was served once, so that lazy imports and tables are there.
    """
    pid = sternpost.pid_of("serve")
    asyncio.run(_send(sternpost, 200))
    time.sleep(2)
    idle = memory_mb(pid)
    asyncio.run(_send(sternpost, calls))
    at_end = memory_mb(pid)
    time.sleep(10)  # the journal's queue and the keep-alives end
    after = memory_mb(pid)
    return {
        "calls": calls,
        "idle_mb": round(idle, 1),
        "at_the_end_mb": round(at_end, 1),
        "after_10_s_mb": round(after, 1),
        "stays_mb": round(after - idle, 1),
    }


def _kinds() -> Iterator[tuple[str, dict[str, Any]]]:
    ask = [{"role": "user", "content": WORDS * 20}]
    pixels = base64.b64encode(bytes(range(256)) * 400).decode()  # 100 kB: the size of a small screenshot
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{pixels}"}}
    shown = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}]
    for is_stream in (False, True):
        for model in ("lab/m1", "labant/m1", "labres/m1"):
            yield CHAT, {"model": model, "messages": ask, "stream": is_stream}
            yield MESSAGES, {"model": model, "messages": ask, "max_tokens": 50, "stream": is_stream}
            yield RESPONSES, {"model": model, "input": ask, "stream": is_stream}
    yield CHAT, {"model": "lab/m1", "messages": shown}
    yield CHAT, {"model": "labant/m1", "messages": shown, "stream": True}
    yield CHAT, {"model": "lab/fault-400", "messages": ask}
    yield CHAT, {"model": "nobody/knows", "messages": ask}
    yield CHAT, {"model": "lab/fault-cut", "messages": ask, "stream": True}
    yield MESSAGES, {"model": "labant/fault-context", "messages": ask, "max_tokens": 50}
    yield CHAT, {"model": "lab/m1", "messages": "no list"}


async def _send(sternpost: RunningSternpost, calls: int) -> None:
    """Send the kinds in turn over eight connections at once; a connection each, as some end broken."""
    host, port = sternpost.base_url.removeprefix("http://").split(":")
    requests = [
        request_bytes(sternpost.base_url + path, sternpost.key, json.dumps(body).encode()).replace(
            b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1
        )
        for path, body in _kinds()
    ]
    left = iter(range(calls))

    async def one_after_the_other() -> None:
        for number in left:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(requests[number % len(requests)])
            await reader.read(-1)
            writer.close()

    async with asyncio.timeout(300), asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(one_after_the_other())
