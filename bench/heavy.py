"""`python -m bench.heavy`: many slow streams, large bodies, memory after many calls.

Linux only. `serve` has one core to itself; the load, the fake servers and the rest share another.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import uvloop

from bench import mixed, streams
from bench.machine import YARDSTICK_US, describe, yardstick_us
from tests.conftest import CONFIG
from tests.support.fake_provider import start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost

TARGETS = "added per-token p99 < 2 ms; 10 MB at most 20 x 0.5 MB; memory within 20 MB of idle"


def main() -> int:
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": describe(),
        "load_average_at_start": round(os.getloadavg()[0], 1),
        "targets": TARGETS,
    }
    port = streams.bound()
    url = f"http://127.0.0.1:{port.getsockname()[1]}/v1"
    metronome = f'  metronome: {{dialect: openai_chat, base_url: "{url}", api_key: "x"}}\n'
    with tempfile.TemporaryDirectory() as folder, start_fake_provider() as provider:
        config = CONFIG.format(url=provider.url).replace("routes:", metronome + "routes:")
        with run_sternpost(Path(folder) / "home", config=config) as running:
            running.wait_ready()
            found["serve_has_a_core"] = _place(running, provider.pid)
            found["memory"] = _step("memory", mixed.memory_after(running))
            found["large_bodies"] = _step("large bodies", mixed.large_bodies(running))
            found["in_real_time"] = _prefer(running.pid_of("serve"), os.getpid())
            found["streams"] = _step("streams", uvloop.run(streams.measure(running, port)))
    path = Path(__file__).parent / "results" / f"{time.strftime('%Y-%m-%d')}-heavy.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"written to {path}")
    return 0


def _place(running: RunningSternpost, *others: int) -> bool:
    """Give `serve` the first core and the rest the second; false where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    serve = running.pid_of("serve")
    family = psutil.Process(running.process.pid).children(recursive=True)
    for pid in {os.getpid(), running.process.pid, *others, *(child.pid for child in family)}:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {cores[0] if pid == serve else cores[-1]})
    return len(cores) > 1


def _prefer(*pids: int) -> bool:
    """Run these in real time, so that no other work of the machine is measured; false if not allowed.

    A priority would not do: between sessions the kernel shares by group (sched(7), autogroup).
    """
    try:
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return False
    return True


def _step(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """Say how fast the machine was right behind a step, beside what the step found."""
    told = {**result, "yardstick_us": {"usual": YARDSTICK_US, "seen": yardstick_us()}}
    print(f"{name}: {json.dumps(told)}", flush=True)
    return told


if __name__ == "__main__":
    sys.exit(main())
