"""`make bench-quick BASE=rev`: this checkout beside another commit, as ratios; no absolute figures.

Both run with the packages of this checkout's `.venv`, in turn, each time in new processes: what slows the
machine meets both. Ratios above the bound end with exit code 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
_BOUND = 1.10
_ONE = """
import json, sys, tempfile, time
from pathlib import Path
from bench import gateway
from bench.machine import memory_mb
from tests.conftest import CONFIG
from tests.support.fake_provider import start_fake_provider
from tests.support.running import run_sternpost

with tempfile.TemporaryDirectory() as folder, start_fake_provider() as provider:
    began = time.perf_counter()
    with run_sternpost(Path(folder) / "home", config=CONFIG.format(url=provider.url)) as running:
        running.wait_ready()
        found = {"seconds to readiness": time.perf_counter() - began}
        pid, url = running.pid_of("serve"), f"{running.base_url}/v1/chat/completions"
        found["memory of serve"] = memory_mb(pid)
        whole, stream = gateway.bodies()
        gateway._load(url, running.key, whole, connections=8, calls=1000)
        calls, streams = [], []
        for _ in range(3):
            calls.append(gateway._cpu_of(pid, url, running.key, whole, connections=16, calls=3000)[0])
            streams.append(gateway._cpu_of(pid, url, running.key, stream, connections=16, calls=600)[0])
        found["CPU per call"], found["CPU per stream"] = min(calls), min(streams)
print(json.dumps(found))
"""


def main() -> int:
    """Print the median ratio of each figure, its least and its greatest, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="HEAD~1", help="the commit to compare with")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--bound", type=float, default=_BOUND)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        _git("worktree", "add", "--detach", str(base), chosen.base)
        try:
            ratios = compare(lambda: _measure(base), lambda: _measure(ROOT), chosen.pairs)
        finally:
            _git("worktree", "remove", "--force", str(base))
    return _report(ratios, chosen.base, chosen.bound)


def compare(
    base: Callable[[], dict[str, float]], here: Callable[[], dict[str, float]], pairs: int
) -> dict[str, list[float]]:
    """Measure both in turn; the first of a pair alternates. Returns name -> ratios here / base."""
    ratios: dict[str, list[float]] = {}
    for number in range(pairs):
        if number % 2:
            there, ours = base(), here()
        else:
            ours, there = here(), base()
        for name in ours.keys() & there.keys():
            ratios.setdefault(name, []).append(ours[name] / there[name])
        print(f"pair {number + 1} of {pairs}", file=sys.stderr, flush=True)
    return ratios


def _measure(tree: Path) -> dict[str, float]:
    path = os.pathsep.join([str(tree / "src"), str(tree)])
    answer = subprocess.run(
        [sys.executable, "-c", _ONE],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise SystemExit(f"the measurement of {tree} failed:\n{answer.stderr[-2000:]}")
    return json.loads(answer.stdout.splitlines()[-1])


def _report(ratios: dict[str, list[float]], base: str, bound: float) -> int:
    print(f"this checkout / {base}: median (least to greatest)")
    is_worse = False
    for name, found in sorted(ratios.items()):
        middle = median(found)
        is_worse = is_worse or middle > bound
        word = "MISS" if middle > bound else "ok  "
        print(f"{word}  {name:<30} {middle:.2f} ({min(found):.2f} to {max(found):.2f})")
    return 1 if is_worse else 0


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
