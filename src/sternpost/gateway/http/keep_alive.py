"""Sends a keep-alive frame after each silence of a stream; not when a stream ends."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class KeepAlive:
    """One timer per stream: load balancers cut what is silent for a minute (wire reference, section 2)."""

    def __init__(self, frame: bytes, every_s: float, send: _Send) -> None:
        self._frame = frame
        self._every_s = every_s
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._last_sent = self._loop.time()
        self._timer = self._loop.call_later(every_s, self._look)
        self._sending: asyncio.Future[None] | None = None

    def sent(self) -> None:
        self._last_sent = self._loop.time()

    def stop(self) -> None:
        self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if now - self._last_sent >= self._every_s * 0.99:
            self._last_sent = now
            message = {"type": "http.response.body", "body": self._frame, "more_body": True}
            self._sending = asyncio.ensure_future(self._send(message))
        self._timer = self._loop.call_at(self._last_sent + self._every_s, self._look)
