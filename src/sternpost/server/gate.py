"""Stands before an app that reads whole bodies: the sender is known first, and a body has a limit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sternpost.api.asking import Identify, keep_identified
from sternpost.base.errors import BodyTooLarge, SternpostError

MOST_BYTES: Final = 256_000  # pydantic takes some 50 ms for the worst of them
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Gate:
    """An ASGI app before another.

    identify: raises what refuses the sender. open_paths: those that anybody may send so many bytes to.
    streamed_paths: their bodies are the app's to bound. headers: added to every answer that lacks them.
    """

    app: ASGIApp
    identify: Identify
    refuse: Callable[[SternpostError], Response]
    open_paths: Mapping[str, int] = field(default_factory=dict[str, int])
    streamed_paths: frozenset[str] = frozenset()
    most_bytes: int = MOST_BYTES
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._with_headers(send) if self.headers else send
        path = cast("str", scope["path"])
        if scope["method"] in _BODILESS or path in self.streamed_paths:
            await self.app(scope, receive, answer)
            return
        try:
            if path not in self.open_paths:
                request = Request(scope)
                keep_identified(request, await self.identify(request))
            body = await _read(Request(scope).headers, receive, self.open_paths.get(path, self.most_bytes))
        except SternpostError as error:
            await self.refuse(error)(scope, receive, answer)
            return
        if body is not None:
            await self.app(scope, _replayed(body, receive), answer)

    def _with_headers(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = cast("list[tuple[bytes, bytes]]", message["headers"])
                names = {name for name, _ in given}
                message["headers"] = [*given, *(pair for pair in self.headers if pair[0] not in names)]
            await send(message)

        return answer


async def _read(headers: Mapping[str, str], receive: Receive, max_bytes: int) -> bytes | None:
    """Read a body; None when its sender left. Raises: BodyTooLarge."""
    length = headers.get("content-length", "")
    size_bytes = int(length) if length.isdecimal() else 0
    body = bytearray()
    while size_bytes <= max_bytes:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        size_bytes = max(size_bytes, len(body))
        if size_bytes <= max_bytes and not message.get("more_body", False):
            return bytes(body)
    raise BodyTooLarge(f"the body is longer than {max_bytes} bytes, the most that is read at this path")


def _replayed(body: bytes, receive: Receive) -> Receive:
    is_told = False

    async def replay() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
