"""Stands between an agent and Sternpost: passes everything on as it comes, and remembers both sides."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_OF_THE_LINK = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding", "keep-alive")


@dataclass
class Passed:
    """One request and its answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def warnings(self) -> list[str]:
        return [one for one in self.answer_headers.get("x-sternpost-warnings", "").split(",") if one]


@contextmanager
def relay(base: str) -> Iterator[tuple[str, list[Passed]]]:
    """Serve on a free port of this machine; the address, and what passes."""
    seen: list[Passed] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            passed = Passed(self.command, self.path, headers, _body(self))
            seen.append(passed)
            request = urllib.request.Request(base + self.path, passed.body or None, method=self.command)
            for name, value in headers.items():
                if name not in _OF_THE_LINK:
                    request.add_header(name, value)
            try:
                with urllib.request.urlopen(request, timeout=120) as reply:
                    self._answer(passed, reply.status, reply)
            except urllib.error.HTTPError as error:
                with error:
                    self._answer(passed, error.code, error)

        def _answer(self, passed: Passed, status: int, reply: Any) -> None:
            passed.status = status
            passed.answer_headers = {name.lower(): value for name, value in reply.headers.items()}
            self.send_response(status)
            for name, value in passed.answer_headers.items():
                if name not in _OF_THE_LINK:
                    self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while piece := reply.read1(65536):
                passed.answer += piece
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_HEAD = do_DELETE = _pass

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("transfer-encoding", "") != "chunked":
        return handler.rfile.read(int(handler.headers.get("content-length") or 0))
    blocks = bytearray()
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        blocks += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return bytes(blocks)
