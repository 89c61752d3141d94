"""Tries targets until one answers: timeouts, retries, fallback. Does not decide their order."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sternpost.base.collection import clear_traceback
from sternpost.base.errors import (
    BodyTooLarge,
    CredentialsUnavailable,
    StreamTruncated,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from sternpost.base.ids import SpanId, new_span_id
from sternpost.base.threads import CALLS
from sternpost.contracts.call import AttemptRecord
from sternpost.contracts.chat import StreamStart
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.dialects.errors.failures import fault_in
from sternpost.dialects.framing.relay import open_doubtful_relay, open_relay
from sternpost.dialects.pairing.tool_names import Renamed
from sternpost.dialects.protocols import Relay, ReplySummary, RequestHead, WrittenRequest
from sternpost.gateway.stages import partial
from sternpost.gateway.stages.failures import (
    AttemptFailed,
    from_answer,
    from_error,
    from_fault,
    unusable,
    with_place,
)
from sternpost.gateway.stages.fallback_policy import FallbackPolicy
from sternpost.gateway.stages.reading import read_whole
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.stages.request import headers_for, write_body
from sternpost.gateway.stages.strip_unreadable_reasoning import SEALED, without_refused
from sternpost.gateway.state.traffic import Plan, PlannedTarget

_WHOLE_TYPE = "application/json"
_MAX_ERROR_BYTES = 1_000_000
# SDKs wait so long for the status line, and after it for each piece (openai-node's `fetchWithTimeout`,
# `timeout.read` in Python): it is no limit on the length of a stream.
_SDK_LIMIT = "x-stainless-timeout"
_LONG_BYTES = 1_000_000  # some 20 ms of translating
T = TypeVar("T")


@dataclass(slots=True)
class Attempt:
    """One attempt under way; `close` records it."""

    call: OpenCall
    planned: PlannedTarget
    started_ns: int
    span_id: SpanId = field(default_factory=new_span_id)
    http_status: int = 0
    upstream_request_id: str = ""

    @property
    def is_same_dialect(self) -> bool:
        return self.planned.codec is self.call.codec

    def close(
        self,
        status: SpanStatus,
        *,
        error_type: str = "",
        error: str = "",
        retry_after_s: float | None = None,
        is_sent: bool = True,
    ) -> None:
        if not is_sent and not self.http_status:
            self.call.unsent.add(self.span_id)
        attempts = self.call.attempts
        attempts.append(
            AttemptRecord(
                span_id=self.span_id,
                number=len(attempts) + 1,
                provider=self.planned.provider.name,
                model=self.planned.target.model,
                started_ns=self.started_ns,
                ended_ns=self.call.services.clock.now_ns(),
                status=status,
                http_status=self.http_status,
                error_type=error_type,
                error=error,
                upstream_request_id=self.upstream_request_id,
                retry_after_s=retry_after_s,
            )
        )

    def fail(self, failed: AttemptFailed) -> None:
        self.close(
            SpanStatus.ERROR,
            error_type=failed.error_type,
            error=failed.error.message,
            retry_after_s=failed.retry_after_s,
            is_sent=failed.is_sent,
        )

    def begin_again(self) -> None:
        """Become the next attempt, at the same target."""
        self.span_id, self.started_ns = new_span_id(), self.call.services.clock.now_ns()
        self.http_status, self.upstream_request_id = 0, ""


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """An answer read to its end. `body` is in the provider's dialect, `shown` in the caller's."""

    attempt: Attempt
    body: bytes
    shown: bytes
    summary: ReplySummary


@dataclass(slots=True)
class OpenAnswer:
    """A stream that has begun to answer, or was held long enough."""

    attempt: Attempt
    reply: UpstreamReply
    chunks: AsyncIterator[bytes]
    relay: Relay
    first_token_at: float  # the loop's clock
    kept: list[bytes] = field(default_factory=list[bytes])  # what the provider sent, for the record
    held: bytes = b""  # frames not sent yet
    is_at_end: bool = False
    first_token_ns: int | None = None


async def first_good(call: OpenCall, head: RequestHead, plan: Plan) -> WholeAnswer | OpenAnswer:
    """Return the first answer of the plan's targets.

    Raises: what the last attempt failed with, AllTargetsFailed, BadRequest.
    """
    requested: dict[str, RequestHead] = {}  # by target, where it is not `head`
    return await first_of(
        call, plan, lambda attempt, left_s: _attempt_once(attempt, head, plan, left_s, requested)
    )


async def first_of(call: OpenCall, plan: Plan, attempt_once: Callable[[Attempt, float], Awaitable[T]]) -> T:
    """Return what the first attempt gives that does not raise AttemptFailed.

    attempt_once: is told how many seconds are left.
    Raises: what the last attempt failed with, AllTargetsFailed, what else an attempt raises.
    """
    now_s = call.services.clock.monotonic_ns() / 1e9
    policy = FallbackPolicy(plan, call.services, now_s + _caller_limit_s(call), call.warnings)
    call.services.retries.first_attempt(plan.asked, policy.current.provider.name)
    while True:
        attempt = Attempt(call, policy.current, call.services.clock.now_ns())
        try:
            answer = await attempt_once(attempt, policy.left_s())
        except (AttemptFailed, UpstreamUnreachable, UpstreamTimedOut, CredentialsUnavailable) as error:
            failed = from_error(error, is_answered=attempt.http_status != 0)
            clear_traceback(failed)
            attempt.fail(failed)
            await _wait(call, policy.after(failed))
        except asyncio.CancelledError:
            attempt.close(SpanStatus.CANCELLED)
            raise
        else:
            if attempt.http_status:  # else nobody was asked, as for an estimate
                call.services.health.answered(policy.current.target, call.services.clock.monotonic_ns() / 1e9)
            return answer


async def _wait(call: OpenCall, wait_s: float) -> None:
    began_ns = call.services.clock.monotonic_ns()
    try:
        await asyncio.sleep(wait_s)
    finally:
        call.waited_ns += call.services.clock.monotonic_ns() - began_ns


async def _attempt_once(
    attempt: Attempt, head: RequestHead, plan: Plan, left_s: float, requested: dict[str, RequestHead]
) -> WholeAnswer | OpenAnswer:
    """Ask once; once more without earlier thinking that can't be read there, or the field that was refused.

    requested: what such targets are sent from then on; it is added to.
    """
    name = attempt.planned.name
    if name not in requested:
        try:
            return await _ask(attempt, head, plan, left_s)
        except AttemptFailed as failed:
            without = without_refused(failed, attempt.call, attempt.planned, head)
            if without is None or plan.unsupported == "refuse":
                raise
            attempt.fail(failed)
        attempt.begin_again()
        requested[name] = without
    answer = await _ask(attempt, requested[name], plan, left_s)
    if not (requested[name].is_thoughtless or requested[name].omitted):
        attempt.call.dropped = (*attempt.call.dropped, SEALED)
    return answer


async def _ask(attempt: Attempt, head: RequestHead, plan: Plan, left_s: float) -> WholeAnswer | OpenAnswer:
    call, planned = attempt.call, attempt.planned
    url = planned.stream_url if head.is_stream else planned.whole_url
    written = await _write(call, head, planned, plan)
    request = UpstreamRequest(
        method="POST",
        url=url,
        headers=headers_for(call, planned, head.omitted),
        body=written.body,
        connect_s=plan.limits.connect_s,
        total_s=time_limit_s(call, plan, left_s, is_stream=head.is_stream),
        is_url_exact="%" in url,  # escapes are part of what is signed
    )
    if head.is_stream:
        return await _open_stream(
            attempt, request, head, plan, renamed_tools=written.renamed_tools, left_s=left_s
        )
    return await _read_whole(attempt, request, written.renamed_tools)


def time_limit_s(call: OpenCall, plan: Plan, left_s: float, *, is_stream: bool) -> float:
    """Return how long one attempt may take in total. left_s: how long the caller waits."""
    if is_stream and _SDK_LIMIT in call.request.headers:
        return plan.limits.total_s
    return min(plan.limits.total_s, left_s)


async def _write(call: OpenCall, head: RequestHead, planned: PlannedTarget, plan: Plan) -> WrittenRequest:
    """Write the body; a long translation takes tenths of a second, in which other calls go on."""
    if planned.codec is call.codec or len(call.request.body) <= _LONG_BYTES:
        return write_body(call, head, planned, plan)
    return await CALLS.run(write_body, call, head, planned, plan)


async def _read_whole(attempt: Attempt, request: UpstreamRequest, renamed_tools: Renamed) -> WholeAnswer:
    reply = await send(attempt, request)
    try:
        body = await reply.read(attempt.call.services.max_reply_bytes)
    except BodyTooLarge as error:
        raise unusable(attempt.planned.provider, error.message) from error
    finally:
        reply.close()
    read = read_whole(body, attempt.call, attempt.planned, renamed_tools, lambda: _unsaid(attempt))
    return WholeAnswer(attempt, read.body, read.shown, read.summary)


def _unsaid(attempt: Attempt) -> StreamStart:
    """Return what some dialects leave out of a reply: its id, its model, and when it was made."""
    reply_id = attempt.upstream_request_id or attempt.call.request_id
    return StreamStart(reply_id, attempt.planned.target.model, attempt.started_ns // 1_000_000_000)


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return the provider's own id of a call. headers: names in lower case."""
    names = ("x-request-id", "request-id", "x-amzn-requestid")
    found = next((found for name in names if (found := headers.get(name))), "")
    return found if found.isascii() else found.encode("ascii", "replace").decode()


