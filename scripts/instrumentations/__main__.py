"""Runs real instrumentations against the fake provider and a Sternpost, and compares what each trace shows.

`python -m scripts.instrumentations [NAME ...] [--keep FOLDER] [--environments FOLDER]`. Each application runs in
an environment of its own; `--keep` writes what it sent as golden files.
"""

import argparse
import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.fake_provider import start_fake_provider
from tests.support.running import RunningSternpost, run_sternpost

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
OPENTELEMETRY = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")
LLM_PATH = "/llm"
_LOCAL = frozenset({"exception.stacktrace", "code.filepath", "code.file.path"})  # of this machine
PARIS = {"city": "Paris"}


@dataclass
class Seen:
    """What passed by: bodies sent to Sternpost, and the usage that the provider reported."""

    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Emitter:
    name: str
    command: list[str]
    expected: dict[str, Any]


def relay(sternpost: str, fake: str, seen: Seen) -> ThreadingHTTPServer:
    """Serve both the provider (below /llm) and Sternpost, and remember what passes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self._body()
            is_call = self.path.startswith(LLM_PATH)
            base = fake if is_call else sternpost
            request = urllib.request.Request(
                base + self.path.removeprefix(LLM_PATH), body or None, method=self.command
            )
            for name, value in self.headers.items():
                if name.lower() not in (
                    "host",
                    "content-length",
                    "connection",
                    "accept-encoding",
                    "transfer-encoding",
                ):
                    request.add_header(name, value)
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    status, kind, answer = reply.status, reply.headers.get("content-type", ""), reply.read()
            except urllib.error.HTTPError as error:
                status, kind, answer = error.code, error.headers.get("content-type", ""), error.read()
            if is_call:
                _count(answer, seen)
            else:
                unpacked = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                seen.sent.append((self.path, self.headers.get("content-type", ""), unpacked))
                if status >= 400:
                    seen.refused.append(
                        f"{self.command} {self.path}: {status} {answer[:200]!r} to {unpacked[:200]!r}"
                    )
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            blocks = bytearray()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                blocks += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(blocks)

        do_GET = do_POST = do_PATCH = do_PUT = _pass

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _count(answer: bytes, seen: Seen) -> None:
    try:
        usage = json.loads(answer)["usage"]
    except (ValueError, KeyError, TypeError):
        return
    seen.calls += 1
    read = usage.get("cache_read_input_tokens", 0) + usage.get("cache_creation_input_tokens", 0)
    seen.input_tokens += usage.get("prompt_tokens", 0) or usage.get("input_tokens", 0) + read
    seen.output_tokens += usage.get("completion_tokens", 0) or usage.get("output_tokens", 0)


def environment(name: str, emitter: dict[str, Any], folder: Path) -> list[str]:
    """Install what an emitter needs, once, and return the command that runs an application there."""
    home = folder / name
    if emitter["app"].endswith(".mjs"):
        if not (home / "node_modules").exists():
            home.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "install", "--silent", "--prefix", home, *emitter["packages"]], check=True)
        shutil.copy(HERE / "apps" / emitter["app"], home)
        return ["node", str(home / emitter["app"])]
    if not (home / "bin" / "python").exists():
        subprocess.run([UV, "venv", "--quiet", home], check=True)
        packages = (*emitter["packages"], *OPENTELEMETRY)
        subprocess.run(
            [UV, "pip", "install", "--quiet", "--python", home / "bin" / "python", *packages], check=True
        )
    return [str(home / "bin" / "python"), str(HERE / "apps" / emitter["app"])]


class Api:
    """What a person would see of traces, but for those that were there before."""

    def __init__(self, base: str, key: str) -> None:
        self.base, self.key = base, key
        self.before = {one["trace_id"] for one in self.get("/api/traces?limit=200")["items"]}

    def get(self, path: str) -> Any:
        request = urllib.request.Request(self.base + path, headers={"authorization": f"Bearer {self.key}"})
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    return json.load(reply)
            except urllib.error.HTTPError as error:  # the store may still be starting
                if error.code != 503 or time.monotonic() > deadline:
                    raise
            time.sleep(0.3)

    def traces(self) -> list[dict[str, Any]]:
        found = [one["trace_id"] for one in self.get("/api/traces?limit=200")["items"]]
        return [self.get(f"/api/traces/{trace_id}") for trace_id in found if trace_id not in self.before]


def run(emitter: Emitter, fake: str, own: RunningSternpost, keep: Path | None) -> list[str]:
    """Run one emitter's application and return what its traces show wrong."""
    seen, api = Seen(), Api(own.base_url, own.key)
    server = relay(own.base_url, fake, seen)
    base = f"http://127.0.0.1:{server.server_port}"
    told = {
        "OPENAI_BASE_URL": f"{base}{LLM_PATH}/v1",
        "OPENAI_API_BASE": f"{base}{LLM_PATH}/v1",
        "OPENAI_API_KEY": "x",
        "ANTHROPIC_BASE_URL": f"{base}{LLM_PATH}",
        "ANTHROPIC_API_KEY": "x",
        "STERNPOST_BASE_URL": base,
        "STERNPOST_API_KEY": own.key,
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
        "CREWAI_DISABLE_TELEMETRY": "true",
        "OTEL_SERVICE_NAME": emitter.name,
    }
    with tempfile.TemporaryDirectory() as empty:
        ran = subprocess.run(
            emitter.command, env={**os.environ, **told}, capture_output=True, text=True, timeout=180, cwd=empty,
            check=False,
        )  # fmt: skip
    if ran.returncode:
        return [f"ended with {ran.returncode}: {ran.stderr[-600:]}"]
    deadline = time.monotonic() + 8
    while wrong(emitter.expected, seen, api.traces()) and time.monotonic() < deadline:
        time.sleep(0.3)
    server.shutdown()
    if keep:
        _keep(keep / f"{emitter.name}.json", seen)
    return [*wrong(emitter.expected, seen, api.traces()), *seen.refused]


