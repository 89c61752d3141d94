"""Batches: lines a second through the gateway, the time of a batch of one line, what an idle worker costs."""

import json
import os
import time
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.running import RunningSternpost

_CHAT = "/v1/chat/completions"


def measure(running: RunningSternpost, *, lines: int = 2000, rest_s: float = 15.0) -> dict[str, Any]:
    """Run a batch of many lines and five of one; `lab/m1` answers at once: the queue is what is measured."""
    run_batch(running, 20)
    worker = running.pid_of("worker")
    at_start = cpu_s(worker)
    began = time.perf_counter()
    run_batch(running, lines)
    took_s = time.perf_counter() - began
    used_s = cpu_s(worker) - at_start
    short: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        run_batch(running, 1)
        short.append(time.perf_counter() - began)
    time.sleep(3)
    at_start = cpu_s(worker)
    time.sleep(rest_s)
    return {
        "lines_per_s": round(lines / took_s),
        "worker_cpu_ms_per_line": round(used_s / lines * 1000, 2),
        "one_line_s": round(sorted(short)[2], 2),
        "idle_worker_cpu_percent": round((cpu_s(worker) - at_start) / rest_s * 100, 2),
    }


def run_batch(running: RunningSternpost, lines: int) -> None:
    """Submit a batch and wait for its end."""
    rows = [
        json.dumps(
            {
                "custom_id": f"c{number}",
                "method": "POST",
                "url": _CHAT,
                "body": {"model": "lab/m1", "messages": [{"role": "user", "content": f"Say {number}."}]},
            }
        )
        for number in range(lines)
    ]
    asked = {"input_file_id": _upload(running, "\n".join(rows)), "endpoint": _CHAT}
    status, _, batch = running.request("POST", "/v1/batches", {**asked, "completion_window": "24h"})
    assert status == 200, batch
    while batch["status"] not in {"completed", "failed"}:
        time.sleep(0.05)
        batch = running.get(f"/v1/batches/{batch['id']}")
    assert batch["request_counts"]["completed"] == lines, batch


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _upload(running: RunningSternpost, content: str) -> str:
    border = uuid4().hex
    parts = (
        f'--{border}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{border}\r\ncontent-disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
        f"{content}\r\n--{border}--\r\n"
    )
    request = urllib.request.Request(
        f"{running.base_url}/v1/files",
        data=parts.encode(),
        headers={
            "authorization": f"Bearer {running.key}",
            "content-type": f"multipart/form-data; boundary={border}",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["id"]