async def _open_stream(
    attempt: Attempt,
    request: UpstreamRequest,
    head: RequestHead,
    plan: Plan,
    *,
    renamed_tools: Renamed,
    left_s: float,
) -> OpenAnswer:
    """Hold the stream until it shows content, so that another target may still answer instead.

    The hold begins with the provider's status line: before it, its status may still be passed on.
    left_s: how long the caller waits for ours.
    """
    began_at = asyncio.get_running_loop().time()
    first_token_at = began_at + plan.limits.first_token_s
    answer_s = min(plan.limits.first_token_s, left_s)
    answer = None
    try:
        async with asyncio.timeout_at(began_at + answer_s):
            reply = await send(attempt, request)
            relay = _relay_for(attempt, reply, head, renamed_tools)
            answer = OpenAnswer(attempt, reply, reply.chunks(), relay, first_token_at)
            await _hold(answer, plan.hold_s)
            return answer
    except TimeoutError as error:
        raise UpstreamTimedOut(f"the provider sent nothing for {round(answer_s, 1):g} s") from error
    except asyncio.CancelledError:
        if answer is not None:
            attempt.call.cut = _cut(answer)
        raise


def _relay_for(attempt: Attempt, reply: UpstreamReply, head: RequestHead, renamed_tools: Renamed) -> Relay:
    planned, sink, unsaid = attempt.planned, attempt.call.codec, _unsaid(attempt)
    source, quirks = planned.codec, planned.provider.quirks
    if reply.headers.get("content-type", "").startswith(_WHOLE_TYPE) and not source.traits.streams_json_lines:
        return open_doubtful_relay(source, sink, head, quirks, renamed_tools=renamed_tools, unsaid=unsaid)
    return open_relay(
        source,
        sink,
        head,
        quirks,
        renamed_tools=renamed_tools,
        created_s=unsaid.created_s,
        unsaid=unsaid,
    )