def wrong(emitter: dict[str, Any], seen: Seen, traces: list[dict[str, Any]]) -> list[str]:
    spans = [span for trace in traces for span in trace["spans"]]
    calls = [span for span in spans if span["type"] == "llm"]
    has_tokens = emitter.get("tokens", True)
    tools = [span for span in spans if span["type"] == "tool"]
    tokens = tuple(
        sum(one["trace"][side] or 0 for one in traces) for side in ("input_tokens", "output_tokens")
    )
    costs = [span for span in calls if span["usage"] and span["cost_usd"] is None]
    shown = json.dumps([span[side] for span in spans for side in ("input", "output")])
    words = ["Paris", *(["21 degrees"] if emitter.get("tools") else [])]
    facts = (
        ("calls shown", len(calls), emitter.get("spans", emitter["calls"])),
        ("calls counted", sum(span["counted"] for span in calls), emitter["calls"]),
        ("calls made", seen.calls, emitter["calls"]),
        ("tokens", tokens, (seen.input_tokens, seen.output_tokens) if has_tokens else (0, 0)),
        ("spans of tools", len(tools), emitter.get("tools", len(tools))),
        ("scores", sum(len(trace["scores"]) for trace in traces), emitter.get("scores", 0)),
        ("calls without a price", len(costs) if has_tokens else 0, 0),
        ("words missing in messages", [word for word in words if word not in shown], []),
        ("messages kept as JSON", [span["name"] for span in spans if _is_raw(span)], []),
        (
            "arguments",
            [a for span in tools if (a := _arguments(span)) != emitter.get("arguments", PARIS)],
            [],
        ),
    )
    return [f"{what}: {found!r}, not {right!r}" for what, found, right in facts if found != right]


def _is_raw(span: dict[str, Any]) -> bool:
    if span["type"] != "llm":
        return False
    parts = [part for side in ("input", "output") for message in span[side] for part in message["parts"]]
    return any(part["type"] == "other" or '"role"' in str(part.get("content", "")) for part in parts)


def _arguments(span: dict[str, Any]) -> Any:
    parts = [part for message in span["input"] for part in message["parts"] if part["type"] == "tool_call"]
    arguments = parts[0]["arguments"] if parts else None
    return json.loads(arguments) if isinstance(arguments, str) and arguments[:1] == "{" else arguments


def _keep(file: Path, seen: Seen) -> None:
    """Write what was sent as JSON: one entry per request, its ids in hex, without the paths of this machine."""
    entries: list[dict[str, Any]] = []
    for path, kind, body in seen.sent:
        signal = path.rpartition("/")[2]
        if signal in ("traces", "logs"):
            entries.append(
                {"path": path, "body": _as_json(signal, body) if "protobuf" in kind else json.loads(body)}
            )
        elif signal in ("ingestion", "scores"):
            entries.append({"path": path, "body": json.loads(body)})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_plain(entries), indent=1) + "\n")


def _as_json(signal: str, body: bytes) -> dict[str, Any]:
    kind = ExportLogsServiceRequest if signal == "logs" else ExportTraceServiceRequest
    return MessageToDict(kind.FromString(body))


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, list):
        kept = [one for one in value if not (isinstance(one, dict) and one.get("key") in _LOCAL)]
        return [_plain(one) for one in kept]
    if isinstance(value, dict):
        return {key: _plain(inner, key) for key, inner in value.items()}
    if name in ("traceId", "spanId", "parentSpanId") and isinstance(value, str) and value.endswith("="):
        return base64.b64decode(value).hex()
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--keep", type=Path)
    parser.add_argument(
        "--environments", type=Path, default=Path(tempfile.gettempdir()) / "sternpost-instrumentations"
    )
    asked = parser.parse_args()
    emitters = tomllib.loads((HERE / "emitters.toml").read_text())
    faults = 0
    with (
        start_fake_provider() as fake,
        tempfile.TemporaryDirectory() as home,
        run_sternpost(Path(home)) as own,
    ):
        for name in asked.names or emitters:
            command = environment(name, emitters[name], asked.environments)
            found = run(Emitter(name, command, emitters[name]), fake.url, own, asked.keep)
            faults += bool(found)
            print(f"{'wrong' if found else 'right'}  {name}", *found, sep="\n       ", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
