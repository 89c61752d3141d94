"""A real HTTP server that takes OTLP as Sternpost does, and an SDK that points at it."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sternpost.sdk import client


def plain(attributes) -> dict[str, object]:
    """Return OTLP attributes as a dict."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@dataclass
class Intake:
    """What the server got; `status` is what it answers."""

    port: int = 0
    status: int = 200
    rejected: int = 0
    batches: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Span]:
        scopes = [
            scope for batch in self.batches for one in batch.resource_spans for scope in one.scope_spans
        ]
        return [span for scope in scopes for span in scope.spans]

    def span(self, name: str) -> Span:
        """Send what is queued and return the one span of that name."""
        assert client.flush()
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def facts(self, name: str) -> dict[str, object]:
        return plain(self.span(name).attributes)

    def value(self, name: str, attribute: str) -> object:
        return json.loads(str(self.facts(name)[attribute]))


def _handler(intake: Intake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            intake.headers.append({**{k.lower(): v for k, v in self.headers.items()}, "path": self.path})
            reply = ExportTraceServiceResponse()
            if intake.status == 200:
                intake.batches.append(ExportTraceServiceRequest.FromString(body))
            if intake.rejected:
                part = ExportTracePartialSuccess(rejected_spans=intake.rejected, error_message="no trace id")
                reply.partial_success.CopyFrom(part)
            content = reply.SerializeToString()
            self.send_response(intake.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Keep the test's output quiet."""

    return Handler


@pytest.fixture
def start_intake() -> Iterator[Callable[[Intake], Intake]]:
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(intake: Intake) -> Intake:
        server = ThreadingHTTPServer(("127.0.0.1", intake.port), _handler(intake))
        server.daemon_threads = True
        intake.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        running.append((server, thread))
        return intake

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def intake(start_intake: Callable[[Intake], Intake], tmp_path: Path) -> Iterator[Intake]:
    """A server that takes everything, and the SDK pointed at it."""
    taking = start_intake(Intake())
    client.init(taking.url, "sp-test", service="bot", environment="test", spill_folder=tmp_path)
    yield taking
    client.init("", "")
