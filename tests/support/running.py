"""A real Sternpost for tests: `sternpost up` as a process on a folder and a port of its own."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sternpost.assembly.local import open_access
from sternpost.base.settings import Settings
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope

T = TypeVar("T")
START_S = 40.0


def wait_until(probe: Callable[[], T | None], *, timeout_s: float = 40.0, what: str = "it") -> T:
    """Call `probe` until it returns something true; the answer, or a failure that says what was awaited."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout_s:.0f} s")
        time.sleep(0.05)


@dataclass
class RunningSternpost:
    """One running Sternpost and what a test wants of it."""

    base_url: str
    home: Path
    process: subprocess.Popen[str]
    key: str = ""
    sign_in_url: str = ""
    output: list[str] = field(default_factory=list)

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Send one request with the key; status, headers in lower case, parsed body."""
        encoded = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base_url + path,
            data=encoded,
            method=method,
            headers={
                "authorization": f"Bearer {self.key}",
                "content-type": "application/json",
                **(headers or {}),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, _lower(reply.headers), _parsed(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _lower(error.headers), _parsed(error.read())

    def get(self, path: str) -> Any:
        status, _, body = self.request("GET", path)
        assert status == 200, (status, body)
        return body

    def trace(self, trace_id: str, *, spans: int = 1, timeout_s: float = 40.0) -> Any:
        """Wait until a trace can be read with at least so many spans."""

        def probe() -> Any:
            status, _, body = self.request("GET", f"/api/traces/{trace_id}")
            return body if status == 200 and len(body["spans"]) >= spans else None

        return wait_until(probe, timeout_s=timeout_s, what=f"trace {trace_id} with {spans} spans")

    def key_with(self, *scopes: KeyScope) -> str:
        """Make a key with these scopes, all of them when none is named, and wait until it is known."""
        with open_access(Settings(home=self.home)) as access:
            key = access.create_key("test", scopes=frozenset(scopes) or ALL_SCOPES).key
        sent = {"authorization": f"Bearer {key}"}
        wait_until(lambda: self.request("GET", "/api/session", headers=sent)[0] == 200, what="the new key")
        return key

    def pid_of(self, name: str) -> int:
        state = json.loads((self.home / "processes.json").read_text())
        return next(one["pid"] for one in state["processes"] if one["name"] == name)

    def kill(self, name: str) -> None:
        """End one process at once and wait until it is gone."""
        pid = self.pid_of(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not _is_alive(pid), what=f"the end of {name}")

    def wait_ready(self, timeout_s: float = START_S) -> None:
        def probe() -> bool:
            try:
                with urllib.request.urlopen(self.base_url + "/readyz", timeout=2) as reply:
                    return reply.status == 200
            except OSError:
                return False

        wait_until(probe, timeout_s=timeout_s, what="readiness")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def run_sternpost(
    home: Path,
    *,
    config: str = "",
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    flags: Sequence[str] = (),
) -> Iterator[RunningSternpost]:
    """Start `sternpost up` and wait until it announces itself; stop it at the end."""
    home.mkdir(parents=True, exist_ok=True)
    if config:
        (home / "sternpost.yaml").write_text(config)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STERNPOST_", "OPENAI_", "ANTHROPIC_"))
    }
    command = [
        sys.executable,
        "-m",
        "sternpost.cli.main",
        "up",
        "--home",
        str(home),
        "--port",
        str(port),
        "--json",
        *flags,
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home,
        env={**clean, **(environment or {})},
    )
    running = RunningSternpost("", home, process)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pump, args=(process, running.output, lines), daemon=True).start()
    try:
        facts = _announcement(process, lines, running.output)
        if "error" in facts:
            raise AssertionError(facts["error"]["message"])
        running.base_url, running.key = facts["url"], facts.get("key") or ""
        running.sign_in_url = facts.get("sign_in_url") or ""
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _pump(process: subprocess.Popen[str], kept: list[str], lines: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            kept.append(line)
            lines.put(line)
    except ValueError:  # closed by the test's end
        return
    lines.put("")


def _announcement(
    process: subprocess.Popen[str], lines: "queue.Queue[str]", output: list[str]
) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            line = lines.get(timeout=0.5)
        except queue.Empty:
            continue
        if line.startswith("{"):
            return json.loads(line)
        if not line and process.poll() is not None:
            break
    raise AssertionError("Sternpost did not start:\n" + "".join(output))


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[-1][0] != "Z"
    except (ProcessLookupError, FileNotFoundError):  # it may end between the two looks
        return False