def _cut(answer: OpenAnswer) -> Outcome:
    """Say what had arrived of a stream, when nobody waits for it any more."""
    attempt = answer.attempt
    return partial.outcome(attempt.call, attempt.planned, answer.relay.summary(), b"".join(answer.kept))


async def _hold(answer: OpenAnswer, hold_s: float) -> None:
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(hold_s):
                await _read_to_content(answer)
    except BaseException:
        answer.reply.close()
        raise


async def _read_to_content(answer: OpenAnswer) -> None:
    relay = answer.relay
    while not (relay.has_content or relay.is_complete or relay.fault):
        try:
            chunk = await anext(answer.chunks)
        except StopAsyncIteration:
            answer.is_at_end = True
            answer.held += relay.finish()
            break
        answer.kept.append(chunk)
        answer.held += relay.feed(chunk)
    if relay.has_content:
        answer.first_token_ns = answer.attempt.call.services.clock.now_ns()
    elif not relay.is_complete and (fault := relay.fault or fault_in(b"".join(answer.kept))):
        attempt = answer.attempt
        raise from_fault(fault, attempt.planned.provider, is_same_dialect=attempt.is_same_dialect)
    elif not relay.is_complete:
        error = StreamTruncated("the provider's stream ended before any content")
        raise AttemptFailed("server", error, is_retryable=True)


async def send(attempt: Attempt, request: UpstreamRequest) -> UpstreamReply:
    """Send, and turn an error response into a failed attempt."""
    call, planned = attempt.call, attempt.planned
    client = call.services.clients.get(planned.provider.name, call.services.client)
    reply = await client.send(request)
    attempt.http_status = reply.status
    headers = reply.headers
    attempt.upstream_request_id = request_id_of(headers)
    if 200 <= reply.status < 300:
        return reply
    try:
        body = await reply.read(_MAX_ERROR_BYTES)
    except BodyTooLarge:
        body = b""
    finally:
        reply.close()
    failure = planned.codec.read_failure(reply.status, headers, body, call.services.clock.now_ns() / 1e9)
    failed = from_answer(failure, planned.provider, is_same_dialect=attempt.is_same_dialect)
    raise with_place(failed, request.url, planned.target.model)


def _caller_limit_s(call: OpenCall) -> float:
    """Return how long the caller's SDK says it waits; without a word from it, for ever."""
    text = call.request.headers.get(_SDK_LIMIT) or call.request.headers.get("x-request-timeout")
    if not text:
        return math.inf
    try:
        limit_s = float(text)
    except ValueError:
        return math.inf
    return limit_s if limit_s > 0 else math.inf
