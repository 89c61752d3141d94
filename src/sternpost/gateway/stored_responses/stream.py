"""The stream of a stored response, read again; it belongs to no call and no record."""

import asyncio
from typing import Final

from sternpost.base.errors import SternpostError, StreamTruncated, UpstreamError
from sternpost.contracts.provider import Quirks
from sternpost.contracts.upstream import UpstreamReply
from sternpost.dialects.protocols import RequestHead
from sternpost.dialects.registry import CODECS
from sternpost.gateway.stages.replies import wire_error

_CODEC: Final = CODECS["openai_responses"]
_HEAD: Final = RequestHead("", is_stream=True, wants_stream_usage=True, end_user="", metadata={}, fields={})


class StoredStream:
    """Implements `exchange.StreamBody`: whole frames as they came, and an error event when they break off."""

    def __init__(self, reply: UpstreamReply, quirks: Quirks, request_id: str) -> None:
        self._reply = reply
        self._chunks = reply.chunks()
        self._relay = _CODEC.open_tap(_HEAD, quirks)
        self._request_id = request_id
        self._is_over = False
        self._reason = ""
        self._reading: asyncio.Task[bytes] | None = None
        self.keep_alive = _CODEC.keep_alive()

    def __aiter__(self) -> "StoredStream":
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        try:
            return await self._frames()
        except UpstreamError as error:
            return self._break(error)
        except asyncio.CancelledError:
            if not self._reason:
                raise
            return self._break(StreamTruncated(self._reason))

    def interrupt(self, reason: str) -> None:
        self._reason = reason
        if self._reading is not None:
            self._reading.cancel()

    async def aclose(self) -> None:
        self._is_over = True
        self._reply.close()

    async def _frames(self) -> bytes:
        frames = b""
        while not (frames or self._relay.is_complete or self._relay.fault):
            self._reading = asyncio.ensure_future(self._read())
            try:
                chunk = await self._reading
            finally:
                self._reading.cancel()
            if not chunk:
                frames += self._relay.finish()
                break
            frames += self._relay.feed(chunk)
        if self._relay.is_complete:
            self._is_over = True
            self._reply.close()
            return frames + self._relay.closing()
        return frames or self._break(StreamTruncated("the provider's stream ended before its last event"))

    async def _read(self) -> bytes:
        return await anext(self._chunks, b"")

    def _break(self, error: SternpostError) -> bytes:
        self._is_over = True
        self._reply.close()
        return self._relay.failing(wire_error(error, self._request_id))
