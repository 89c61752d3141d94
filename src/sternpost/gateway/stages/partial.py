"""Counts roughly what a stream used that ended before its provider said; holds no prices."""

from dataclasses import replace

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest, RefusalDelta, TextDelta, ThinkingDelta, ToolArguments
from sternpost.contracts.message import ReasoningPart, RefusalPart, TextPart, ToolCallPart
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import Usage, UsageSource
from sternpost.dialects.openai_chat.usage import input_total, output_total
from sternpost.dialects.protocols import ReplySummary
from sternpost.gateway.stages import price
from sternpost.gateway.stages.record import OpenCall, Outcome
from sternpost.gateway.state.traffic import PlannedTarget

# o200k: English prose 4.6 bytes of UTF-8 a token, Chinese 4.8, German 4.9, code 4.5, JSON 3.0.
_BYTES_PER_TOKEN = 4.5
_MAX_BODY_BYTES = 2_000_000  # reading more would keep other calls waiting
_SPOKEN = (TextDelta, RefusalDelta, ThinkingDelta, ToolArguments)


def outcome(call: OpenCall, planned: PlannedTarget, summary: ReplySummary, received: bytes) -> Outcome:
    """Say how a call ended whose caller left a stream before the reply began."""
    summary = settle(summary, call, planned, received)
    return Outcome(
        SpanStatus.CANCELLED,
        499,
        answered_by=planned,
        summary=summary,
        cost=price.of(planned, summary, call.started_ns, call.services),
        reply_body=received,
    )


def settle(summary: ReplySummary, call: OpenCall, planned: PlannedTarget, received: bytes) -> ReplySummary:
    """Complete usage by what was sent and received, and mark it partial; what the provider said stays.

    Without an estimate (a body too large to read again) usage stays unknown, which is not zero.
    """
    seen = summary.usage or Usage()
    input_tokens = seen.in_fresh if input_total(seen) else _sent_tokens(call)
    if input_tokens is None:
        return summary
    uncounted = max(0, _received_tokens(planned, received) - output_total(seen))
    usage = replace(
        seen, in_fresh=input_tokens, out_text=seen.out_text + uncounted, source=UsageSource.PARTIAL
    )
    return replace(summary, usage=usage)


def _sent_tokens(call: OpenCall) -> int | None:
    if len(call.request.body) > _MAX_BODY_BYTES:
        return None
    try:
        chat = call.chat or call.codec.read_request(call.request.body)
    except BadRequest:
        return None
    return _tokens(sum(_text_bytes(chat)))


def _text_bytes(chat: ChatRequest) -> list[int]:
    sizes = [len(tool.name) + len(tool.description) + len(str(tool.parameters)) for tool in chat.tools]
    for message in chat.messages:
        for part in message.parts:
            if isinstance(part, TextPart | ReasoningPart | RefusalPart):
                sizes.append(len(part.content.encode()))
            elif isinstance(part, ToolCallPart):
                sizes.append(len(part.arguments.encode()))
    return sizes


def _received_tokens(planned: PlannedTarget, received: bytes) -> int:
    events = planned.codec.open_reader(planned.provider.quirks).feed(received)
    return _tokens(sum(len(event.text.encode()) for event in events if isinstance(event, _SPOKEN)))


def _tokens(size_bytes: int) -> int:
    return -int(-size_bytes // _BYTES_PER_TOKEN)
