"""uvicorn's HTTP/1.1 protocol with bounds in time, size and number; what is served belongs to the app.

A connection that is refused in the middle of its request is read on for a while: closed on unread bytes it
would be reset before its answer arrives (RFC 9112, section 9.6).
"""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import Any, Final, cast

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from sternpost.server.bounds import Door

_PLAIN: Final = (
    b"content-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\n"
    b"content-length: "
)


class _Phase(IntEnum):
    WAITING = 0  # no request has begun
    HEAD = 1
    BODY = 2
    ANSWER = 3  # the request is here


# Read on every call; a global is found faster than a member of an enum.
_WAITING, _HEAD, _BODY, _ANSWER = _Phase


class _Line:
    """A connection's transport, whose end may be put off until what still arrives was read."""

    __slots__ = ("close", "get_extra_info", "is_closing", "pause_reading", "resume_reading", "write")

    def __init__(
        self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]
    ) -> None:
        self.write = transport.write
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info
        self.close = close
        self.is_closing = is_closing


class _Refused(Exception):
    """Ends the parser, from one of its callbacks."""


class FrontProtocol(HttpToolsProtocol):
    """One connection. Time limits are looked at once a second by `Door.sweep`, not by timers of its own."""

    _raw: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        door: Door,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door = door
        self._bounds = door.bounds
        self._phase = _WAITING
        self._since_s = 0.0  # when waiting or the head began
        self._head_bytes = 0
        self._is_head_large = False
        self._body_bytes = 0  # of all requests on this connection
        self._unread_bytes = 0  # of a body that nobody wants any more
        self._unparsed_bytes = 0  # of a body behind an offered upgrade, which the parser leaves alone
        self._frame_bytes = 0  # of chunks' extensions and trailers, since a body's last byte
        self._window_s = 0.0
        self._window_bytes = 0
        self._stalled_s = 0.0  # since when the other end takes nothing; 0: it does
        self._is_lingering = False
        self._refusal = (400, "bad_request", "this is not a valid HTTP/1.1 request")

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # type: ignore[override]
        self._raw = cast("asyncio.Transport", transport)
        has_room = self._door.has_room()
        super().connection_made(cast("Any", _Line(self._raw, self._close, self._is_closing)))
        self._since_s = self.loop.time()
        if not has_room:
            self._write_refusal(503, "too_many_connections", "too many connections are open; try again soon")
            self._raw.close()
            return
        self._door.open[self] = self._door.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_lingering:
            self._drop(len(data))
            return
        if self._unparsed_bytes:
            self._take_unparsed(data)
            return
        body_bytes, size_bytes = self._body_bytes, len(data)
        self._is_head_large = size_bytes > self._bounds.head_bytes
        try:
            self.parser.feed_data(data)  # pyright: ignore[reportOptionalMemberAccess]  # set until it is lost
        except httptools.HttpParserUpgrade as upgrade:
            # Served without the upgrade (RFC 9110, section 7.8); Java's client offers h2c with every call.
            self.cycle.keep_alive = False
            self._take_unparsed(data[cast("int", upgrade.args[0]) :])
        except httptools.HttpParserError:
            self._refuse()
        if self._phase is _HEAD:
            self._head_bytes += size_bytes
            if self._head_bytes > self._bounds.head_bytes:
                self._refuse_head()
        elif self._phase is _BODY:
            self._frame_bytes = self._frame_bytes + size_bytes if body_bytes == self._body_bytes else 0
            if self._frame_bytes > self._bounds.head_bytes:
                self._refuse()

    def pause_writing(self) -> None:
        self._stalled_s = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled_s = 0.0
        super().resume_writing()

    # What the parser finds

    def on_message_begin(self) -> None:
        self._phase = _HEAD
        self._since_s = self.loop.time()
        self._head_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is not _HEAD:
            return  # a trailer: uvicorn would add it to the headers of a request that was let in without it
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._is_head_large or len(self.headers) > self._bounds.head_fields:
            self._check_head()
        if len(self.pipeline) >= self._bounds.pipelined:
            raise _Refused
        self._phase = _BODY
        self._window_s, self._window_bytes, self._unread_bytes = self._since_s, self._body_bytes, 0
        self._frame_bytes = 0
        self._door.waiting.pop(self, None)
        super().on_headers_complete()
        if self.expect_100_continue:
            # Answered before the body, its sender may leave it out: what follows would be taken for it.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        self._body_bytes += len(body)
        if cycle.response_complete:
            self._drop(len(body))
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self.parser is not None and self.parser.should_upgrade() and not self._unparsed_bytes:
            length = next((value for name, value in self.headers if name == b"content-length"), b"0")
            self._unparsed_bytes = int(length)
            if self._unparsed_bytes:
                return
        self._complete()

    def _take_unparsed(self, data: bytes) -> None:
        block = data[: self._unparsed_bytes]
        if block:
            self._unparsed_bytes -= len(block)
            self.on_body(block)
            if not self._unparsed_bytes:
                self._complete()

    def _complete(self) -> None:
        super().on_message_complete()
        self._phase = _ANSWER
        if self.cycle.response_complete:
            self._wait()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self._is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._wait()

    # What the server asks

    def shutdown(self) -> None:
        cycle = self._current()
        if cycle is None or cycle.response_complete or self._is_lingering:
            self._raw.close()
        else:
            cycle.keep_alive = False

    def check(self, now_s: float) -> None:
        """Implements `Connection`."""
        bounds = self._bounds
        if self._stalled_s and now_s - self._stalled_s > bounds.stall_s:
            self._raw.abort()
        elif self._is_lingering:
            if now_s - self._since_s > bounds.linger_s:
                self._raw.abort()
        elif self._phase is _WAITING:
            if now_s - self._since_s > bounds.idle_s:
                self._raw.close()
        elif self._phase is _HEAD:
            if now_s - self._since_s > bounds.head_s:
                self._refusal = (408, "request_timeout", f"the headers took longer than {bounds.head_s:g} s")
                self._refuse()
        elif self._phase is _BODY:
            self._check_body(now_s)

    def evict(self) -> None:
        """Implements `Connection`."""
        self._raw.abort()

    # Rules

    def _current(self) -> RequestResponseCycle | None:
        return self.cycle  # None before the first request, whatever uvicorn's types say

    def _wait(self) -> None:
        """Nothing is under way; a body that is still arriving is nobody's."""
        self._since_s = self._window_s = self.loop.time()
        self._window_bytes = self._body_bytes
        self._door.waiting[self] = None
        if self._phase is _ANSWER:
            self._phase = _WAITING

    def _check_body(self, now_s: float) -> None:
        if self.flow.read_paused or (self.cycle.response_started and not self.cycle.response_complete):
            self._window_s, self._window_bytes = now_s, self._body_bytes  # the slow one is not the sender
        elif now_s - self._window_s >= self._bounds.body_window_s:
            least = self._bounds.body_window_s * self._bounds.body_bytes_per_s
            if self._body_bytes - self._window_bytes < least:
                text = f"the body came slower than {self._bounds.body_bytes_per_s} bytes a second"
                self._refusal = (408, "request_timeout", text)
                self._refuse()
            self._window_s, self._window_bytes = now_s, self._body_bytes

    def _check_head(self) -> None:
        size_bytes = sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url)
        if size_bytes > self._bounds.head_bytes or len(self.headers) > self._bounds.head_fields:
            self._set_head_refusal()
            raise _Refused

    def _refuse_head(self) -> None:
        self._set_head_refusal()
        self._refuse()

    def _set_head_refusal(self) -> None:
        bounds = self._bounds
        text = f"the headers are longer than {bounds.head_bytes} bytes or more than {bounds.head_fields}"
        self._refusal = (431, "headers_too_large", text)

    def _refuse(self) -> None:
        """Say why, where no answer has begun, and end the connection."""
        cycle = self._current()
        if self._may_answer():
            self._write_refusal(*self._refusal)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.pipeline.clear()
        self._linger()

    def _may_answer(self) -> bool:
        cycle = self._current()
        if cycle is None:
            return True
        return self._phase is not _BODY if cycle.response_complete else not cycle.response_started

    def _write_refusal(self, status: int, code: str, message: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        body = msgspec.json.encode({"error": error})
        self._raw.write(b"".join((STATUS_LINE[status], _PLAIN, b"%d\r\n\r\n" % len(body), body)))

    def _close(self) -> None:
        if self._phase is _BODY and not self._raw.is_closing():
            self._linger()
        else:
            self._raw.close()

    def _linger(self) -> None:
        """Send nothing more, and read on until the other end has seen that."""
        if self._is_lingering or self._raw.is_closing():
            return
        self._is_lingering = True
        self._phase = _ANSWER
        self._since_s = self.loop.time()
        self._door.waiting[self] = None
        self.flow.resume_reading()
        self._raw.write_eof()

    def _drop(self, size_bytes: int) -> None:
        self._unread_bytes += size_bytes
        if self._unread_bytes > self._bounds.drain_bytes:
            self._raw.abort()

    def _is_closing(self) -> bool:
        return self._is_lingering or self._raw.is_closing()


def protocol_for(door: Door) -> type[asyncio.Protocol]:
    """Return what uvicorn's `http` option takes."""
    return cast("type[asyncio.Protocol]", partial(FrontProtocol, door=door))
