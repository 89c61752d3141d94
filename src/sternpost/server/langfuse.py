"""The paths of Langfuse's API that its SDKs call by themselves, as a raw ASGI app; OTLP is `otlp`'s."""

import re
from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from sternpost.base.errors import NotFound, SternpostError
from sternpost.contracts.call import Principal
from sternpost.contracts.message import Json
from sternpost.ingest.langfuse_flow import LangfuseIntake
from sternpost.ingest.records import OtlpReply
from sternpost.server.otlp import presented_key, read_body, send_reply

_ROOT: Final = "/api/public/"
_MEDIUM: Final = re.compile(r"media/[\w-]{1,64}(/upload)?")
_VERSION: Final = "3.0.0"  # of Langfuse's API, which its SDKs compare


class LangfuseApp:
    """Serves what the SDKs call below /api/public; they send any public key, and ours as the secret one."""

    def __init__(
        self, intake: LangfuseIntake, check_key: Callable[[str], Principal], *, max_body_bytes: int
    ) -> None:
        self._intake = intake
        self._check_key = check_key
        self._max_body_bytes = max_body_bytes

    @staticmethod
    def serves(path: str) -> bool:
        return path.startswith(_ROOT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        try:
            status, answer = await self._answer(scope, headers, receive)
        except SternpostError as error:
            status, answer = error.status, {"message": error.message, "error": error.code}
        body = b"" if answer is None else msgspec.json.encode(answer)
        await send_reply(OtlpReply(status, {"content-type": "application/json"}, body), send)

    async def _answer(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> tuple[int, Json]:
        method, path = cast("str", scope["method"]), cast("str", scope["path"]).removeprefix(_ROOT)
        if (method, path) == ("GET", "health"):
            return 200, {"status": "OK", "version": _VERSION}
        if method == "PUT" and path.endswith("/upload") and _MEDIUM.fullmatch(path):
            token = parse_qs(cast("bytes", scope["query_string"]).decode("latin-1")).get("token", [""])[0]
            await self._intake.take_medium(token, await read_body(receive, self._max_body_bytes))
            return 200, None
        principal = self._check_key(presented_key(headers))
        body = await read_body(receive, self._max_body_bytes) if method in ("POST", "PATCH") else b""
        match method, path:
            case "POST", "ingestion":
                return 207, await self._intake.take_events(body, principal)
            case "POST", "scores":
                taken = await self._intake.take_scores(body, principal)
                return taken.status, taken.answer
            case "POST", "media":
                upload = self._intake.open_upload(body, principal)
                place = f"{_base_url(scope, headers)}{_ROOT}media/{upload.media_id}/upload"
                return 201, {"mediaId": upload.media_id, "uploadUrl": f"{place}?token={upload.token}"}
            case "PATCH", _ if _MEDIUM.fullmatch(path):
                return 200, {}
            case "GET", "projects":
                return 200, {"data": [_project(principal)]}
            case _:
                raise NotFound(f"{method} /api/public/{path[:60]} is not one of Langfuse's paths kept here")


def _project(principal: Principal) -> Json:
    organization = {"id": "sternpost", "name": "Sternpost"}
    named = {"id": principal.project_id, "name": principal.project_id}
    return {**named, "organization": organization, "metadata": {}, "retentionDays": None}


def _base_url(scope: Scope, headers: Mapping[str, str]) -> str:
    """Return the address at which the sender reached us, which is where it can put a medium."""
    scheme = headers.get("x-forwarded-proto") or cast("str", scope["scheme"])
    return f"{scheme}://{headers.get('host', '')}"
