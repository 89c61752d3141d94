"""A real HTTP server that plays the batch APIs of OpenAI and Anthropic, with answers of the fake provider.

Written from https://platform.openai.com/docs/api-reference/batch and
https://docs.anthropic.com/en/api/creating-message-batches. A batch ends when `finish` is called, or at once
with `is_quick`. A line that holds `fault-400` fails with that status; without `has_batch_api` all is 404.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import fake_answers as answers


@dataclass
class FakeBatches:
    """What the server has and what it was asked; changed by tests under way."""

    url: str = ""
    is_quick: bool = True
    has_batch_api: bool = True
    unreadable: str = ""  # sent instead of every answer to a look at a batch
    answers_lost: int = 0  # how many batches are made and never told of: the connection breaks
    made: int = 0  # of all tests: ids never come again
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def finish(self) -> None:
        """Let every batch that runs come to its end."""
        for batch in self.batches.values():
            self.end(batch, is_cancelled=False)

    def end(self, batch: dict[str, Any], *, is_cancelled: bool) -> None:
        if batch.get("processing_status") == "in_progress":
            rows = [_anthropic_row(one, is_cancelled=is_cancelled) for one in batch["_requests"]]
            batch["_results"] = b"".join(json.dumps(row).encode() + b"\n" for row in reversed(rows))
            batch["processing_status"] = "ended"
        elif batch.get("status") == "in_progress":
            lines = [json.loads(one) for one in self.files[batch["input_file_id"]].splitlines()]
            rows = [] if is_cancelled else [_openai_row(one) for one in reversed(lines)]
            for name, is_good in (("output", True), ("error", False)):
                chosen = [row for row in rows if (row["response"]["status_code"] == 200) is is_good]
                if chosen:
                    batch[f"{name}_file_id"] = f"file-{name}-{batch['id']}"
                    content = b"".join(json.dumps(row).encode() + b"\n" for row in chosen)
                    self.files[batch[f"{name}_file_id"]] = content
            batch["status"] = "cancelled" if is_cancelled else "completed"


def _body_of(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    encoded = json.dumps(body).encode()
    dialect = answers.dialect_of(path)
    if b"fault-400" in encoded:
        return 400, json.loads(answers.error_body(dialect, 400, "400"))
    if path.endswith("/embeddings"):
        return 200, json.loads(answers.embeddings(encoded, ""))
    return 200, json.loads(answers.whole(answers.read_ask(path, encoded, {}), ""))


def _openai_row(line: dict[str, Any]) -> dict[str, Any]:
    status, body = _body_of(line["url"], line["body"])
    response = {"status_code": status, "request_id": "req_vendor", "body": body}
    return {"id": "batch_req_1", "custom_id": line["custom_id"], "response": response, "error": None}


def _anthropic_row(request: dict[str, Any], *, is_cancelled: bool) -> dict[str, Any]:
    if is_cancelled:
        return {"custom_id": request["custom_id"], "result": {"type": "canceled"}}
    status, body = _body_of("/v1/messages", request["params"])
    result = {"type": "succeeded", "message": body} if status == 200 else {"type": "errored", "error": body}
    return {"custom_id": request["custom_id"], "result": result}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeBatches

    def do_GET(self) -> None:
        self._take(b"")
        fake, parts = self.fake, self.path.partition("?")[0].strip("/").split("/")
        if not fake.has_batch_api:
            self._answer(404, {"error": {"message": "no such path", "type": "invalid_request_error"}})
        elif fake.unreadable:
            self._answer(200, fake.unreadable.encode())
        elif parts[-1] == "content":
            self._answer(200, fake.files[parts[-2]])
        elif parts[-1] == "results":
            self._answer(200, fake.batches[parts[-2]]["_results"])
        elif parts[-1] == "batches":
            self._answer(200, {"object": "list", "data": [_shown(one) for one in fake.batches.values()]})
        else:
            self._answer(200, _shown(fake.batches[parts[-1]]))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self._take(body)
        fake, path = self.fake, self.path
        if not fake.has_batch_api:
            self._answer(404, {"error": {"message": "no such path", "type": "invalid_request_error"}})
        elif path.endswith("/cancel"):
            batch = fake.batches[path.split("/")[-2]]
            fake.end(batch, is_cancelled=True)
            self._answer(200, _shown(batch))
        elif path.endswith("/files"):
            self._answer(200, self._keep_file(body))
        elif path.endswith("/messages/batches"):
            self._begin({"type": "message_batch", "processing_status": "in_progress",
                         "_requests": json.loads(body)["requests"]}, "msgbatch")  # fmt: skip
        else:
            asked = json.loads(body)
            self._begin({"object": "batch", "status": "in_progress", "output_file_id": None,
                         "error_file_id": None, "errors": None, **asked}, "batch")  # fmt: skip

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        pass

    def _begin(self, batch: dict[str, Any], prefix: str) -> None:
        if prefix == "msgbatch":
            batch["created_at"] = datetime.now(UTC).isoformat()
        self.fake.made += 1
        batch["id"] = f"{prefix}_vendor{self.fake.made}"
        self.fake.batches[batch["id"]] = batch
        shown = _shown(batch)
        if self.fake.is_quick:
            self.fake.end(batch, is_cancelled=False)
        if self.fake.answers_lost:
            self.fake.answers_lost -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(200, shown)

    def _keep_file(self, body: bytes) -> dict[str, Any]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + body).get_payload()
        file = next(one for one in parts if one.get_filename())
        file_id = f"file-{len(self.fake.files) + 1}"
        self.fake.files[file_id] = file.get_payload(decode=True).strip()
        return {"id": file_id, "object": "file", "bytes": len(body)}

    def _take(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.fake.requests.append((f"{self.command} {self.path}", body.decode("utf-8", "replace"), headers))

    def _answer(self, status: int, body: dict[str, Any] | bytes) -> None:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)


def _shown(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in batch.items() if not name.startswith("_")}


@contextmanager
def start_fake_batches() -> Iterator[FakeBatches]:
    """Serve from a thread of the test, so that the test may look at it and change it."""
    fake = FakeBatches()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
