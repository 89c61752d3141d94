"""Responses that a provider generates in the background: polled until they end, then their calls settled.

The call's record was written when the provider took it, at an unknown cost; it is written again, whole.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import msgspec

from sternpost.base.errors import StoreError, UpstreamError
from sternpost.base.threads import CALLS
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import CallEntry
from sternpost.contracts.provider import Provider
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.registry import CODECS
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import price
from sternpost.gateway.stages.route import headers_for, url_at

_LOG = logging.getLogger(__name__)
_CODEC: Final = CODECS["openai_responses"]
_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # then every 30 s
_GIVE_UP_NS: Final = 24 * 3600 * 1_000_000_000
_MOST_AT_ONCE: Final = 8
_TIMEOUT_S: Final = 60.0
_STATUS: Final = {
    "completed": SpanStatus.OK,
    "incomplete": SpanStatus.OK,
    "failed": SpanStatus.ERROR,
    "cancelled": SpanStatus.CANCELLED,
}


class Pending(Protocol):
    """Keeps named pieces of bytes over a restart. Blocking, so it is called in a thread."""

    def keep(self, name: str, content: bytes) -> None:
        """Return when it is on disk. Raises: StoreUnavailable."""
        ...

    def drop(self, name: str) -> None: ...

    def all(self) -> Sequence[tuple[str, bytes]]: ...


class _Waiting(msgspec.Struct, frozen=True):
    """A call whose reply is not there yet, as it is kept over a restart."""

    call: CallRecord
    reply_id: str


class _Fault(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Answer(msgspec.Struct):
    status: str = ""
    error: _Fault | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


@dataclass(slots=True)
class BackgroundReplies:
    """Follows replies until they end, for a day. `services`, which names `follow`, is set once it exists."""

    pending: Pending
    waits_s: Sequence[float] = _WAITS_S
    services: GatewayServices | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_AT_ONCE))

    def follow(self, call: CallRecord, reply_id: str) -> Awaitable[None]:
        """Begin to ask for a reply; what is returned is done once a restart would go on with it."""
        waiting = _Waiting(call, reply_id)
        keeping = asyncio.ensure_future(self._keep(waiting))
        self._start(waiting, keeping)
        return keeping

    def use(self, services: GatewayServices) -> None:
        self.services = services

    async def resume(self) -> None:
        """Go on with what the process before this one was waiting for."""
        for name, content in await CALLS.run(self.pending.all):
            try:
                waiting = msgspec.msgpack.decode(content, type=_Waiting)
            except msgspec.MsgspecError:
                _LOG.error("the pending reply %s can't be read and is left out", name)
            else:
                self._start(waiting)

    async def close(self) -> None:
        """Stop asking; the next start goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, waiting: _Waiting) -> None:
        try:
            await CALLS.run(self.pending.keep, str(waiting.call.span_id), msgspec.msgpack.encode(waiting))
        except StoreError as error:
            _LOG.warning("a background reply is followed by this process only: %s", error.message)

    def _start(self, waiting: _Waiting, keeping: Awaitable[None] | None = None) -> None:
        task = asyncio.create_task(self._see_through(waiting, keeping))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_through(self, waiting: _Waiting, keeping: Awaitable[None] | None) -> None:
        name = str(waiting.call.span_id)
        try:
            if keeping is not None:
                await keeping
            await self._wait_for(waiting)
            await CALLS.run(self.pending.drop, name)
        except StoreError as error:
            _LOG.error("a background reply is settled at the next start: %s", error.message)
        except Exception:  # noqa: BLE001  # the edge of a task
            _LOG.exception("a background reply can't be followed (req_%s)", name)

    async def _wait_for(self, waiting: _Waiting) -> None:
        """Ask until the reply ended, is gone, or a day is over: then its cost stays unknown."""
        services = self._bound()
        attempt = 0
        while services.clock.now_ns() - waiting.call.started_ns < _GIVE_UP_NS:
            await asyncio.sleep(self.waits_s[min(attempt, len(self.waits_s) - 1)])
            attempt += 1
            provider = self._bound().traffic().catalog.providers.get(waiting.call.provider)
            if provider is None or provider.is_known_only:
                return
            async with self._room:
                status, body = await self._ask(provider, waiting.reply_id)
            if status == 404:
                return
            if status == 200 and await self._settle(waiting.call, provider, body):
                return

    async def _ask(self, provider: Provider, reply_id: str) -> tuple[int, bytes]:
        """Return the status (0: not reached) and body of what the provider says of a reply."""
        services = self._bound()
        request = UpstreamRequest(
            method="GET",
            url=url_at(provider, "", _CODEC.upstream_path("", is_stream=False)) + f"/{reply_id}",
            headers=headers_for(provider, _CODEC),
            body=b"",
            connect_s=5.0,
            total_s=_TIMEOUT_S,
        )
        reply: UpstreamReply | None = None
        try:
            reply = await services.clients.get(provider.name, services.client).send(request)
            return reply.status, await reply.read(services.max_reply_bytes)
        except UpstreamError as error:
            _LOG.info("a background reply can't be fetched: %s", error.code)
            return 0, b""
        finally:
            if reply is not None:
                reply.close()

    async def _settle(self, call: CallRecord, provider: Provider, body: bytes) -> bool:
        """Write the call's record again; False while the reply has not ended. Raises: StoreError."""
        body = without_halves(body)
        try:
            answer = _ANSWER.decode(body)
        except UNREADABLE:
            return False
        status = _STATUS.get(answer.status)
        if status is None:
            return False
        services = self._bound()
        summary = _CODEC.summarise(body, provider.quirks)
        cost = price.of_model(
            provider, call.target_model, summary, started_ns=call.started_ns, services=services
        )
        fault = answer.error or _Fault()
        settled = replace(
            call,
            ended_ns=services.clock.now_ns(),
            status=status,
            response_model=summary.model or call.response_model,
            error_type=fault.code,
            error=fault.message[:500],
            usage=summary.usage,
            cost=cost,
            is_stream=False,
            reply_body=body[: services.kept_bytes],
            is_reply_cut=len(body) > services.kept_bytes,
            attributes={**call.attributes, "background": answer.status},
        )
        await services.journal.append(msgspec.msgpack.encode(CallEntry(settled)), "written")
        return True

    def _bound(self) -> GatewayServices:
        assert self.services is not None
        return self.services
