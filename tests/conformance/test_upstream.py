"""What `contracts/upstream.py` promises, on every client."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.base.errors import BodyTooLarge, UpstreamTimedOut, UpstreamUnreachable
from sternpost.contracts.upstream import UpstreamClient, UpstreamRequest
from tests.support.fake_provider import FakeProvider
from tests.support.polling import until


@pytest.fixture(params=[AiohttpClient])
async def client(request: pytest.FixtureRequest, provider: FakeProvider) -> AsyncIterator[UpstreamClient]:
    provider.reset()
    made: UpstreamClient = request.param()
    yield made
    await made.close()


def ask(url: str, model: str = "m1", *, is_stream: bool = False, total_s: float = 5.0) -> UpstreamRequest:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}], "stream": is_stream}
    headers = {"content-type": "application/json", "authorization": "Bearer k"}
    return UpstreamRequest(
        "POST", f"{url}/v1/chat/completions", headers, json.dumps(body).encode(), 1.0, total_s
    )


async def test_a_whole_answer_is_read(client: UpstreamClient, provider: FakeProvider) -> None:
    reply = await client.send(ask(provider.url))
    body = await reply.read(100_000)
    assert reply.status == 200
    assert reply.headers["x-request-id"] == "req_up_1"
    assert all(name == name.lower() for name in reply.headers)
    assert json.loads(body)["object"] == "chat.completion"
    assert provider.requests()[0]["headers"]["authorization"] == "Bearer k"


async def test_an_error_status_is_an_answer(client: UpstreamClient, provider: FakeProvider) -> None:
    reply = await client.send(ask(provider.url, "fault-503"))
    assert reply.status == 503
    assert b"error" in await reply.read(100_000)


async def test_connections_are_used_again(client: UpstreamClient, provider: FakeProvider) -> None:
    for _ in range(5):
        reply = await client.send(ask(provider.url))
        await reply.read(100_000)
        reply.close()
    assert provider.count("connections") == 2  # one of the client, one of this question


async def test_a_stream_arrives_piece_by_piece_and_whole(
    client: UpstreamClient, provider: FakeProvider
) -> None:
    reply = await client.send(ask(provider.url, "fault-slow?seconds=0.02&chunks=3", is_stream=True))
    chunks = [chunk async for chunk in reply.chunks()]
    assert len(chunks) > 3
    assert b"".join(chunks).endswith(b"data: [DONE]\n\n")


async def test_a_cancelled_wait_loses_nothing(client: UpstreamClient, provider: FakeProvider) -> None:
    reply = await client.send(ask(provider.url, "fault-slow?seconds=0.05&chunks=5", is_stream=True))
    chunks, found, cancelled = reply.chunks(), b"", 0
    while True:
        try:
            async with asyncio.timeout(0.01):
                found += await anext(chunks)
        except TimeoutError:
            cancelled += 1
        except StopAsyncIteration:
            break
    assert cancelled > 3
    assert found.count(b"data: ") == 8  # role, 5 pieces, finish, [DONE]


async def test_closing_drops_the_connection_and_ends_a_waiting_read(
    client: UpstreamClient, provider: FakeProvider
) -> None:
    reply = await client.send(ask(provider.url, "fault-stall", is_stream=True))
    chunks = reply.chunks()
    first = await anext(chunks)
    assert first

    async def drain() -> None:
        async for _ in chunks:
            continue

    reading = asyncio.create_task(drain())
    await asyncio.sleep(0)
    reply.close()
    with pytest.raises(UpstreamUnreachable):
        await reading
    await until(lambda: provider.count("closed_by_client") == 1)


async def test_a_break_in_the_middle_is_an_error(client: UpstreamClient, provider: FakeProvider) -> None:
    reply = await client.send(ask(provider.url, "fault-cut", is_stream=True))
    with pytest.raises(UpstreamUnreachable):
        [chunk async for chunk in reply.chunks()]
    whole = await client.send(ask(provider.url, "fault-cut"))
    with pytest.raises(UpstreamUnreachable):
        await whole.read(100_000)


async def test_time_runs_out_before_and_within_the_answer(
    client: UpstreamClient, provider: FakeProvider
) -> None:
    with pytest.raises(UpstreamTimedOut):
        await client.send(ask(provider.url, "fault-slow-status?seconds=5", total_s=0.2))
    reply = await client.send(ask(provider.url, "fault-stall", is_stream=True, total_s=0.2))
    with pytest.raises(UpstreamTimedOut):
        [chunk async for chunk in reply.chunks()]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid", "nonsense"])
async def test_a_host_that_is_not_there_is_unreachable(client: UpstreamClient, url: str) -> None:
    with pytest.raises(UpstreamUnreachable) as caught:
        await client.send(ask(url))
    address = url.removeprefix("http://").partition(":")[0]
    assert address not in caught.value.message  # callers read it
    assert not caught.value.is_sent


async def test_a_connection_that_is_never_taken_carries_nothing(client: UpstreamClient) -> None:
    with socket.socket() as host, ExitStack() as waiting:
        host.bind(("127.0.0.1", 0))
        host.listen(0)
        for _ in range(3):  # they fill its queue, so that the next connection is left without an answer
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(host.getsockname())
        with pytest.raises(UpstreamUnreachable) as caught:
            await client.send(replace(ask(f"http://127.0.0.1:{host.getsockname()[1]}"), connect_s=0.2))
    assert not caught.value.is_sent


async def test_a_longer_answer_than_wanted_is_refused(client: UpstreamClient, provider: FakeProvider) -> None:
    reply = await client.send(ask(provider.url))
    with pytest.raises(BodyTooLarge):
        await reply.read(10)


@pytest.mark.parametrize("is_reused", [True, False])
async def test_only_a_connection_that_was_kept_is_tried_again(
    client: UpstreamClient, *, is_reused: bool
) -> None:
    """A host that closes a connection as the next request arrives on it (RFC 9112, section 9.3.1)."""
    requests: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_first_of_host = not requests
        for number in range(2):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            requests.append(number)
            if number == 1 or (not is_reused and is_first_of_host):
                break
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        if is_reused:
            first = await client.send(ask(url))
            assert await first.read(10) == b"ok"
            second = await client.send(ask(url))
            assert await second.read(10) == b"ok"
            assert requests == [0, 1, 0]
        else:
            with pytest.raises(UpstreamUnreachable) as caught:
                await client.send(ask(url))
            assert requests == [0]
            assert caught.value.is_sent
        await client.close()


async def test_a_request_that_went_out_on_a_kept_connection_stays_sent(client: UpstreamClient) -> None:
    """Its host takes the request, closes, and is gone when it is tried again."""
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await reader.readuntil(b"POST ")
        server.close()
        served.set()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await (await client.send(ask(url))).read(10) == b"ok"
    with pytest.raises(UpstreamUnreachable) as caught:
        await client.send(ask(url))
    assert served.is_set()
    assert caught.value.is_sent
    await client.close()


async def test_a_redirect_is_not_followed(client: UpstreamClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reply = await client.send(ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        assert reply.status == 307
        await client.close()


async def test_an_upload_is_sent_as_it_arrives_to_the_url_as_it_is_written(
    client: UpstreamClient, provider: FakeProvider
) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        for number in range(50):
            await asyncio.sleep(0)
            yield bytes([number]) * 10_000

    url = f"{provider.url}/v1/echo/a%2fb%20?c=%41+d"
    headers = {"content-length": "500000"}
    reply = await client.send(
        UpstreamRequest("PUT", url, headers, b"", 1.0, 5.0, upload=blocks(), is_url_exact=True)
    )
    echo = json.loads(await reply.read(100_000))

    assert (echo["method"], echo["path"], echo["size"]) == ("PUT", "/v1/echo/a%2fb%20?c=%41+d", 500_000)
    assert echo["headers"]["content-length"] == "500000"


async def test_an_upload_that_fails_ends_the_request(client: UpstreamClient, provider: FakeProvider) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionResetError("the caller left")

    request = UpstreamRequest("PUT", f"{provider.url}/v1/echo", {}, b"", 1.0, 5.0, upload=blocks())
    with pytest.raises(UpstreamUnreachable):
        await client.send(request)
    assert provider.requests() == []


async def test_a_key_that_no_header_can_carry_is_a_failed_try_not_a_fault_of_ours(
    client: UpstreamClient, provider: FakeProvider
) -> None:
    request = UpstreamRequest("GET", f"{provider.url}/v1/models", {"authorization": "Bearer a\nb"}, b"", 1, 1)
    with pytest.raises(UpstreamUnreachable, match="key"):
        await client.send(request)
