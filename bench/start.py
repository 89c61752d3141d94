"""Start times, memory at rest and the SDK's import time."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import memory_mb
from tests.support.running import RunningSternpost, run_sternpost


def measure(folder: Path, config: str) -> dict[str, Any]:
    """Start on an existing folder three times; seconds until `serve` and the engine answer."""
    ready: list[float] = []
    engine: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        with run_sternpost(folder, config=config) as running:
            running.wait_ready()
            ready.append(time.perf_counter() - began)
            while not _engine_is_up(running):
                time.sleep(0.05)
            engine.append(time.perf_counter() - began)
    return {
        "serve_ready_s": round(median(ready), 2),
        "engine_ready_s": round(median(engine), 2),
        "import_sternpost_ms": round(_import_ms(), 1),
    }


def idle_memory(running: RunningSternpost, *, rest_s: float = 5.0) -> dict[str, int]:
    """Resident memory of each process after a rest, in MB."""
    time.sleep(rest_s)
    return {name: round(memory_mb(running.pid_of(name))) for name in ("serve", "worker", "engine")}


def _engine_is_up(running: RunningSternpost) -> bool:
    with urllib.request.urlopen(f"{running.base_url}/readyz", timeout=5) as reply:
        return bool(json.load(reply)["parts"]["trace_store"]["is_up"])


def _import_ms() -> float:
    """Import in a fresh interpreter, less an interpreter that imports nothing; the best of five."""

    def best(code: str) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - began)
        return min(times)

    return (best("import sternpost; sternpost.trace") - best("pass")) * 1000
