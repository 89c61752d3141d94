"""The gateway as an ASGI app for `/v1/`: finds the flow, writes replies, notices callers who disconnect."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast
from urllib.parse import unquote

from sternpost.base.errors import MethodRefused, NotFound, SternpostError
from sternpost.contracts.call import Dialect, Operation
from sternpost.gateway.exchange import (
    Headers,
    InboundCall,
    OutboundReply,
    PassThroughRequest,
    ReplyBroken,
    Stop,
    StreamBody,
)
from sternpost.gateway.flows import openai_passthrough
from sternpost.gateway.flows.chat import handle_chat
from sternpost.gateway.flows.count_tokens import handle_count_tokens
from sternpost.gateway.flows.embeddings import handle_embeddings
from sternpost.gateway.flows.pass_through import handle_pass_through
from sternpost.gateway.http import inbound_body
from sternpost.gateway.http.keep_alive import KeepAlive
from sternpost.gateway.http.models import list_models, show_model
from sternpost.gateway.http.upload import AsgiUpload
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import authenticate
from sternpost.gateway.stages.replies import bare_error_reply
from sternpost.gateway.stored_responses import requests as stored_responses

# The server's own types: values are what the ASGI specification says per key.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Door:
    """One path that takes a whole body: how it is read and which story it begins."""

    dialect: Dialect
    operation: Operation
    handle: Callable[[InboundCall, GatewayServices], Awaitable[OutboundReply]]


_DOORS: Mapping[str, _Door] = {
    "/v1/chat/completions": _Door("openai_chat", "chat", handle_chat),
    "/v1/messages": _Door("anthropic", "chat", handle_chat),
    "/v1/responses": _Door("openai_responses", "chat", handle_chat),
    "/v1/messages/count_tokens": _Door("anthropic", "count_tokens", handle_count_tokens),
    "/v1/responses/input_tokens": _Door("openai_responses", "count_tokens", handle_count_tokens),
    "/v1/embeddings": _Door("openai_chat", "embeddings", handle_embeddings),
}
# What Azure's SDKs write in front of OpenAI's paths; the deployment stands as `model` in their bodies, too.
AZURE: Final = "/openai/"
_OPENAIS = [
    *openai_passthrough.PATHS,
    *(path for path, door in _DOORS.items() if door.dialect != "anthropic"),
]
_AZURE_PATH = re.compile(
    rf"/openai/(?:v1|deployments/.+?)/({'|'.join(path.removeprefix('/v1/') for path in _OPENAIS)})"
)
_MODELS = "/v1/models"
_PROVIDERS = "/v1/providers/"
_LISTED: Final = frozenset({"anthropic-beta", "openai-beta"})  # lists, which may come in several lines
_SMALL_BYTES = 64_000  # a body that is as well read at once


class GatewayApp:
    """Serves what `_DOORS` names, GET of the models, /v1/responses/{id} and /v1/providers/{name}/..."""

    def __init__(self, services: GatewayServices) -> None:
        self._services = services
        self._streams: set[StreamBody] = set()
        self._unanswered: dict[asyncio.Task[object], Stop] = {}

    def use(self, services: GatewayServices) -> None:
        """Let calls begin with other services from now on; those under way keep theirs."""
        self._services = services

    def serves(self, path: str) -> bool:
        """Say whether a path is one of the gateway's own; others get 404 here or go elsewhere."""
        is_named = path in _DOORS or path in openai_passthrough.PATHS or path == _MODELS
        return is_named or path.startswith((_MODELS + "/", stored_responses.PREFIX, _PROVIDERS))

    def interrupt_calls(self) -> int:
        """End every open call in words its caller understands, at the end of a drain; returns how many."""
        for body in list(self._streams):
            body.interrupt("Sternpost is stopping; send the request again")
        for task, stop in self._unanswered.items():
            if not stop.is_set:
                stop.is_set = True
                task.cancel()
        return len(self._streams) + len(self._unanswered)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = cast("str", scope["path"])
        if path.startswith(AZURE) and (azure := _AZURE_PATH.fullmatch(path)):
            path = "/v1/" + azure[1]
        door = _DOORS.get(path)
        headers = _headers_of(scope)
        if door is not None and scope["method"] == "POST":
            await self._enter(door, headers, receive, send)
        elif path in openai_passthrough.PATHS and scope["method"] == "POST":
            await self._openai_passthrough(path, headers, receive, send)
        elif cast("bytes", scope["raw_path"]).startswith(_PROVIDERS.encode()):
            await self._pass_through(scope, headers, receive, send)
        else:
            reply = await self._other(path, scope, headers)
            if isinstance(reply.body, bytes):
                await _send_whole(reply, send)
            else:
                await self._send_watched(reply, reply.body, receive, send)

    async def _enter(self, door: _Door, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        read = await inbound_body.read(headers, receive, self._services)
        if read is None:
            return
        request = InboundCall(
            door.dialect, read.headers, read.body, read.fault, door.operation, read.principal
        )
        await self._answer(door.handle(request, self._services), request.stop, receive, send)

    async def _openai_passthrough(
        self, path: str, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        read = await inbound_body.read(headers, receive, self._services, is_json=not _is_form(headers))
        if read is None:
            return
        asked = PassThroughRequest("POST", "", path, "", read.body)
        request = InboundCall(
            openai_passthrough.dialect_of(path), read.headers, b"", read.fault, "pass_through", read.principal
        )
        await self._answer(
            openai_passthrough.handle_openai_passthrough(request, asked, self._services),
            request.stop,
            receive,
            send,
        )

    async def _pass_through(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        """Read a body that must be looked into or is small; let any other flow through as it comes."""
        upload = AsgiUpload(receive, self._services.max_body_bytes) if _is_flowing(headers) else None
        read = inbound_body.InboundBody(headers)
        if upload is None:
            whole = await inbound_body.read(headers, receive, self._services, is_json=False)
            if whole is None:
                return
            read = whole
        raw_path = cast("bytes", scope["raw_path"]).decode("latin-1")
        name, _, path = raw_path[len(_PROVIDERS) :].partition("/")
        query = cast("bytes", scope["query_string"]).decode("latin-1")
        method = cast("str", scope["method"])
        asked = PassThroughRequest(
            method, unquote(name), "/" + path if path else "", query, read.body, upload
        )
        request = InboundCall("openai_chat", read.headers, b"", read.fault, "pass_through", read.principal)
        story = handle_pass_through(request, asked, self._services)
        await self._answer(story, request.stop, receive, send, upload=upload)

    async def _answer(
        self,
        story: Awaitable[OutboundReply],
        stop: Stop,
        receive: Receive,
        send: Send,
        *,
        upload: AsgiUpload | None = None,
    ) -> None:
        task = cast("asyncio.Task[object]", asyncio.current_task())
        watch = asyncio.ensure_future(_watch(receive, task, upload))
        self._unanswered[task] = stop
        try:
            reply = await story
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

    async def _send_watched(
        self, reply: OutboundReply, body: StreamBody, receive: Receive, send: Send
    ) -> None:
        """Send a stream that belongs to no call, as long as its reader is there."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        watch = asyncio.ensure_future(_watch(receive, task, None))
        try:
            await self._send_stream(reply, body, send)
        except asyncio.CancelledError:
            if not watch.done() or task.uncancel():
                raise
        finally:
            watch.cancel()

    async def _send_stream(self, reply: OutboundReply, body: StreamBody, send: Send) -> None:
        keep_alive = (
            KeepAlive(body.keep_alive, self._services.keep_alive_s, send) if body.keep_alive else None
        )
        self._streams.add(body)
        try:
            await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
            async for frames in body:
                if keep_alive is not None:
                    keep_alive.sent()
                await send({"type": "http.response.body", "body": frames, "more_body": True})
        except ReplyBroken:
            return  # the server closes a connection whose reply has no end
        finally:
            if keep_alive is not None:
                keep_alive.stop()
            self._streams.discard(body)
            await body.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _other(self, path: str, scope: Scope, headers: Mapping[str, str]) -> OutboundReply:
        """Answer the rest: models, kept replies, and paths or methods that do not exist."""
        method = cast("str", scope["method"])
        is_anthropic = "anthropic-version" in headers or path.startswith("/v1/messages")
        dialect: Dialect = "anthropic" if is_anthropic else "openai_chat"
        try:
            if path.startswith(stored_responses.PREFIX) and not _takes_post(path):
                query = cast("bytes", scope["query_string"]).decode("latin-1")
                return await stored_responses.pass_on(method, path, query, headers, self._services)
            return self._models(path, method, headers, dialect)
        except SternpostError as error:
            reply = bare_error_reply(dialect, error)
            if isinstance(error, MethodRefused):
                reply.headers.append((b"allow", _allowed(path)))
            return reply

    def _models(self, path: str, method: str, headers: Mapping[str, str], dialect: Dialect) -> OutboundReply:
        if not self.serves(path):
            raise NotFound(f"there is no {path!r} here; {_advice(path)}")
        if _takes_post(path) or method not in {"GET", "HEAD"}:
            raise MethodRefused(f"{method} is not allowed on {path!r}")
        principal = authenticate.check(headers, self._services)
        traffic = self._services.traffic()
        name = unquote(path[len(_MODELS) + 1 :])
        body = (
            show_model(name, principal, traffic, dialect)
            if name
            else list_models(principal, traffic, dialect)
        )
        return OutboundReply(200, _json_headers(body), body)


def _allowed(path: str) -> bytes:
    """Return the methods of a path."""
    if _takes_post(path):
        return b"POST"
    return stored_responses.allowed(path) if path.startswith(stored_responses.PREFIX) else b"GET, HEAD"


def _takes_post(path: str) -> bool:
    return path in _DOORS or path in openai_passthrough.PATHS


def _is_flowing(headers: Mapping[str, str]) -> bool:
    """Whether a body is to pass as it arrives: it is large or of unknown length, not packed, and no JSON."""
    length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
    is_small = length.isdecimal() and int(length) <= _SMALL_BYTES
    is_read = "content-encoding" in headers or "json" in headers.get("content-type", "").lower()
    return not is_small and not is_read


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").strip().lower().startswith("multipart/form-data")


async def _watch(receive: Receive, task: asyncio.Task[object], upload: AsgiUpload | None) -> None:
    """Cancel the task of the call once the caller is gone; an upload is the first to read."""
    if upload is not None:
        await upload.ended.wait()
    while (await receive())["type"] != "http.disconnect":
        continue
    task.cancel()


async def _send_whole(reply: OutboundReply, send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


def _advice(path: str) -> str:
    if path.startswith("/v1/v1/"):  # every SDK adds the path it was written for
        return "the base URL has one /v1 too many: for an Anthropic SDK it ends at the port"
    return f"paths that only a provider has are at /v1/providers/<name>{path.removeprefix('/v1')}"


def _headers_of(scope: Scope) -> dict[str, str]:
    pairs = cast("list[tuple[bytes, bytes]]", scope["headers"])
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(headers) < len(pairs):
        for name in _LISTED & headers.keys():
            headers[name] = ",".join(value.decode("latin-1") for key, value in pairs if key == name.encode())
    return headers


def _json_headers(body: bytes) -> Headers:
    return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
