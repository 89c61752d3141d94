"""The worker's model client: ordinary calls to Sternpost's own gateway over HTTP, with a worker token."""

import asyncio
import struct
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

import msgspec

from sternpost.backends.model_client.verdicts import error_of, judge
from sternpost.backends.model_client.worker_token import TokenWriter
from sternpost.base.clock import Clock
from sternpost.base.errors import (
    BadRequest,
    ModelCallDelayed,
    ModelCallFailed,
    UpstreamError,
    UpstreamTimedOut,
)
from sternpost.base.money import nanousd_from_usd
from sternpost.contracts.chat import ChatRequest, StreamEnd, StreamEvent, StreamFault
from sternpost.contracts.model_client import (
    FACTS_HEADER,
    CallFacts,
    CallFor,
    ChatAnswer,
    Embeddings,
    RawAnswer,
)
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.upstream import UpstreamClient, UpstreamReply, UpstreamRequest
from sternpost.dialects.errors.failures import read_failure
from sternpost.dialects.registry import CALLERS_COUNTERS, CODECS

_CONNECT_S: Final = 5.0
_CALL_S: Final = 900.0  # longer than any attempt of a route lasts by default
_PROBE_S: Final = 1.0
_MAX_ANSWER_BYTES: Final = 100_000_000
_MAX_FACT_CHARACTERS: Final = 600
_CHAT: Final = "/v1/chat/completions"
_CODEC: Final = CODECS["openai_chat"]
_COUNTER: Final = CALLERS_COUNTERS["anthropic"]


class _Vector(msgspec.Struct):
    embedding: str
    index: int


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0


class _Vectors(msgspec.Struct):
    data: list[_Vector]
    model: str = ""
    usage: _Usage | None = None


