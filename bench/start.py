"""Start times, memory at rest, and what each process imports."""

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

PROCESSES = {
    "serve": "sternpost.server.serve",
    "worker": "sternpost.assembly.worker",
    "engine": "sternpost.assembly.engine",
    "intake": "sternpost.assembly.intake_process",
    "cli": "sternpost.cli.main",
}
_WEIGH = """
import sys, time
began = time.perf_counter()
__import__(sys.argv[1])
took_ms = (time.perf_counter() - began) * 1000
rss = next(line for line in open("/proc/self/status") if line.startswith("VmRSS:"))
print(len(sys.modules), int(rss.split()[1]) / 1024, took_ms)
"""


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
        "imports": import_weight(),
    }


def import_weight() -> dict[str, dict[str, int]]:
    """What each process imports before it does anything: modules, resident MB, ms (the best of three)."""
    weights: dict[str, dict[str, int]] = {}
    for process, module in PROCESSES.items():
        runs = [
            subprocess.run([sys.executable, "-c", _WEIGH, module], capture_output=True, text=True, check=True)
            for _ in range(3)
        ]
        modules, mb, _ = runs[0].stdout.split()
        ms = min(float(run.stdout.split()[2]) for run in runs)
        weights[process] = {"modules": int(modules), "mb": round(float(mb)), "ms": round(ms)}
    return weights


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
