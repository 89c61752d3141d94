"""CPU per call, calls per second, stream cost and added latency, beside the direct call and a peer."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.load import Load, request_bytes, run_load
from bench.machine import cpu_s, memory_mb
from tests.support.running import RunningSternpost

ASK = {"model": "lab/m1", "messages": [{"role": "user", "content": "Tell me about winches. " * 20}]}
STREAM = {**ASK, "model": "lab/chunks-50", "stream": True}


def bodies(prefix: str = "lab/") -> tuple[bytes, bytes]:
    """Return the same call, whole and streamed, for a host that names its models with `prefix`."""
    whole = {**ASK, "model": f"{prefix}m1"}
    stream = {**STREAM, "model": f"{prefix}chunks-50"}
    return json.dumps(whole).encode(), json.dumps(stream).encode()


def measure(sternpost: RunningSternpost, upstream_url: str) -> dict[str, Any]:
    """Measure Sternpost and the direct call in one run, alternating so that noise meets both."""
    pid = sternpost.pid_of("serve")
    ours, direct = f"{sternpost.base_url}/v1/chat/completions", f"{upstream_url}/v1/chat/completions"
    whole, stream = bodies()
    whole_direct, stream_direct = bodies("")
    _load(ours, sternpost.key, whole, connections=8, calls=500)  # warm

    found: dict[str, Any] = {}
    cpu_rounds, stream_rounds, rates = [], [], []
    for _ in range(3):
        cpu, load = _cpu_of(pid, ours, sternpost.key, whole, connections=16, calls=3000)
        cpu_rounds.append(cpu)
        rates.append(load.calls_per_s)
        stream_rounds.append(_cpu_of(pid, ours, sternpost.key, stream, connections=16, calls=600)[0])
    found["cpu_ms_per_call"] = _three(cpu_rounds)
    found["calls_per_s_on_one_core"] = round(1000 / min(cpu_rounds))
    found["calls_per_s_seen_on_two_shared_cores"] = round(max(rates))
    found["cpu_ms_per_stream_of_50_chunks"] = _three(stream_rounds)
    found["added_latency_ms"] = _added(ours, direct, sternpost.key, whole, whole_direct)
    found["added_latency_ms_stream"] = _added(ours, direct, sternpost.key, stream, stream_direct, calls=300)
    found["memory_mb_after_load"] = round(memory_mb(pid))
    return found


def _added(
    ours: str, direct: str, key: str, body: bytes, direct_body: bytes, calls: int = 1500
) -> dict[str, float]:
    """One caller: our percentile less the direct one, in alternating rounds."""
    near: list[float] = []
    through: list[float] = []
    for _ in range(3):
        near += _load(direct, key, direct_body, connections=1, calls=calls // 3).latencies_ms
        through += _load(ours, key, body, connections=1, calls=calls // 3).latencies_ms
    a, b = Load(sorted(through), 1, 0), Load(sorted(near), 1, 0)
    return {
        "p50": round(a.percentile(0.5) - b.percentile(0.5), 3),
        "p99": round(a.percentile(0.99) - b.percentile(0.99), 3),
        "direct_p50": round(b.percentile(0.5), 3),
        "through_p50": round(a.percentile(0.5), 3),
    }


def measure_litellm(upstream_url: str) -> dict[str, Any] | None:
    """Measure LiteLLM's proxy in the same way, when it is installed; None when it is not."""
    program = shutil.which("litellm") or shutil.which("litellm", path=str(Path(sys.executable).parent))
    if program is None:
        return None
    with _litellm(program, upstream_url) as (url, pid):
        whole, stream = bodies()
        _load(url, "sk-bench", whole, connections=4, calls=50)
        cpu = _cpu_of(pid, url, "sk-bench", whole, connections=8, calls=300)[0]
        streamed = _cpu_of(pid, url, "sk-bench", stream, connections=8, calls=60)[0]
        return {
            "cpu_ms_per_call": round(cpu, 2),
            "cpu_ms_per_stream_of_50_chunks": round(streamed, 2),
            "memory_mb_after_load": round(memory_mb(pid)),
        }


@contextmanager
def _litellm(program: str, upstream_url: str) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    models = [
        {
            "model_name": f"lab/{name}",
            "litellm_params": {"model": f"openai/{name}", "api_base": f"{upstream_url}/v1", "api_key": "x"},
        }
        for name in ("m1", "chunks-50")
    ]
    config = Path(tempfile.gettempdir()) / f"litellm-{port}.yaml"
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": "sk-bench"}}))
    process = subprocess.Popen(
        [program, "--config", str(config), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        time.sleep(2)
        yield f"http://127.0.0.1:{port}/v1/chat/completions", process.pid
    finally:
        process.terminate()
        process.wait(20)
        config.unlink(missing_ok=True)


def _load(url: str, key: str, body: bytes, *, connections: int, calls: int) -> Load:
    load = asyncio.run(run_load(url, request_bytes(url, key, body), connections=connections, calls=calls))
    if load.failures:
        raise RuntimeError(f"{load.failures} of {calls} calls to {url} failed")
    return load


def _cpu_of(pid: int, url: str, key: str, body: bytes, *, connections: int, calls: int) -> tuple[float, Load]:
    before = cpu_s(pid)
    load = _load(url, key, body, connections=connections, calls=calls)
    return (cpu_s(pid) - before) * 1000 / calls, load


def _three(rounds: list[float]) -> dict[str, float]:
    ordered = sorted(rounds)
    return {
        "min": round(ordered[0], 3),
        "median": round(ordered[len(ordered) // 2], 3),
        "max": round(ordered[-1], 3),
    }
