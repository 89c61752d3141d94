"""A request's body read from the server as the upstream takes it; the server holds back what is too early."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from sternpost.base.errors import BodyTooLarge


class AsgiUpload:
    """Implements `exchange.Upload`. `ended` is set when no more will be read."""

    def __init__(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]], max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._is_last = False
        self.size_bytes = 0
        self.is_too_large = False
        self.ended = asyncio.Event()

    def __aiter__(self) -> "AsgiUpload":
        return self

    async def __anext__(self) -> bytes:
        while not self._is_last:
            message = await self._receive()
            if message["type"] != "http.request":
                self.ended.set()
                raise ConnectionResetError("the caller disconnected while sending")
            self._is_last = not message.get("more_body", False)
            block = cast("bytes", message.get("body", b""))
            self.size_bytes += len(block)
            if self.size_bytes > self._max_bytes:
                self.is_too_large = True
                self.ended.set()
                raise BodyTooLarge(f"the request is longer than {self._max_bytes} bytes")
            if block:
                return block
        self.ended.set()
        raise StopAsyncIteration
