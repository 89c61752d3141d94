"""Before an app that reads whole bodies: the sender is known first, and bodies have a limit."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from sternpost.base.errors import KeyRefused
from sternpost.server import problems
from sternpost.server.gate import Gate


async def _who(request: Request) -> None:
    if request.headers.get("authorization") != "Bearer sp-one":
        raise KeyRefused("no key")


async def _length(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)), headers={"x-mine": "app"})(scope, receive, send)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    gate = Gate(
        _length,
        _who,
        problems.refusal,
        open_paths={"/open": 10},
        streamed_paths=frozenset({"/streamed"}),
        headers=((b"cache-control", b"no-store"), (b"x-mine", b"gate")),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://localhost") as client:
        yield client


KEY = {"authorization": "Bearer sp-one"}


class Body:
    """A body of unknown length that says how much of it was taken."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(100):
            self.taken += 1
            yield b"x" * 50_000


@pytest.mark.parametrize(
    ("path", "headers", "status", "most_taken"),
    [("/a", {}, 401, 0), ("/a", KEY, 413, 6), ("/open", {}, 413, 1), ("/streamed", {}, 200, 100)],
)
async def test_no_more_is_read_than_is_allowed(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int, most_taken: int
) -> None:
    body = Body()
    reply = await client.post(path, content=aiter(body), headers=headers)
    assert (reply.status_code, body.taken) == (status, most_taken)


async def test_a_body_too_long_by_its_own_word_is_not_read_at_all(client: httpx.AsyncClient) -> None:
    body = Body()
    headers = {**KEY, "content-length": "5000000"}
    reply = await client.post("/a", content=aiter(body), headers=headers)
    assert (reply.status_code, reply.json()["code"], body.taken) == (413, "request_too_large", 0)


async def test_what_is_allowed_reaches_the_app_whole(client: httpx.AsyncClient) -> None:
    assert (await client.post("/a", content=b"x" * 256_000, headers=KEY)).text == "256000"
    assert (await client.post("/open", content=b"0123456789")).text == "10"
    assert (await client.get("/a")).text == "0"


@pytest.mark.parametrize(("path", "mine"), [("/open", "app"), ("/a", "gate")])
async def test_every_answer_has_its_headers_and_keeps_the_apps(
    client: httpx.AsyncClient, path: str, mine: str
) -> None:
    reply = await client.post(path, content=b"1")
    assert reply.headers.get_list("cache-control") == ["no-store"]
    assert reply.headers.get_list("x-mine") == [mine]
