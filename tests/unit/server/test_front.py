"""Connections over real sockets: what each may take, and that a refusal reaches its sender."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from sternpost.server.bounds import Bounds, Door
from sternpost.server.front import protocol_for
from tests.support.polling import until

HEAD = b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n"
MEGABYTE = b"x" * 1_000_000


@dataclass
class App:
    """/read takes a body and says how long it was; /refuse does not look at it; /stream begins and waits."""

    asked: list[str] = field(default_factory=list[str])
    headers: list[Any] = field(default_factory=list[Any])
    left: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        self.headers.append(scope["headers"])
        size, status = 0, 200 if scope["path"] != "/refuse" else 401
        while scope["path"] == "/read":
            message = await receive()
            if message["type"] != "http.request":
                self.left.set()
                return
            size += len(message["body"])
            if not message["more_body"]:
                break
        body = b"%d" % size
        length = b"%d" % (len(body) + 3 * (scope["path"] == "/stream"))
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-length", length)]}
        )
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"...", "more_body": True})
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": body})


@dataclass
class Front:
    app: App
    door: Door
    port: int
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer

    async def ask(self, data: bytes) -> bytes:
        """Send bytes and return all that comes back until the connection is closed."""
        reader, writer = await self.connect(data)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    def pass_time(self, seconds: float) -> None:
        self.door.sweep(asyncio.get_running_loop().time() + seconds)


@asynccontextmanager
async def serving(**bounds: Any) -> AsyncIterator[Front]:
    app, door = App(), Door(Bounds(**{"connections": 100, "drain_bytes": 50_000_000, **bounds}))
    config = uvicorn.Config(
        app, port=0, http=protocol_for(door), ws="none", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Front(app, door, port, server)
    finally:
        app.go_on.set()
        server.should_exit = server.force_exit = True
        await task


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with serving() as front:
        yield front


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_requests_are_served_one_after_another_on_a_connection(front: Front) -> None:
    reader, writer = await front.connect()
    for _ in range(3):
        writer.write(HEAD + b"\r\n0123456789")
        head = await reader.readuntil(b"\r\n\r\n")
        assert (status_of(head), await reader.readexactly(2)) == (200, b"10")
    writer.close()


@pytest.mark.parametrize("path", ["/refuse", "/read"])
async def test_pipelined_requests_are_answered_in_order(front: Front, path: str) -> None:
    one = HEAD.replace(b"/read", path.encode()) + b"\r\n0123456789"
    last = one.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    answer = await front.ask(one * 3 + last)
    assert answer.count(b"HTTP/1.1 " + (b"401" if path == "/refuse" else b"200")) == 4


async def test_endless_pipelining_is_ended(front: Front) -> None:
    answer = await front.ask(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n" * 1000)
    assert len(front.app.asked) == 1
    assert b" 400 " in answer or answer == b""


@pytest.mark.parametrize("client", ["httpx", "aiohttp"])
async def test_a_refusal_before_the_body_is_read_by_clients_that_send_on(front: Front, client: str) -> None:
    body = MEGABYTE * 20
    if client == "httpx":
        async with httpx.AsyncClient() as session:
            statuses = [(await session.post(f"{front.url}/refuse", content=body)).status_code for _ in "12"]
    else:
        async with aiohttp.ClientSession() as session:
            statuses = [
                (await session.post(f"{front.url}/refuse", data=io.BytesIO(body))).status for _ in "12"
            ]
    assert statuses == [401, 401]


async def test_a_refusal_is_read_on_a_connection_that_is_to_be_closed(front: Front) -> None:
    head = b"POST /refuse HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 20000000\r\n\r\n"
    assert status_of(await front.ask(head + MEGABYTE * 20)) == 401


@pytest.mark.parametrize("cut", [0, 3, 10])
async def test_a_body_behind_an_offered_upgrade_is_read(front: Front, cut: int) -> None:
    offer = HEAD + b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAM\r\n\r\n"
    reader, writer = await front.connect(offer + b"0123456789"[:cut])
    await until(lambda: front.app.asked == ["/read"])
    writer.write(b"0123456789"[cut:])
    answer = await asyncio.wait_for(reader.read(), 10)
    assert (status_of(answer), answer[-2:]) == (200, b"10")
    writer.close()


async def test_a_sender_who_asks_first_is_told_before_it_sends(front: Front) -> None:
    head = HEAD + b"expect: 100-continue\r\n\r\n"
    refused = await front.ask(head.replace(b"/read", b"/refuse"))
    assert (status_of(refused), b"connection: close" in refused) == (401, True)
    reader, writer = await front.connect(head)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"0123456789")
    assert (await reader.read()).endswith(b"10")
    writer.close()


async def test_a_body_that_nobody_wants_is_read_so_far_and_no_further() -> None:
    async with serving(drain_bytes=3_000_000) as front:
        reader, writer = await front.connect(
            b"POST /refuse HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n"
        )
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 401
        with pytest.raises(ConnectionError):
            await _send_on(writer)
        writer.close()


async def _send_on(writer: asyncio.StreamWriter) -> None:
    for _ in range(900):
        writer.write(MEGABYTE)
        await writer.drain()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 70_000,  # never ends
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 30_000_000,
        b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: a\r\n" * 201 + b"\r\n",
    ],
)
async def test_headers_have_a_size(front: Front, head: bytes) -> None:
    answer = await front.ask(head)
    assert status_of(answer) == 431
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "headers_too_large"
    assert front.app.asked == []


@pytest.mark.parametrize("tail", [b"0\r\nx: " + b"a" * 300_000, b"1;x=" + b"a" * 300_000])
async def test_what_stands_around_a_body_has_a_size_too(front: Front, tail: bytes) -> None:
    head = b"POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    assert status_of(await front.ask(head + b"2\r\n{}\r\n" + tail)) == 400
    await asyncio.wait_for(front.app.left.wait(), 10)


async def test_trailers_never_become_headers(front: Front) -> None:
    head = b"POST /read HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    assert status_of(await front.ask(head + b"2\r\n{}\r\n0\r\nauthorization: Bearer x\r\n\r\n")) == 200
    assert b"authorization" not in dict(front.app.headers[0])


@pytest.mark.parametrize(
    ("data", "phase", "after_s", "status"),
    [
        (b"", "WAITING", 76, 0),
        (b"GET / HTTP", "HEAD", 21, 408),
        (b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n12345", "BODY", 31, 408),
        (b"POST /refuse HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n12345", "BODY", 31, 401),
    ],
)
async def test_silence_ends_a_connection(
    front: Front, data: bytes, phase: str, after_s: float, status: int
) -> None:
    reader, writer = await front.connect(data)
    await until(lambda: [one._phase.name for one in front.door.open] == [phase])  # type: ignore[attr-defined]
    front.pass_time(after_s - 5)
    await asyncio.sleep(0)
    assert len(front.door.open) == 1
    front.pass_time(after_s)
    answer = await asyncio.wait_for(reader.read(), 10)
    assert (status_of(answer) if answer else 0) == status
    writer.close()
    await until(lambda: not front.door.open)


async def test_an_upload_that_goes_on_and_a_stream_may_take_hours(front: Front) -> None:
    reader, writer = await front.connect(
        b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n" + b"x" * 20_000
    )
    stream, stream_writer = await front.connect(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
    await stream.readuntil(b"...")
    (upload, *_) = front.door.open
    for hour in range(1, 5):
        arrived = 20_000 * hour
        await until(lambda arrived=arrived: upload._body_bytes == arrived)  # type: ignore[attr-defined]
        front.pass_time(3600 * hour)
        writer.write(b"x" * 20_000)
    assert (await reader.readuntil(b"100000")).startswith(b"HTTP/1.1 200")
    front.app.go_on.set()
    assert await stream.readexactly(1) == b"0"
    writer.close()
    stream_writer.close()


async def test_who_waited_longest_leaves_for_a_new_caller() -> None:
    async with serving(connections=20) as front:
        stream, stream_writer = await front.connect(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
        await stream.readuntil(b"...")
        idle = [await front.connect() for _ in range(60)]
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"{front.url}/read", content=b"abc")).text == "3"
        assert len(front.door.open) <= 20
        front.app.go_on.set()
        assert await stream.readexactly(1) == b"0"
        for _, writer in (*idle, (stream, stream_writer)):
            writer.close()


async def test_a_full_server_says_so() -> None:
    async with serving(connections=2) as front:
        open_ = [await front.connect(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n") for _ in "12"]
        for reader, _ in open_:
            await reader.readuntil(b"...")
        answer = await front.ask(b"")
        assert (status_of(answer), front.door.refused) == (503, 1)
        for _, writer in open_:
            writer.close()