@dataclass(slots=True)
class LoopbackModelClient:
    """A `contracts.model_client.ModelClient`. gateway_url: where `serve` answers. For one event loop."""

    client: UpstreamClient
    gateway_url: str
    tokens: TokenWriter
    clock: Clock
    _is_away: bool = False
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def chat(self, request: ChatRequest, call: CallFor) -> ChatAnswer:
        body = _CODEC.write_request(replace(request, is_stream=False), quirks=STANDARD, facts=None).body
        answer = await self._good(_CHAT, body, call)
        return ChatAnswer(_CODEC.read_reply(answer.body), answer.facts)

    async def stream(self, request: ChatRequest, call: CallFor) -> AsyncGenerator[StreamEvent]:
        body = _CODEC.write_request(replace(request, is_stream=True), quirks=STANDARD, facts=None).body
        reply = await self._send(_CHAT, body, call)
        reader = _CODEC.open_reader(STANDARD)
        is_complete = False
        try:
            if reply.status >= 400:
                raise self._error_of(await self._read(reply), reply.headers)
            async for chunk in reply.chunks():
                for event in reader.feed(chunk):
                    is_complete = is_complete or isinstance(event, StreamEnd)
                    yield _whole(event)
            for event in reader.finish():
                is_complete = is_complete or isinstance(event, StreamEnd)
                yield _whole(event)
        except UpstreamError as error:
            raise ModelCallFailed(f"the stream broke off: {error.message}") from error
        finally:
            reply.close()
        if not is_complete:
            raise ModelCallFailed("the stream ended before the answer was complete; try again")

    async def embed(self, model: str, texts: Sequence[str], call: CallFor) -> Embeddings:
        asked = {"model": model, "input": list(texts), "encoding_format": "base64"}
        answer = await self._good("/v1/embeddings", msgspec.json.encode(asked), call)
        try:
            read = msgspec.json.decode(answer.body, type=_Vectors)
            ordered = sorted(read.data, key=lambda one: one.index)
            vectors = tuple(_floats(one.embedding) for one in ordered)
        except (msgspec.DecodeError, struct.error, ValueError) as error:
            raise ModelCallFailed("the gateway's answer has no readable vectors") from error
        if len(vectors) != len(texts):
            raise ModelCallFailed(f"{len(texts)} texts were sent and {len(vectors)} vectors came back")
        tokens = read.usage.prompt_tokens if read.usage else 0
        return Embeddings(vectors, read.model, tokens, answer.facts)

    async def count(self, request: ChatRequest, call: CallFor) -> int:
        body = _COUNTER.write(request, quirks=STANDARD, facts=None).body
        answer = await self._good("/v1/messages/count_tokens", body, call)
        try:
            return _COUNTER.read(answer.body)
        except BadRequest as error:
            raise ModelCallFailed("the gateway's answer is not a count") from error

    async def raw(self, path: str, body: bytes, call: CallFor) -> RawAnswer:
        reply = await self._send(path, body, call)
        try:
            return await self._read(reply)
        except UpstreamError as error:
            self._is_away = True
            raise ModelCallFailed(f"the gateway broke off: {error.message}") from error
        finally:
            reply.close()

    async def _good(self, path: str, body: bytes, call: CallFor) -> RawAnswer:
        """Return an answer that is no error. Raises: ModelCallError."""
        reply = await self._send(path, body, call)
        try:
            answer = await self._read(reply)
        except UpstreamError as error:
            self._is_away = True
            raise ModelCallFailed(f"the gateway broke off: {error.message}") from error
        finally:
            reply.close()
        if answer.status >= 400:
            raise self._error_of(answer, reply.headers)
        return answer

    async def _send(self, path: str, body: bytes, call: CallFor) -> UpstreamReply:
        await self._refuse_while_away()
        request = UpstreamRequest(
            method="POST",
            url=self.gateway_url.rstrip("/") + path,
            headers=_headers(call, self.tokens.write(call.principal)),
            body=body,
            connect_s=_CONNECT_S,
            total_s=_CALL_S,
        )
        try:
            return await self.client.send(request)
        except UpstreamTimedOut as error:
            raise ModelCallFailed(f"the gateway took too long: {error.message}") from error
        except UpstreamError as error:
            self._is_away = True
            if error.is_sent:
                raise ModelCallFailed(f"the gateway broke off: {error.message}") from error
            raise _away(error.message) from error

    async def _read(self, reply: UpstreamReply) -> RawAnswer:
        """Raises: UpstreamError, BodyTooLarge."""
        body = await reply.read(_MAX_ANSWER_BYTES)
        headers, cost_usd = reply.headers, reply.headers.get("x-sternpost-cost-usd", "")
        facts = CallFacts(
            trace_id=headers.get("x-sternpost-trace-id", ""),
            request_id=headers.get("x-request-id", ""),
            cost_nanousd=nanousd_from_usd(Decimal(cost_usd)) if cost_usd else None,
        )
        if reply.status < 400:
            return RawAnswer(reply.status, body, facts)
        failure = read_failure(reply.status, headers, body, self.clock.now_ns() / 1e9)
        retry = judge(reply.status, failure.code or failure.error_type)
        return RawAnswer(reply.status, body, facts, retry, failure.retry_after_s)

    def _error_of(self, answer: RawAnswer, headers: Mapping[str, str]) -> Exception:
        failure = read_failure(answer.status, headers, answer.body, self.clock.now_ns() / 1e9)
        return error_of(
            answer.retry,
            failure.message,
            status=answer.status,
            code=failure.code or failure.error_type,
            retry_after_s=answer.retry_after_s,
        )

    async def _refuse_while_away(self) -> None:
        """Ask whether the gateway is back, so that an outage costs nobody's call a try."""
        if not self._is_away:
            return
        async with self._probing:
            if not self._is_away:
                return
            url = self.gateway_url.rstrip("/") + "/healthz"
            try:
                reply = await self.client.send(UpstreamRequest("GET", url, {}, b"", _PROBE_S, _PROBE_S))
            except UpstreamError as error:
                raise _away(error.message) from error
            reply.close()
            self._is_away = reply.status != 200
        if self._is_away:
            raise _away(f"it says {reply.status}")


def _headers(call: CallFor, token: str) -> dict[str, str]:
    named = {"purpose": call.purpose, "budget": call.budget, **call.facts}
    facts = {name: value[:_MAX_FACT_CHARACTERS] for name, value in named.items() if value}
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "user-agent": "sternpost-worker",
        FACTS_HEADER: urlencode(facts),
    }
    if call.idempotency_key:
        headers["idempotency-key"] = call.idempotency_key
    if call.feature:
        headers["x-sternpost-feature"] = call.feature
    return headers


def _away(reason: str) -> ModelCallDelayed:
    return ModelCallDelayed(
        f"the gateway can't be reached: {reason}", retry_after_s=_PROBE_S, is_gateway_away=True
    )


def _whole(event: StreamEvent) -> StreamEvent:
    """Raises: ModelCallFailed for a fault that was sent inside the stream."""
    if isinstance(event, StreamFault):
        raise ModelCallFailed(event.message, http_status=event.status)
    return event


def _floats(encoded: str) -> tuple[float, ...]:
    packed = b64decode(encoded)
    return struct.unpack(f"<{len(packed) // 4}f", packed)
