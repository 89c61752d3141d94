"""What a complete response of a provider means and what the caller reads of it; sends nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply, StreamStart
from sternpost.dialects.framing.assemble import read_whole_stream
from sternpost.dialects.framing.whole_stream import settled
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.losses.unshown import unshown
from sternpost.dialects.pairing.tool_names import Renamed, restore_reply
from sternpost.dialects.protocols import ReplySummary
from sternpost.gateway.stages.failures import from_fault, not_an_answer
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.state.traffic import PlannedTarget

_NO_SUMMARY: Final = ReplySummary()


@dataclass(frozen=True, slots=True)
class Reading:
    """`body` is in the provider's dialect, `shown` in the caller's."""

    body: bytes
    shown: bytes
    summary: ReplySummary


def read_whole(
    body: bytes,
    call: OpenCall,
    planned: PlannedTarget,
    renamed_tools: Renamed,
    unsaid: Callable[[], StreamStart],
) -> Reading:
    """Read an answer, whatever its framing; a caller of the same dialect gets the bytes of one that is whole.

    unsaid: what some dialects leave out. Raises: AttemptFailed for what is no answer.
    """
    codec, provider = planned.codec, planned.provider
    is_same = codec is call.codec
    summary, readable = codec.summarise(body, provider.quirks), body
    is_empty = summary.usage is None and summary == _NO_SUMMARY
    if is_empty:
        readable = without_halves(body)
        summary = summary if readable == body else codec.summarise(readable, provider.quirks)
        is_empty = summary == _NO_SUMMARY
    if summary.fault is not None:
        raise from_fault(summary.fault, provider, is_same_dialect=is_same)
    if is_same and not is_empty:
        return Reading(readable, body, summary)
    try:
        reply = codec.read_reply(readable, provider.quirks)
    except BadRequest as error:
        streamed = read_whole_stream(codec, readable, provider.quirks)
        if streamed is None:
            raise not_an_answer(body, provider, error.message, is_same_dialect=is_same) from error
        if not isinstance(streamed, tuple):
            raise from_fault(streamed, provider, is_same_dialect=is_same) from error
        reply, summary = streamed
    else:
        if is_same:
            return Reading(readable, body, summary)
    reply = settled(restore_reply(reply, renamed_tools))
    call.warnings += unshown(reply, call.codec.name)
    return Reading(readable, call.codec.write_reply(_named(reply, unsaid(), call), call.head), summary)


def _named(reply: ChatReply, unsaid: StreamStart, call: OpenCall) -> ChatReply:
    """Say what some dialects leave out: the reply's id, its model, when it was begun and whole."""
    return replace(
        reply,
        id=reply.id or unsaid.id,
        model=reply.model or unsaid.model,
        created_s=reply.created_s or unsaid.created_s,
        completed_s=call.services.clock.now_ns() // 1_000_000_000,
    )
