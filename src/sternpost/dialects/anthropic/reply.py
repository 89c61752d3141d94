"""Whole replies of Anthropic messages: read, write and summarise; streams have their own modules."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply, Citation
from sternpost.contracts.message import Json, Message, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from sternpost.contracts.usage import Usage
from sternpost.dialects.anthropic.citations import read_citations, write_citations
from sternpost.dialects.anthropic.names import STOP_READ, STOP_WRITTEN
from sternpost.dialects.anthropic.parts import read_blocks, write_part
from sternpost.dialects.anthropic.shapes import CONTENT
from sternpost.dialects.anthropic.usage import read_usage, write_usage
from sternpost.dialects.errors.failures import fault_from, fault_of_finish
from sternpost.dialects.json_text.fields import Fields, read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.inside import unknown_inside
from sternpost.dialects.losses.unshown import fields_beside
from sternpost.dialects.pairing.citing import share_out
from sternpost.dialects.protocols import ReplySummary

_KNOWN: Final = frozenset({"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"})
_SHOWN: Final = (ReasoningPart, RefusalPart, ToolCallPart)


class _Summary(msgspec.Struct):
    id: Any = None  # only a string is a name
    model: Any = None
    stop_reason: Any = None
    usage: Any = None
    type: Any = None
    content: msgspec.Raw = msgspec.Raw()
    error: Any = None


_SUMMARY = msgspec.json.Decoder(_Summary)


def summarise(body: bytes) -> ReplySummary:
    """Read names and usage, skipping all else; a body that is no answer is an empty summary."""
    try:
        read = _SUMMARY.decode(body)
    except UNREADABLE:
        return ReplySummary()
    stop = text_or_empty(read.stop_reason)
    fault = fault_from(read.error) if read.error or read.type == "error" else fault_of_finish(stop)
    if fault is not None or bytes(memoryview(read.content)[:1]) != b"[":
        return ReplySummary(fault=fault)
    return ReplySummary(
        usage=read_usage(read.usage),
        model=text_or_empty(read.model),
        id=text_or_empty(read.id),
        finish_reasons=(stop,) if stop else (),
    )


def read_reply(body: bytes) -> ChatReply:
    """Raises: BadRequest when the body is no message."""
    fields = read_object(body)
    if not isinstance(fields.values.get("content"), list):
        raise BadRequest("The provider's reply has no `content`.", param="content")
    stop = fields.text("stop_reason") or ""
    usage_fields = fields.child("usage")
    usage = read_usage(usage_fields.values if usage_fields else None)
    reason = STOP_READ.get(stop, "unknown") if stop else ""
    return ChatReply(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=(Message("assistant", tuple(read_blocks(fields)), finish_reason=reason),),
        citations=tuple(_read_citations(fields)),
        usage=usage,
        stop_sequence=fields.text("stop_sequence"),
        service_tier=usage.service_tier if usage else "",
        beside=(
            *fields_beside(fields.values, _KNOWN),
            *unknown_inside(fields.values.get("content"), CONTENT),
        ),
    )


def _read_citations(fields: Fields) -> Iterator[Citation]:
    """Read what each text block rests on; its place is the whole block."""
    start = 0
    for block in fields.items("content"):
        if block.values.get("type") != "text":
            continue
        end = start + len(block.need_text("text"))
        yield from read_citations(block.values.get("citations"), start=start, end=end)
        start = end


def _write_blocks(message: Message, citations: Sequence[Citation]) -> Iterator[Json]:
    """Write what a turn of this dialect can hold; sound and pictures of a model have no block."""
    texts = [part.content for part in message.parts if isinstance(part, TextPart)]
    shares = iter(share_out(texts, citations))
    for part in message.parts:
        if isinstance(part, TextPart):
            cited = next(shares)
            if part.content:
                yield {**write_part(part), "citations": write_citations(cited)} if cited else write_part(part)
        elif isinstance(part, _SHOWN):
            if isinstance(part, ReasoningPart) and part.content and part.encrypted_content:
                yield write_part(ReasoningPart(part.content))  # to read; what follows replays it
            yield write_part(part)


def write_reply(reply: ChatReply) -> bytes:
    """Write the first choice: the dialect knows one."""
    message = reply.choices[0] if reply.choices else Message("assistant", ())
    blocks = list(_write_blocks(message, [one for one in reply.citations if one.choice == 0]))
    stop = STOP_WRITTEN.get(message.finish_reason or "", "end_turn")
    if any(isinstance(part, RefusalPart) for part in message.parts):
        stop = "refusal"
    body: dict[str, Json] = {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": blocks,
        "stop_reason": stop,
        "stop_sequence": reply.stop_sequence,
        "usage": write_usage(reply.usage or Usage()),
    }
    return msgspec.json.encode(body)
