"""ClickHouse's HTTP protocol as an ASGI app over the embedded engine; not how the process starts and stops.

Source: ClickHouse documentation, "HTTP Interface"; statuses from its exceptionCodeToHTTPStatus.cpp.
"""

import asyncio
import base64
import gzip
import hmac
import io
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from uuid import uuid4

import lz4.frame
import zstandard

from sternpost.backends.engine.embedded import EmbeddedEngine, EngineRefused, Outcome
from sternpost.backends.engine.statement import Lane, NotAStatement, Statement, read_statement

logger = logging.getLogger(__name__)

Message: TypeAlias = MutableMapping[str, Any]  # the ASGI specification's own type
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 512_000_000
_MAX_WAITING = 256
_LZ4_FRAMES = cast("Callable[[io.BytesIO], io.BytesIO]", lz4.frame.LZ4FrameFile)  # lz4 has no stubs
_STATUS_BY_CODE = {
    **dict.fromkeys((6, 26, 27, 33, 36, 38, 41, 42, 43, 44, 53, 62, 70, 72, 117, 130, 456, 457), 400),
    **dict.fromkeys((46, 47, 50, 60, 73, 81, 115), 404),
    **dict.fromkeys((192, 193, 516), 403),
    194: 401,
    159: 408,
    48: 501,
    202: 503,
    394: 500,
}


class Refusal(Exception):
    """A request that is answered before the engine sees it."""

    def __init__(self, code: int, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.text = f"Code: {code}. DB::Exception: {sentence} ({name})"


@dataclass(slots=True)
class EngineApp:
    """The ASGI application. Reads, writes and KILL have lanes of threads of their own."""

    engine: EmbeddedEngine
    user: str
    password: str
    lanes: Mapping[Lane, Executor]
    waiting: int = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] in ("/ping", "/replicas_status") or (scope["path"] == "/" and _is_bare(scope)):
            await _reply(send, 200, b"Ok.\n", {})
            return
        query_id = str(uuid4())
        try:
            self._check_caller(scope, headers)
            statement = await _read(scope, headers, receive)
            query_id = statement.context.query_id or query_id
            outcome = await self._run(statement, query_id, receive)
        except (EngineRefused, Refusal) as refusal:
            await _reply_refusal(send, refusal, query_id)
            return
        await _reply(send, 200, outcome.body, _outcome_headers(statement, outcome, query_id))

    def _check_caller(self, scope: Message, headers: Mapping[str, str]) -> None:
        user, password = _credentials(headers)
        if not user:
            raise Refusal(194, "REQUIRED_PASSWORD", "default: Authentication failed: no password was given.")
        is_user = hmac.compare_digest(user.encode(), self.user.encode())
        if not (hmac.compare_digest(password.encode(), self.password.encode()) and is_user):
            raise Refusal(
                516,
                "AUTHENTICATION_FAILED",
                "Authentication failed: password is incorrect, or there is no user with such name.",
            )

    async def _run(self, statement: Statement, query_id: str, receive: Receive) -> Outcome:
        if self.waiting >= _MAX_WAITING:
            raise Refusal(202, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many simultaneous queries.")
        self.waiting += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(
                self.lanes[statement.lane], self.engine.run, statement, query_id
            )
            if statement.lane == "read":
                await self._wait_or_cancel(work, query_id, receive)
            return await work
        finally:
            self.waiting -= 1

    async def _wait_or_cancel(self, work: asyncio.Future[Outcome], query_id: str, receive: Receive) -> None:
        """Return when the work is done; end it when the caller has left first."""
        gone = asyncio.ensure_future(receive())
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return
            work.cancel()  # one that still waits for a thread never starts
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self.lanes["control"], self.engine.cancel, query_id)
            raise Refusal(210, "NETWORK_ERROR", "The caller left before its answer was ready.")
        finally:
            gone.cancel()


def _is_bare(scope: Message) -> bool:
    return scope["method"] in ("GET", "HEAD") and not scope["query_string"]


def _credentials(headers: Mapping[str, str]) -> tuple[str, str]:
    if "x-clickhouse-user" in headers:
        return headers["x-clickhouse-user"], headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    with suppress(ValueError):
        if scheme.lower() == "basic":
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            return user, password
    return "", ""


async def _read(scope: Message, headers: Mapping[str, str], receive: Receive) -> Statement:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(210, "NETWORK_ERROR", "The caller left before its request was complete.")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise Refusal(62, "SYNTAX_ERROR", f"A request is at most {MAX_BODY_BYTES} bytes.")
        if not message.get("more_body"):
            break
    try:
        text = _decoded(bytes(body), headers.get("content-encoding", ""))
        query_string = scope["query_string"].decode("latin-1")
        return read_statement(query_string, headers.get("content-type", ""), text)
    except NotAStatement as error:
        raise Refusal(62, "SYNTAX_ERROR", f"{error}.") from None


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "zstd":
            return (
                zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body), read_across_frames=True).read()
            )
        if encoding == "lz4":
            return _LZ4_FRAMES(io.BytesIO(body)).read()
    except (OSError, EOFError, RuntimeError, zstandard.ZstdError):
        raise Refusal(271, "CANNOT_DECOMPRESS", f"The body is not {encoding}.") from None
    raise Refusal(89, "UNKNOWN_COMPRESSION_METHOD", "Use gzip, zstd, lz4 or no encoding.")


def _outcome_headers(statement: Statement, outcome: Outcome, query_id: str) -> dict[str, str]:
    summary = {
        "read_rows": str(outcome.read_rows),
        "read_bytes": str(outcome.read_bytes),
        "written_rows": str(outcome.written_rows),
        "written_bytes": str(outcome.written_bytes),
        "total_rows_to_read": "0",
        "result_rows": "0",
        "result_bytes": str(len(outcome.body)),
        "elapsed_ns": str(round(outcome.elapsed_s * 1e9)),
    }
    return {
        "x-clickhouse-summary": json.dumps(summary),
        "x-clickhouse-query-id": query_id,
        "x-clickhouse-format": statement.output_format,
        "x-clickhouse-timezone": "UTC",
    }


async def _reply_refusal(send: Send, refusal: EngineRefused | Refusal, query_id: str) -> None:
    headers = {"x-clickhouse-exception-code": str(refusal.code), "x-clickhouse-query-id": query_id}
    status = _STATUS_BY_CODE.get(refusal.code, 500)
    await _reply(send, status, refusal.text.encode() + b"\n", headers)


async def _reply(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    pairs = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    pairs += [
        (b"content-type", b"application/octet-stream" if status == 200 else b"text/plain; charset=UTF-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-clickhouse-server-display-name", b"sternpost-engine"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
