"""The body of a pass-through reply: bytes as they come; it settles its call once and changes nothing."""

import asyncio
import logging
from dataclasses import replace

from sternpost.base.errors import StreamTruncated, UpstreamError
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.upstream import UpstreamReply
from sternpost.contracts.usage import UsageSource
from sternpost.dialects import usage_shapes
from sternpost.dialects.protocols import ReplySummary
from sternpost.gateway.exchange import ReplyBroken
from sternpost.gateway.stages import price
from sternpost.gateway.stages.attempt import Attempt
from sternpost.gateway.stages.record import Outcome
from sternpost.gateway.stages.watchdog import Watchdog

_LOG = logging.getLogger(__name__)


class PassThroughBody:
    """Implements `exchange.StreamBody`. What may tell usage or an error is kept until the end, no longer."""

    keep_alive = b""  # bytes of ours between theirs would be a fault

    def __init__(
        self, attempt: Attempt, reply: UpstreamReply, *, method: str, idle_s: float, is_kept: bool = False
    ) -> None:
        self._attempt = attempt
        self._reply = reply
        self._chunks = reply.chunks()
        content_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._is_binary = content_type == "application/vnd.amazon.eventstream"
        self._is_events = self._is_binary or content_type == "text/event-stream"
        self._is_kept = self._is_events or content_type.endswith("json")
        self._is_recorded = is_kept  # in the trace, too
        self._is_priced = method == "POST"  # an answer that is looked up again was paid for already
        self._kept: list[bytes] = []
        self._size_bytes = 0
        self._length = _length_of(reply)
        self._is_over = False
        self._watchdog = Watchdog(idle_s, first_until=None)

    def __aiter__(self) -> "PassThroughBody":
        return self

    async def __anext__(self) -> bytes:
        shown = b""
        try:
            while not shown and not self._is_over:
                shown = await self._read()
        except UpstreamError as error:
            await self._break(error)
            raise ReplyBroken(error.message) from error
        except asyncio.CancelledError:
            self._abandon()
            raise
        if not shown:
            raise StopAsyncIteration
        return shown

    def interrupt(self, reason: str) -> None:
        self._watchdog.interrupt(StreamTruncated(reason))

    async def aclose(self) -> None:
        if self._is_over:
            self._reply.close()
        else:
            self._abandon()

    async def _read(self) -> bytes:
        """Take one chunk. The record is written before the last bytes leave."""
        try:
            with self._watchdog:
                chunk = await anext(self._chunks)
        except StopAsyncIteration:
            await self._end()
            return b""
        self._keep(chunk)
        if self._size_bytes == self._length:
            await self._end()
        return chunk

    def _keep(self, chunk: bytes) -> None:
        self._size_bytes += len(chunk)
        if self._is_kept:
            self._kept.append(chunk)
        if self._size_bytes > self._attempt.call.services.kept_bytes:
            self._is_kept = False
            self._kept.clear()

    async def _end(self) -> None:
        self._close()
        outcome = self._failure() if self._reply.status >= 400 else self._outcome(SpanStatus.OK)
        await self._attempt.call.finish(outcome)

    async def _break(self, error: UpstreamError) -> None:
        self._close()
        _LOG.warning("a pass-through reply broke (%s): %s", self._attempt.call.request_id, error.message)
        await self._attempt.call.finish(self._outcome(SpanStatus.TRUNCATED, error))

    def _abandon(self) -> None:
        """The caller is gone: drop the upstream at once."""
        self._close()
        self._attempt.call.abandon(self._outcome(SpanStatus.CANCELLED))

    def _close(self) -> None:
        self._is_over = True
        self._watchdog.stop()
        self._reply.close()
        self._attempt.call.notes["reply_bytes"] = str(self._size_bytes)

    def _outcome(self, status: SpanStatus, error: UpstreamError | None = None) -> Outcome:
        attempt, summary = self._attempt, self._summary(status)
        planned = attempt.planned
        error_type, message = (error.code, error.message) if error else ("", "")
        attempt.close(status, error_type=error_type, error=message)
        return Outcome(
            status=status,
            http_status=self._reply.status,
            answered_by=planned,
            summary=summary,
            cost=price.of(planned, summary, attempt.call.started_ns, attempt.call.services),
            error_type=error_type,
            error=message,
            reply_body=b"".join(self._kept) if self._is_recorded else b"",
        )

    def _summary(self, status: SpanStatus) -> ReplySummary:
        if not (self._is_kept and self._is_priced):
            return ReplySummary()
        quirks = self._attempt.planned.provider.quirks
        summary = usage_shapes.summarise(
            b"".join(self._kept), quirks, is_stream=self._is_events, is_binary=self._is_binary
        )
        if summary.usage is None or status is SpanStatus.OK:
            return summary
        return replace(summary, usage=replace(summary.usage, source=UsageSource.PARTIAL))

    def _failure(self) -> Outcome:
        """Class the provider's error for the record; the caller got its bytes."""
        attempt, reply = self._attempt, self._reply
        now_s = attempt.call.services.clock.now_ns() / 1e9
        failure = attempt.planned.codec.read_failure(reply.status, reply.headers, b"".join(self._kept), now_s)
        attempt.close(SpanStatus.ERROR, error_type=failure.kind, error=failure.message)
        return Outcome(
            SpanStatus.ERROR,
            reply.status,
            answered_by=attempt.planned,
            cost=price.REFUSED,
            error_type=failure.kind,
            error=failure.message,
        )


def _length_of(reply: UpstreamReply) -> int:
    """Return how many bytes will be read; -1: that is not known."""
    length = reply.headers.get("content-length", "")
    if "content-encoding" in reply.headers or not length.isdecimal():
        return -1
    return int(length)
