"""The paths of Langfuse's API that its SDKs call by themselves, as a raw ASGI app; OTLP is `otlp`'s."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from sternpost.base.errors import NotFound, NotSupported, SternpostError
from sternpost.capabilities.access.rules import refuse_without
from sternpost.capabilities.traces.media.rules import media_headers
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.capabilities.traces.rules import iso_time
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.message import Json
from sternpost.ingest.flow import OtlpIntake
from sternpost.ingest.langfuse_flow import langfuse_refusal
from sternpost.ingest.mapping.media import apart_hash
from sternpost.ingest.records import OtlpReply
from sternpost.server.otlp import presented_key, read_body, send_reply

_ROOT: Final = "/api/public/"
_MEDIUM: Final = re.compile(r"media/([\w-]{1,64})(?:/(upload|content))?")
_NOT_SUPPORTED: Final = {
    "prompt": "pass `fallback` to `get_prompt`, or keep the prompt in the application",
    "dataset": "keep the examples in the application; its runs are traces here as any other",
    "trace": "read them at /api/traces",
    "observation": "read the spans of a trace at /api/traces/{id}",
    "session": "find their traces at /api/traces?filter=session:ID",
    "metric": "read sums at /api/overview",
}
_VERSION: Final = "3.0.0"  # of Langfuse's API, which its SDKs compare


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request. `base_url` is the address at which the sender reached these paths."""

    method: str
    path: str  # below /api/public/
    headers: Mapping[str, str]
    base_url: str
    token: str
    receive: Receive

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> "_Asked":
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        query = parse_qs(cast("bytes", scope["query_string"]).decode("latin-1"))
        return cls(
            method=cast("str", scope["method"]),
            path=cast("str", scope["path"]).removeprefix(_ROOT),
            headers=headers,
            base_url=_base_url(scope, headers) + _ROOT,
            token=query.get("token", [""])[0],
            receive=receive,
        )


class LangfuseApp:
    """Serves what the SDKs call below /api/public; they send any public key, and ours as the secret one."""

    def __init__(
        self,
        intake: OtlpIntake,
        media: TraceMedia,
        check_key: Callable[[str], Principal],
        *,
        max_body_bytes: int,
    ) -> None:
        self._intake = intake
        self._langfuse = intake.langfuse
        self._media = media
        self._check_key = check_key
        self._max_body_bytes = max_body_bytes

    @staticmethod
    def serves(path: str) -> bool:
        return path.startswith(_ROOT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._answer(_Asked.of(scope, receive))
        except SternpostError as error:
            reply = langfuse_refusal(error)
        await send_reply(reply, send)

    async def _answer(self, asked: _Asked) -> OtlpReply:
        method, path = asked.method, asked.path
        if (method, path) == ("GET", "health"):
            return _json(200, {"status": "OK", "version": _VERSION})
        if found := _MEDIUM.fullmatch(path):
            return await self._medium(asked, found[1], found[2] or "")
        principal = self._check_key(presented_key(asked.headers))
        match method, path:
            case "POST", "ingestion" | "scores":
                return await self._intake.handle_langfuse(
                    "langfuse_events" if path == "ingestion" else "langfuse_scores",
                    content_encoding=asked.headers.get("content-encoding", ""),
                    body=await read_body(asked.receive, self._max_body_bytes),
                    principal=principal,
                )
            case "POST", "media":
                body = await read_body(asked.receive, self._max_body_bytes)
                upload = self._langfuse.open_upload(body, principal)
                place = f"{asked.base_url}media/{upload.media_id}/upload?token={upload.token}"
                return _json(201, {"mediaId": upload.media_id, "uploadUrl": place})
            case "GET", "projects":
                return _json(200, {"data": [_project(principal)]})
            case _:
                raise _not_served(method, path)

    async def _medium(self, asked: _Asked, media_id: str, verb: str) -> OtlpReply:
        """Take the bytes of a medium, say where they can be read, or return them.

        Raises: KeyRefused, NotFound, BadRequest, JournalFull, StoreUnavailable.
        """
        match asked.method, verb:
            case "PUT", "upload":
                body = await read_body(asked.receive, self._max_body_bytes)
                await self._langfuse.take_medium(asked.token, body)
                return OtlpReply(200, {}, b"")
            case "GET", "content":
                blob = await self._media.find(*self._langfuse.linked_medium(asked.token, media_id))
                content = b"".join([piece async for piece in self._media.read(blob, 0, blob.size_bytes)])
                return OtlpReply(200, media_headers(blob), content)
            case "GET", "":
                return await self._describe_medium(asked, media_id)
            case "PATCH", "":
                _ = self._check_key(presented_key(asked.headers))
                return _json(200, {})
            case _:
                raise _not_served(asked.method, f"media/{media_id}")

    async def _describe_medium(self, asked: _Asked, media_id: str) -> OtlpReply:
        principal = self._check_key(presented_key(asked.headers))
        refuse_without(KeyScope.TRACES_READ, principal)
        project_id = principal.project_id
        blob = await self._media.find(project_id, apart_hash(project_id, media_id))
        token, until_ns = self._langfuse.link_to_medium(media_id, blob.mime_type, principal)
        return _json(
            200,
            {
                "mediaId": media_id,
                "contentType": blob.mime_type,
                "contentLength": blob.size_bytes,
                "uploadedAt": iso_time(blob.last_put_ns),
                "url": f"{asked.base_url}media/{media_id}/content?token={token}",
                "urlExpiry": iso_time(until_ns),
            },
        )


def _json(status: int, answer: Json) -> OtlpReply:
    return OtlpReply(status, {"content-type": "application/json"}, msgspec.json.encode(answer))


def _not_served(method: str, path: str) -> SternpostError:
    """Say what to do instead of calling a part of Langfuse's API that is not here."""
    noun = path.removeprefix("v2/").partition("/")[0].partition("-")[0].rstrip("s")
    if advice := _NOT_SUPPORTED.get(noun):
        return NotSupported(f"Sternpost does not serve Langfuse's {noun}s: {advice}")
    return NotFound(f"{method} /api/public/{path[:60]} is not one of Langfuse's paths served here")


def _project(principal: Principal) -> Json:
    organization = {"id": "sternpost", "name": "Sternpost"}
    named = {"id": principal.project_id, "name": principal.project_id}
    return {**named, "organization": organization, "metadata": {}, "retentionDays": None}


def _base_url(scope: Scope, headers: Mapping[str, str]) -> str:
    """Return the address at which the sender reached us, which is where it can put a medium."""
    scheme = headers.get("x-forwarded-proto") or cast("str", scope["scheme"])
    return f"{scheme}://{headers.get('host', '')}"
