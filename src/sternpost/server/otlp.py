"""OTLP over HTTP as a raw ASGI app: reads the body, knows the key, hands both to the intake."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import cast

from starlette.types import Receive, Scope, Send

from sternpost.base.errors import BodyTooLarge, KeyRefused, MethodRefused, SternpostError
from sternpost.capabilities.access.rules import refuse_without
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.ingest.flow import OtlpIntake
from sternpost.ingest.otlp_reply import Signal, refused
from sternpost.ingest.records import OtlpReply


class OtlpApp:
    """Serves POST /v1/traces, /v1/logs and /v1/metrics, and the paths that Langfuse's SDKs use."""

    PATHS: Mapping[str, Signal] = {
        f"{root}/v1/{signal}": signal
        for root in ("", "/api/public/otel")
        for signal in ("traces", "logs", "metrics")
    }

    def __init__(
        self, intake: OtlpIntake, check_key: Callable[[str], Principal], *, max_body_bytes: int
    ) -> None:
        self._intake = intake
        self._check_key = check_key
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
        }
        content_type = headers.get("content-type", "")
        try:
            signal = self.PATHS[cast("str", scope["path"])]
            reply = await self._take(cast("str", scope["method"]), headers, receive, signal)
        except SternpostError as error:
            reply = refused(content_type, error)
        await send_reply(reply, send)

    async def _take(
        self, method: str, headers: Mapping[str, str], receive: Receive, signal: Signal
    ) -> OtlpReply:
        if method != "POST":
            raise MethodRefused(f"send {signal} with POST")
        principal = self._check_key(presented_key(headers))
        if KeyScope.SCORES_WRITE not in principal.scopes:  # spans may carry scores: the intake looks at both
            refuse_without(KeyScope.TRACES_WRITE, principal)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_body_bytes:
            raise _too_large(self._max_body_bytes)
        body = await read_body(receive, self._max_body_bytes)
        return await self._intake.handle(
            content_type=headers.get("content-type", ""),
            content_encoding=headers.get("content-encoding", ""),
            body=body,
            principal=principal,
            signal=signal,
        )


def presented_key(headers: Mapping[str, str]) -> str:
    """Return the key of a request: Bearer, x-api-key, or the password of Basic (Langfuse's SDKs).

    Raises: KeyRefused when there is none.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    if headers.get("x-api-key"):
        return headers["x-api-key"]
    if scheme.lower() == "basic":
        return _basic_password(value)
    raise KeyRefused("send a Sternpost key: `Authorization: Bearer sp-...`")


def _basic_password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        raise KeyRefused("the Basic authorization is not base64 of `user:key`") from None


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Raises: BodyTooLarge."""
    blocks = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        blocks += message.get("body", b"")
        if len(blocks) > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return bytes(blocks)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {max_bytes} bytes; send smaller batches")


async def send_reply(reply: OtlpReply, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
