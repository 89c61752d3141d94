"""The body of a streamed reply: it owns the record and the lease and settles them once; it parses nothing."""

import asyncio
import contextlib
import logging

from sternpost.base.collection import clear_traceback
from sternpost.base.errors import (
    SternpostError,
    StreamTruncated,
    UpstreamError,
    UpstreamUnreachable,
)
from sternpost.contracts.chat import StreamFault
from sternpost.contracts.span import SpanStatus
from sternpost.dialects.protocols import ReplySummary
from sternpost.gateway.stages import partial, price
from sternpost.gateway.stages.attempt import OpenAnswer
from sternpost.gateway.stages.failures import refused_in_stream
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.stages.replies import error_type_of, wire_error
from sternpost.gateway.stages.watchdog import Watchdog

_LOG = logging.getLogger(__name__)
_DRAIN_S = 1.0
_OWN_FAULTS = frozenset({"malformed_frame", "frame_too_large"})  # ours about the frames, not the provider's


class CallStream:
    """Whole frames in the caller's dialect; implements `exchange.StreamBody`."""

    def __init__(self, call: OpenCall, answer: OpenAnswer, idle_s: float) -> None:
        self._call = call
        self._answer = answer
        self._relay = answer.relay
        self._kept = answer.kept
        self._kept_size = sum(map(len, answer.kept))
        self._is_cut = False
        self._is_over = False
        self._is_drained = False
        self._watchdog = Watchdog(
            idle_s, first_until=None if answer.first_token_ns else answer.first_token_at
        )
        self.keep_alive = call.codec.keep_alive()

    def __aiter__(self) -> "CallStream":
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            await self._drain()
            raise StopAsyncIteration
        try:
            return await self._next_frames()
        except UpstreamUnreachable:
            reason = StreamTruncated("the connection to the provider broke in the middle of its stream")
            return await self._break(SpanStatus.TRUNCATED, reason)
        except UpstreamError as error:
            return await self._break(SpanStatus.TRUNCATED, error)
        except asyncio.CancelledError:
            self._abandon()
            raise
        except Exception:  # noqa: BLE001  # the edge of a request: whatever failed, the call is settled
            _LOG.exception("a stream failed because of an internal error (%s)", self._call.request_id)
            return await self._break(
                SpanStatus.ERROR, SternpostError("Sternpost hit an internal error on this stream")
            )

    def interrupt(self, reason: str) -> None:
        """End the stream soon with an error event, because Sternpost stops."""
        self._watchdog.interrupt(StreamTruncated(reason))

    async def aclose(self) -> None:
        if self._is_over:
            self._answer.reply.close()
        else:
            self._abandon()

    async def _next_frames(self) -> bytes:
        """Return what can be sent now. The record is written before the terminal frames leave."""
        answer, relay = self._answer, self._relay
        frames, answer.held = answer.held, b""
        while not (frames or relay.is_complete or relay.fault or answer.is_at_end):
            frames = await self._read()
        if relay.fault is not None:
            return frames + await self._break(*self._of_fault(relay.fault))
        if relay.is_complete:
            await self._settle(SpanStatus.OK)
            return frames + relay.closing(self._call.services.clock.now_ns() // 1_000_000_000)
        if answer.is_at_end:
            reason = StreamTruncated("the provider's stream ended without its terminal marker")
            return frames + await self._break(SpanStatus.TRUNCATED, reason)
        return frames

    async def _read(self) -> bytes:
        """Take one chunk from the provider."""
        answer, relay = self._answer, self._relay
        try:
            with self._watchdog:
                chunk = await anext(answer.chunks)
        except StopAsyncIteration:
            answer.is_at_end = True
            return relay.finish()
        self._keep(chunk)
        frames = relay.feed(chunk)
        if answer.first_token_ns is None and relay.has_content:
            answer.first_token_ns = self._call.services.clock.now_ns()
            self._watchdog.has_begun()
        return frames

    def _keep(self, chunk: bytes) -> None:
        room = self._call.services.kept_bytes - self._kept_size
        if len(chunk) > room:
            self._is_cut = True
            chunk = chunk[:room]
        self._kept_size += len(chunk)
        self._kept.append(chunk)

    async def _break(self, status: SpanStatus, error: SternpostError) -> bytes:
        """End a broken stream: settle, then the dialect's error event and no terminal marker."""
        clear_traceback(error)
        self._answer.reply.close()
        await self._settle(status, error)
        return self._relay.failing(wire_error(error, self._call.request_id))

    async def _settle(self, status: SpanStatus, error: SternpostError | None = None) -> None:
        self._is_over = True
        self._watchdog.stop()
        await self._call.finish(self._outcome(status, error))

    def _abandon(self) -> None:
        """The caller is gone: drop the upstream at once, keep what had arrived."""
        self._is_over = True
        self._watchdog.stop()
        self._answer.reply.close()
        self._call.abandon(self._outcome(SpanStatus.CANCELLED, None))

    def _outcome(self, status: SpanStatus, error: SternpostError | None) -> Outcome:
        call, answer = self._call, self._answer
        call.warnings += self._relay.unshown()  # the headers are gone: on the record alone
        error_type, message = (error_type_of(error), error.message) if error else ("", "")
        answer.attempt.close(status, error_type=error_type, error=message)
        planned, received = answer.attempt.planned, b"".join(self._kept)
        summary = self._summary(status, received)
        return Outcome(
            status=status,
            http_status=200,
            answered_by=planned,
            summary=summary,
            cost=price.of(planned, summary, call.started_ns, call.services),
            error_type=error_type,
            error=message,
            reply_body=received,
            is_reply_cut=self._is_cut,
            first_token_ns=answer.first_token_ns,
        )

    def _summary(self, status: SpanStatus, received: bytes) -> ReplySummary:
        """Say what is known of the reply. What can't be counted is unknown; the call is settled anyway."""
        try:
            summary = self._relay.summary()
            if status is SpanStatus.OK:
                return summary
            return partial.settle(summary, self._call, self._answer.attempt.planned, received)
        except Exception:  # noqa: BLE001  # a place of a limit that is not given back is lost for ever
            _LOG.exception("the usage of a stream could not be determined (%s)", self._call.request_id)
            return ReplySummary()

    def _of_fault(self, fault: StreamFault) -> tuple[SpanStatus, SternpostError]:
        """Tell an error the provider reported from frames that could not be read."""
        if fault.error_type in _OWN_FAULTS:
            return SpanStatus.TRUNCATED, StreamTruncated(fault.message)
        attempt = self._answer.attempt
        error = refused_in_stream(fault, attempt.planned.provider, is_same_dialect=attempt.is_same_dialect)
        return SpanStatus.ERROR, error

    async def _drain(self) -> None:
        """Read past the terminal marker to the end of the bytes, so that the connection can serve again."""
        if self._is_drained:
            return
        self._is_drained = True
        try:
            if not self._answer.is_at_end and self._relay.is_complete:
                await self._read_past_the_end()
        finally:
            self._answer.reply.close()

    async def _read_past_the_end(self) -> None:
        with contextlib.suppress(UpstreamError, TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                async for _ in self._answer.chunks:
                    continue
