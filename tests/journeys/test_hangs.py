"""A process that hangs is killed and started again: each is stopped in mid-work, as a deadlock would."""

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sternpost.base.settings import Settings
from sternpost.cli.up import processes
from sternpost.server import ports
from sternpost.server.supervisor import Process, Supervisor
from tests.support.running import wait_until

LOOK_S = 0.25
SILENT_LOOKS = 20  # far more than these processes need between two beats on a busy machine


def is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False


def hang_all(watched: Sequence[Process], state: Path) -> None:
    """Let every process hang, once it beats, and wait for those that take their places."""
    for process in watched:
        wait_until(lambda one=process: one.pulse and one.pulse.is_begun, what=f"a beat of {process.name}")
    hanging = {process.name: process.child.pid for process in watched if process.child is not None}
    for pid in hanging.values():
        os.kill(pid, signal.SIGSTOP)

    def are_replaced() -> bool:
        running = {one["name"]: one["pid"] for one in json.loads(state.read_text())["processes"]}
        return all(running[name] != pid for name, pid in hanging.items())

    wait_until(are_replaced, timeout_s=90, what="new processes")


async def test_processes_that_hang_are_started_again_and_counted(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    port = ports.choose(settings.host, 0, may_move=False)
    watched = [replace(one, silence_s=LOOK_S * SILENT_LOOKS) for one in processes(settings, port)]
    supervisor = Supervisor(watched, tmp_path / "processes.json", lambda _: None, look_s=LOOK_S)
    running = asyncio.create_task(supervisor.run())
    try:
        await asyncio.to_thread(hang_all, watched, tmp_path / "processes.json")
        url = f"http://{settings.host}:{port}"
        await asyncio.to_thread(wait_until, lambda: is_answering(url), what="an answer")
        assert [process.hangs for process in watched] == [1, 1, 1]
        assert [process.restarts for process in watched] == [1, 1, 1]
    finally:
        supervisor._stop.set()
        await asyncio.wait_for(running, 60)
