"""A real HTTP server that plays OpenAI (chat and Responses) and Anthropic, and fails when asked to.

Faults are asked for by the model name, because the gateway forwards no unknown headers, or by `x-fault`
headers: `fault-429?times=1&id=t1&retry_after=0.2`, or `x-fault: 429` with `x-fault-times: 1` and so on.

| fault | what happens |
|---|---|
| 400 401 403 404 408 413 429 500 502 503 529 | that status, with an error body (`retry_after`) |
| context, policy | 400 of that class |
| error-200 | 200 with the error body of `context` |
| html-error | 502 with an HTML page |
| garbage | 200 with an HTML page |
| drop-connection | the connection closes without an answer |
| slow-status, slow-first-token, slow | `seconds` (1) before the status line, the first content, each piece |
| stall | `after` (3) frames, then silence |
| cut | `after` (3) frames, then the connection closes |
| no-done | everything but the terminal marker |
| malformed | `after` (3) frames, then one that is not JSON |
| error-event | `after` (3) frames, then an error inside the stream; `after=1` is before any content |
| refuses | 400 in the `words` given, while the request has the `field` |
| incomplete, failed | a response of that status (Responses only) |
| wrong-usage, no-usage | usage that does not add up, or none |
| empty | embeddings without any |

Beside chats it answers `/embeddings`, counts of tokens, `/responses/compact`, `/images/generations`,
`/flood` (`megabytes`) and `/bytes` (binary, with a cookie and account headers); what else there is, it
echoes. There faults stand in the query.

`play=coder`, or the header `x-play`, lets it speak as the model of a coding agent (`fake_coder`).

`times=N&id=X` fails only the first N requests with that id, `skip=M` those behind the first M. `chunks=N`,
`cached=N`, `think=1` (Anthropic) shape the answer.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import urllib.request
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httptools

from tests.support import fake_answers as answers
from tests.support import fake_azure as azure
from tests.support import fake_bedrock as bedrock
from tests.support import fake_cohere as cohere
from tests.support import fake_gemini as gemini
from tests.support import fake_refusals
from tests.support import fake_vertex as vertex
from tests.support.fake_responses import SEALED_ELSEWHERE, compacted, count, kept, sealed_elsewhere

_KEPT_BODY = 100_000
_CHATS = ("/completions", "/messages", "/responses", "/converse", "/converse-stream", "/v2/chat", "/api/chat")
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"x-request-id: req_up_1\r\ntransfer-encoding: chunked\r\n\r\n"
)


@dataclass
class Seen:
    """What the server has seen since the last reset."""

    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=2000))
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


class Connection(asyncio.Protocol):
    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._work: asyncio.Task[None] | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._seen.counts["connections"] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._can_write.set()
        if self._work is not None and not self._work.done():
            self._seen.counts["closed_by_client"] += 1
            self._work.cancel()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        self._path, self._headers, self._body = b"", {}, []

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, body = self._path.decode("latin-1"), b"".join(self._body)
        if path.startswith("/_"):
            self._answer(200, self._inspect(path))
            return
        self._seen.counts["calls"] += 1
        google_model = gemini.model_of(path)
        claude = vertex.model_of(path)
        model = google_model or bedrock.model_of(path) or claude or _model_of(body)
        options = {**dict(parse_qsl(path.partition("?")[2])), **_options(model, self._headers)}
        fault = self._fault(options)
        self._seen.requests.append(
            {
                "method": self._parser.get_method().decode(),
                "path": path,
                "model": model,
                "headers": self._headers,
                "body": body[:_KEPT_BODY].decode("utf-8", "replace"),
            }
        )
        if bedrock.model_of(path) and self._refuse_stranger(path, body):
            return
        if claude and (words := vertex.refusal(path, body)):
            self._answer(400, answers.error_body("anthropic", 400, words))
            return
        path = vertex.own_path(path) if claude else path
        if fault == "refuses":
            dialect = "gemini" if google_model else answers.dialect_of(path)
            if refused := fake_refusals.refusal(dialect, self._headers, body, options):
                self._answer(400, *refused)
                return
            fault = ""
        if google_model:
            self._work = asyncio.get_running_loop().create_task(
                self._gemini(path, body, fault, options.get("play", ""))
            )
            return
        if not fault and self._answer_other(path, body, options):
            return
        if not fault and b'"stream"' not in body and not bedrock.is_stream(path):
            whole = _whole if len(body) < _KEPT_BODY else _whole.__wrapped__
            self._answer(200, whole(path, body, tuple(sorted(options.items()))))
            return
        self._work = asyncio.get_running_loop().create_task(self._serve(path, body, options, fault))

    def _refuse_stranger(self, path: str, body: bytes) -> bool:
        """Answer a request to Bedrock that is not signed as it must be; false when it is."""
        refused = bedrock.refusal(self._parser.get_method().decode(), path, self._headers, body)
        if refused is not None:
            status, name, words = refused
            self._answer(status, bedrock.error_body(status, words), bedrock.error_headers(status, name))
        return refused is not None

    def _answer_other(self, path: str, body: bytes, options: Mapping[str, str]) -> bool:
        """Answer what is no chat; false when it is one."""
        name = path.partition("?")[0]
        if name.endswith("/embeddings"):
            self._answer(200, answers.embeddings(body, ""))
        elif name.endswith("/v2/embed"):
            self._answer(200, cohere.embeddings(body))
        elif name.endswith("/v2/rerank"):
            self._answer(200, cohere.rerank(body))
        elif name == "/msi/token":
            self._answer(200, azure.token())
        elif name.endswith("/count-tokens"):
            status, counted = bedrock.count(name, body)
            self._answer(status, counted, bedrock.error_headers(status) if status >= 400 else {})
        elif name.endswith("/count_tokens"):
            self._answer(200, answers.count_tokens(body))
        elif name.endswith("/decisions"):
            self._answer(200, answers.decisions(body))
        elif name.endswith("/images/generations"):
            self._answer(200, answers.picture())
        elif name.endswith("/bytes"):
            account = {
                "set-cookie": "session=1",
                "openai-organization": "org-1",
                "x-ratelimit-limit": "5",
                "location": "http://10.0.0.7/internal",
                "content-location": "/internal",
                "link": "<http://10.0.0.7/next>; rel=next",
                "x-amzn-account-id": "123456789012",
                "etag": '"1"',
            }
            self._answer(200, bytes(range(256)) * 400, {"content-type": "image/png", **account})
        elif name.endswith("/flood"):
            self._work = asyncio.get_running_loop().create_task(self._flood(int(options["megabytes"])))
        elif name.endswith("/messages") and answers.BOUND_ELSEWHERE.encode() in body:
            self._answer(400, answers.bound_elsewhere())
        elif name.endswith("/responses") and SEALED_ELSEWHERE.encode() in body:
            self._answer(*sealed_elsewhere())
        elif name.endswith("/responses/input_tokens"):
            self._answer(*count(body))
        elif name.endswith("/responses/compact"):
            self._answer(200, compacted(body))
        elif "/responses/" in name and options.get("stream") == "true":
            ask = answers.Ask("openai_responses", "m1", True, 10, 8, "", True)
            after = int(options.get("starting_after", "-1")) + 1
            self._work = asyncio.get_running_loop().create_task(self._send_frames(_frames(ask, "")[after:]))
        elif "/responses/" in name:
            self._answer(*kept(self._parser.get_method().decode(), path))
        elif not name.endswith(_CHATS):
            method = self._parser.get_method().decode()
            self._answer(200, answers.echo(method, path, self._headers, body))
        else:
            return False
        return True

    async def _gemini(self, path: str, body: bytes, fault: str, play: str) -> None:
        try:
            reply = gemini.reply(path, body, fault, play)
        except (LookupError, TypeError, ValueError) as error:  # a body of no shape that Google takes
            self._answer(400, answers.error_body("openai_chat", 400, repr(error)))
            return
        if not reply.is_stream:
            self._answer(reply.status, reply.frames[0])
            return
        self._transport.write(_STREAM_HEAD)
        for frame in reply.frames:
            await self._can_write.wait()
            self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame))
            await asyncio.sleep(0)
        self._transport.write(b"0\r\n\r\n")

    async def _flood(self, megabytes: int) -> None:
        head = "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: "
        self._transport.write(f"{head}{megabytes * 1_000_000}\r\n\r\n".encode())
        for _ in range(megabytes * 10):
            await self._can_write.wait()
            self._transport.write(b"x" * 100_000)
            self._seen.counts["flood_bytes"] += 100_000
            await asyncio.sleep(0)

    def _inspect(self, path: str) -> bytes:
        if path == "/_reset":
            self._seen.requests.clear()
            self._seen.counts.clear()
            self._seen.faults.clear()
        return json.dumps({"counts": self._seen.counts, "requests": list(self._seen.requests)}).encode()

    def _fault(self, options: Mapping[str, str]) -> str:
        fault = options.get("fault", "")
        times = options.get("times")
        if fault and times is not None:
            key = options.get("id", fault)
            self._seen.faults[key] += 1
            skipped = int(options.get("skip", "0"))
            if not skipped < self._seen.faults[key] <= skipped + int(times):
                return ""
        return fault

    async def _serve(self, path: str, body: bytes, options: Mapping[str, str], fault: str) -> None:
        seconds = float(options.get("seconds", "1"))
        dialect = answers.dialect_of(path)
        if fault == "slow-status":
            await asyncio.sleep(seconds)
        if fault == "drop-connection":
            self._transport.abort()
        elif fault.isdigit() or fault in {"context", "policy"}:
            status = int(fault) if fault.isdigit() else 400
            more = {"retry-after": options["retry_after"]} if "retry_after" in options else {}
            more |= bedrock.error_headers(status) if dialect == "bedrock" else {}
            self._answer(status, answers.error_body(dialect, status, fault), more)
        elif fault in {"empty", "no-usage"} and path.partition("?")[0].endswith("/embeddings"):
            self._answer(200, answers.embeddings(body, fault))
        elif fault == "error-200":
            self._answer(200, answers.error_body(dialect, 400, "context"))
        elif fault in {"html-error", "garbage"}:
            page = b"<html><body><h1>Bad gateway</h1></body></html>"
            self._answer(502 if fault == "html-error" else 200, page, {"content-type": "text/html"})
        else:
            ask = answers.read_ask(path, body, options)
            if ask.is_stream:
                await self._stream(ask, fault, int(options.get("after", "3")), seconds)
            else:
                await self._whole(ask, fault, seconds)

    async def _whole(self, ask: answers.Ask, fault: str, seconds: float) -> None:
        if fault == "stall":
            await asyncio.Event().wait()
        if fault.startswith("slow-first"):
            await asyncio.sleep(seconds)
        answer = answers.whole(ask, fault)
        if fault == "cut":
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            self._transport.write(head % len(answer) + answer[: len(answer) // 2])
            self._transport.close()
            return
        self._answer(200, answer if fault != "malformed" else answer[:-20])

    async def _stream(self, ask: answers.Ask, fault: str, after: int, seconds: float) -> None:
        kinds = {"bedrock": bedrock.CONTENT_TYPE, "ollama": "application/x-ndjson"}
        kind = kinds.get(ask.dialect, "text/event-stream")
        self._transport.write(_STREAM_HEAD.replace(b"text/event-stream", kind.encode()))
        frames = _frames(ask, fault)
        if fault == "no-done":
            frames = frames[:-1]
        content_at = answers.content_frame_count(ask)
        for number, frame in enumerate(frames):
            if fault == "slow" or (fault == "slow-first-token" and number == content_at):
                await asyncio.sleep(seconds)
            if number == after and await self._break(ask, fault):
                return
            await self._can_write.wait()
            self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame))
            await asyncio.sleep(0)
        self._transport.write(b"0\r\n\r\n")

    async def _send_frames(self, frames: list[bytes]) -> None:
        self._transport.write(_STREAM_HEAD)
        for frame in frames:
            self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame))
            await asyncio.sleep(0)
        self._transport.write(b"0\r\n\r\n")

    async def _break(self, ask: answers.Ask, fault: str) -> bool:
        """Do in mid-stream what the fault says; true when the stream is over."""
        if fault == "stall":
            await asyncio.Event().wait()
        if fault == "cut":
            self._transport.close()
            return True
        if fault in {"malformed", "error-event"}:
            frame = _malformed(ask) if fault == "malformed" else answers.error_frame(ask.dialect)
            self._transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(frame), frame))
            return True
        return False

    def _answer(self, status: int, body: bytes, more: Mapping[str, str] | None = None) -> None:
        headers = {"content-type": "application/json", "x-request-id": "req_up_1", **(more or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\n{lines}content-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + (b"" if self._parser.get_method() == b"HEAD" else body))


def _malformed(ask: answers.Ask) -> bytes:
    return bedrock.malformed_frame() if ask.dialect == "bedrock" else b'data: {"choices":[{"del\n\n'


def _model_of(body: bytes) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        return str(json.loads(body).get("model", ""))
    return ""


def _options(model: str, headers: Mapping[str, str]) -> dict[str, str]:
    name, _, query = model.partition("?")
    found = dict(parse_qsl(query))
    if name.startswith("fault-"):
        found["fault"] = name.removeprefix("fault-")
    for header, value in headers.items():
        if header.startswith("x-fault"):
            found[header.removeprefix("x-fault").removeprefix("-").replace("-", "_") or "fault"] = value
    if "x-play" in headers:
        found["play"] = headers["x-play"]
    return found


@lru_cache(maxsize=256)
def _whole(path: str, body: bytes, options: tuple[tuple[str, str], ...]) -> bytes:
    return answers.whole(answers.read_ask(path, body, dict(options)), "")


@lru_cache(maxsize=256)
def _frames(ask: answers.Ask, fault: str) -> list[bytes]:
    return answers.frames(ask, fault)


@dataclass(frozen=True)
class FakeProvider:
    """A running fake provider; its state is read over HTTP."""

    url: str
    pid: int

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return json.loads(reply.read())

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last reset: path, model, headers, body."""
        return self._get("/_requests")["requests"]

    def count(self, name: str) -> int:
        """Return how many `calls`, `connections` or `closed_by_client` there were since the last reset."""
        return self._get("/_requests")["counts"].get(name, 0)

    def reset(self) -> None:
        self._get("/_reset")


@contextmanager
def start_fake_provider() -> Iterator[FakeProvider]:
    """Run a fake provider in a process of its own, so that it takes no time from what is measured."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fake_provider"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "the fake provider did not start"
        yield FakeProvider(url=f"http://127.0.0.1:{int(line)}", pid=process.pid)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def _main() -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(seen), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_main())
