"""The flow as a bare ASGI app for `/v1/`: reads bodies, writes replies, notices callers who leave."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

from windlass.base.errors import MethodRefused, NotFound, WindlassError
from windlass.contracts.call import Dialect
from windlass.gateway import kept
from windlass.gateway.exchange import Headers, InboundCall, OutboundReply, Stop, StreamBody
from windlass.gateway.flow import handle_chat
from windlass.gateway.keep_alive import KeepAlive
from windlass.gateway.models import list_models, show_model
from windlass.gateway.rig import Rig
from windlass.gateway.stages import authenticate
from windlass.gateway.stages.replies import bare_error_reply

# The server's own types: values are what the ASGI specification says per key.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_CHAT_PATHS: Mapping[str, Dialect] = {
    "/v1/chat/completions": "openai_chat",
    "/v1/messages": "anthropic",
    "/v1/responses": "openai_responses",
}
_MODELS = "/v1/models"


class GatewayApp:
    """Serves chat calls by POST, /v1/models and /v1/models/{id}, and /v1/responses/{id} for what is kept."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._streams: set[StreamBody] = set()
        self._unanswered: dict[asyncio.Task[object], Stop] = {}

    def serves(self, path: str) -> bool:
        """Say whether a path is one of the gateway's own; others get 404 here or go elsewhere."""
        return path in _CHAT_PATHS or path == _MODELS or path.startswith((_MODELS + "/", kept.PREFIX))

    def interrupt_calls(self) -> int:
        """End every open call in words its caller understands, at the end of a drain; returns how many."""
        for body in list(self._streams):
            body.interrupt("Windlass is stopping; send the request again")
        for task, stop in self._unanswered.items():
            if not stop.is_set:
                stop.is_set = True
                task.cancel()
        return len(self._streams) + len(self._unanswered)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = cast("str", scope["path"])
        dialect = _CHAT_PATHS.get(path)
        headers = _headers_of(scope)
        if dialect is not None and scope["method"] == "POST":
            await self._chat(dialect, headers, receive, send)
        else:
            await _send_whole(await self._other(path, scope, headers), send)

    async def _chat(self, dialect: Dialect, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        body = await _read_body(headers, receive, self._rig.max_body_bytes)
        if body is _GONE:
            return
        request = InboundCall(dialect, headers, body or b"", is_too_large=body is None)
        task = cast("asyncio.Task[object]", asyncio.current_task())
        watch = asyncio.ensure_future(_watch(receive, task))
        self._unanswered[task] = request.stop
        try:
            reply = await handle_chat(request, self._rig)
            del self._unanswered[task]
            if isinstance(reply.body, bytes):
                await _send_whole(reply, send)
            else:
                await self._send_stream(reply, reply.body, send)
        except asyncio.CancelledError:
            # Cancelled by the watch the call is over and recorded; cancelled by the server it goes on up.
            if not watch.done() or task.uncancel():
                raise
        finally:
            self._unanswered.pop(task, None)
            watch.cancel()

    async def _send_stream(self, reply: OutboundReply, body: StreamBody, send: Send) -> None:
        keep_alive = KeepAlive(body.keep_alive, self._rig.keep_alive_s, send)
        self._streams.add(body)
        try:
            await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
            async for frames in body:
                keep_alive.sent()
                await send({"type": "http.response.body", "body": frames, "more_body": True})
        finally:
            keep_alive.stop()
            self._streams.discard(body)
            await body.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _other(self, path: str, scope: Scope, headers: Mapping[str, str]) -> OutboundReply:
        """Answer what is not a chat call: models, kept replies, and paths or methods that do not exist."""
        method = cast("str", scope["method"])
        is_anthropic = "anthropic-version" in headers or path == "/v1/messages"
        dialect: Dialect = "anthropic" if is_anthropic else "openai_chat"
        try:
            if path.startswith(kept.PREFIX):
                query = cast("bytes", scope["query_string"]).decode("latin-1")
                return await kept.pass_on(method, path, query, headers, self._rig)
            return self._models(path, method, headers, dialect)
        except WindlassError as error:
            reply = bare_error_reply(dialect, error)
            if isinstance(error, MethodRefused):
                reply.headers.append((b"allow", _allowed(path)))
            return reply

    def _models(self, path: str, method: str, headers: Mapping[str, str], dialect: Dialect) -> OutboundReply:
        if not self.serves(path):
            raise NotFound(f"there is no {path!r} here; {_advice(path)}")
        if path in _CHAT_PATHS or method not in {"GET", "HEAD"}:
            raise MethodRefused(f"{method} is not possible on {path!r}")
        principal = authenticate.check(headers, self._rig)
        traffic = self._rig.traffic()
        name = unquote(path[len(_MODELS) + 1 :])
        body = (
            show_model(name, principal, traffic, dialect)
            if name
            else list_models(principal, traffic, dialect)
        )
        return OutboundReply(200, _json_headers(body), body)


def _allowed(path: str) -> bytes:
    """Return the methods of a path."""
    if path.startswith(kept.PREFIX):
        return kept.allowed(path)
    return b"POST" if path in _CHAT_PATHS else b"GET, HEAD"


_GONE = b"\0gone"
_PATIENCE = 4  # how many times the allowed size is read before the connection is given up


async def _read_body(headers: Mapping[str, str], receive: Receive, max_bytes: int) -> bytes | None:
    """Read the body; None when it is longer than allowed, `_GONE` when the caller left.

    The rest of a body too long is read and dropped: a connection closed on unread bytes is reset before
    its answer arrives (RFC 9112, section 9.6).
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body = cast("bytes", message.get("body", b""))
        return body if len(body) <= max_bytes else None
    length = headers.get("content-length", "")
    is_over = length.isdecimal() and int(length) > max_bytes
    size_bytes, blocks = 0, bytearray()
    while message["type"] == "http.request":
        block = cast("bytes", message.get("body", b""))
        size_bytes += len(block)
        is_over = is_over or size_bytes > max_bytes
        if not is_over:
            blocks += block
        if not message.get("more_body", False) or size_bytes > _PATIENCE * max_bytes:
            return None if is_over else bytes(blocks)
        message = await receive()
    return _GONE


async def _watch(receive: Receive, task: asyncio.Task[object]) -> None:
    """Cancel the task of the call once the caller is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue
    task.cancel()


async def _send_whole(reply: OutboundReply, send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


def _advice(path: str) -> str:
    if path.startswith("/v1/v1/"):  # every SDK adds the path it was written for
        return "the base URL has a /v1 too many: an Anthropic SDK's ends at the port"
    return "see the documentation for what Windlass serves"


def _headers_of(scope: Scope) -> dict[str, str]:
    pairs = cast("list[tuple[bytes, bytes]]", scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


def _json_headers(body: bytes) -> Headers:
    return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
