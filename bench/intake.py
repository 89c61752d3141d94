"""What calls feel of OTLP at a steady rate beside them: their latency with it less their latency without."""

import asyncio
import json
import multiprocessing
import time
from typing import Any
from urllib.parse import urlsplit

from bench.gateway import ASK
from bench.load import answer, request_bytes
from bench.machine import cpu_s
from bench.pipeline import batch_of
from tests.support.running import RunningSternpost

CALLS_PER_S = 50
SPANS_PER_BATCH = 500
_NUMBER = 0x1000  # of the batch that all are made of; its ids are replaced in each one
_TRACE = b'"%016x' % _NUMBER
_SPAN = b'"%013x' % (_NUMBER * SPANS_PER_BATCH >> 12)


def measure(
    sternpost: RunningSternpost, *, spans_per_s: int = 4_000, seconds: float = 20.0
) -> dict[str, Any]:
    """Call at a steady rate alone and beside OTLP, in turn and twice, and count the spans that were taken."""
    alone: list[float] = []
    beside: list[float] = []
    taken = 0
    sent_s = 0.0
    serve = sternpost.pid_of("serve")
    with_intake_cpu = 0.0
    asyncio.run(_call_for(sternpost, 2.0))
    for _ in range(2):
        alone += asyncio.run(_call_for(sternpost, seconds / 2))
        results: multiprocessing.Queue[tuple[int, float]] = multiprocessing.get_context("spawn").Queue()
        sender = multiprocessing.get_context("spawn").Process(
            target=_send_for,
            args=(sternpost.base_url, sternpost.key, spans_per_s, seconds / 2 + 2, results),
        )
        sender.start()
        time.sleep(1.5)  # the sender starts, and with the first turn the intake process
        began = cpu_s(serve)
        beside += asyncio.run(_call_for(sternpost, seconds / 2))
        with_intake_cpu += cpu_s(serve) - began
        count, took = results.get(timeout=60)
        taken, sent_s = taken + count, sent_s + took
        sender.join()
    found: dict[str, Any] = {
        "calls_per_s": CALLS_PER_S,
        "spans_per_s": round(taken / sent_s),
        "serve_cpu_share": round(with_intake_cpu / seconds, 2),
    }
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        without, with_it = _percentile(alone, share), _percentile(beside, share)
        found[f"{name}_ms"] = {
            "alone": round(without, 1),
            "beside": round(with_it, 1),
            "added": round(with_it - without, 1),
        }
    return found


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def _call_for(sternpost: RunningSternpost, seconds: float) -> list[float]:
    """Begin a call every 20 ms, whether the ones before have been answered or not; milliseconds of each."""
    parts = urlsplit(sternpost.base_url)
    request = request_bytes(
        f"{sternpost.base_url}/v1/chat/completions", sternpost.key, json.dumps(ASK).encode()
    )
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    latencies: list[float] = []

    async def call() -> None:
        began = time.perf_counter()
        reader, writer = idle.pop() if idle else await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        if not await answer(reader):
            raise RuntimeError("a call failed")
        latencies.append((time.perf_counter() - began) * 1000)
        idle.append((reader, writer))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * CALLS_PER_S)):
            await asyncio.sleep(max(0.0, began + number / CALLS_PER_S - time.perf_counter()))
            group.create_task(call())
    for _, writer in idle:
        writer.close()
    return latencies


def _send_for(
    base_url: str,
    key: str,
    spans_per_s: int,
    seconds: float,
    results: "multiprocessing.Queue[tuple[int, float]]",
) -> None:
    results.put(asyncio.run(_send(base_url, key, spans_per_s, seconds)))


async def _send(base_url: str, key: str, spans_per_s: int, seconds: float) -> tuple[int, float]:
    """Send batches at a steady rate over four connections; spans that were acknowledged, and how long."""
    template = json.dumps(batch_of(_NUMBER, SPANS_PER_BATCH)).encode()
    batches = iter(range(int(seconds * spans_per_s / SPANS_PER_BATCH)))
    parts = urlsplit(base_url)
    taken = 0
    began = time.perf_counter()

    async def one_connection() -> None:
        nonlocal taken
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in batches:
            await asyncio.sleep(
                max(0.0, began + number * SPANS_PER_BATCH / spans_per_s - time.perf_counter())
            )
            name = time.time_ns()
            body = template.replace(_TRACE, b'"%016x' % name).replace(_SPAN, b'"%013x' % (name % 2**52))
            writer.write(request_bytes(f"{base_url}/v1/traces", key, body))
            taken += SPANS_PER_BATCH if await answer(reader) else 0
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(one_connection())
    return taken, time.perf_counter() - began
