"""The client of the commands: what it makes of the server's answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sternpost.cli.client import ApiClient


class Silent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.do_DELETE()

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # its name there


@pytest.fixture
def client() -> Iterator[ApiClient]:
    server = HTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ApiClient(f"http://127.0.0.1:{server.server_port}", {"authorization": "Bearer sp-x"})
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_without_a_body_is_no_error(client: ApiClient) -> None:
    assert client.delete("/api/notes/note_1") == {}
    assert client.post("/api/events/subscribers/one/replay", {"after": 0}) == {}
