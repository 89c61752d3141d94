"""`make bench`: run every measurement once and write bench/results/<date>.json."""

import json
import sys
import tempfile
import time
from pathlib import Path

from bench import gateway, intake, journal, pipeline, start, translate
from bench.machine import describe
from tests.conftest import CONFIG
from tests.support.fake_provider import start_fake_provider
from tests.support.running import run_sternpost

TARGETS = {
    "gateway.cpu_ms_per_call.median": 0.45,
    "gateway.cpu_ms_per_stream_of_50_chunks.median": 1.2,
    "gateway.added_latency_ms.p50": 1.0,
    "gateway.added_latency_ms.p99": 4.0,
    "intake.spans_per_s": -3800,
    "intake.p50_ms.added": 2,
    "intake.p99_ms.added": 12,
    "start.serve_ready_s": 2.5,
    "start.engine_ready_s": 6.0,
    "memory_idle_mb.serve": 130,
    "memory_idle_mb.worker": 170,
    "memory_idle_mb.engine": 400,
    "visible_s.median": 1.0,
    "pipeline.queryable_per_s": -5000,  # negative: at least
    "start.import_sternpost_ms": 150,
    "start.imports.serve.mb": 110,
    "start.imports.worker.mb": 110,
    "start.imports.engine.mb": 60,
    "start.imports.intake.mb": 60,
    "start.imports.cli.mb": 25,
    "translate.worst_call_ms": 0.3,
    "translate.worst_chunk_us": 10,
    "translate.worst_growth": 30,  # of a body 20 times as long; what is above 20 is the garbage collector
}


def main() -> int:
    found: dict[str, object] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": describe(),
    }
    with tempfile.TemporaryDirectory() as folder, start_fake_provider() as provider:
        home, config = Path(folder) / "home", CONFIG.format(url=provider.url)
        with run_sternpost(home, config=config) as running:
            running.wait_ready()
            found["memory_idle_mb"] = _step("memory", lambda: start.idle_memory(running))
            found["visible_s"] = _step("visible", lambda: pipeline.time_to_visible(running))
            found["gateway"] = _step("gateway", lambda: gateway.measure(running, provider.url))
            found["intake"] = _step("intake", lambda: intake.measure(running))
            found["pipeline"] = _step("pipeline", lambda: pipeline.drain_rate(running))
        found["translate"] = _step("translate", translate.measure)
        found["journal"] = _step("journal", journal.measure)
        found["start"] = _step("start", lambda: start.measure(home, config))
        peer = _step("litellm", lambda: gateway.measure_litellm(provider.url))
        found["litellm"] = (
            peer
            if peer is not None
            else "not installed (a `litellm` on PATH is measured too: pip install 'litellm[proxy]')"
        )
    path = Path(__file__).parent / "results" / f"{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\nwritten to {path}\n")
    _report(found)
    return 0


def _step(name, measure):  # type: ignore[no-untyped-def]
    print(f"{name} ...", flush=True)
    result = measure()
    print(f"  {json.dumps(result)}", flush=True)
    return result


def _report(found: dict[str, object]) -> None:
    for path, target in TARGETS.items():
        value: object = found
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            continue
        is_met = value >= -target if target < 0 else value <= target
        word = "at least" if target < 0 else "at most"
        print(f"{'ok  ' if is_met else 'MISS'}  {path:<50} {value:>10}   {word} {abs(target)}")


if __name__ == "__main__":
    sys.exit(main())
