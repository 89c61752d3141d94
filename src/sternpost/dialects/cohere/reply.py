"""Whole replies of Cohere's chat: read and summarise; streams have their own module."""

from collections.abc import Iterator
from typing import Any

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply, Citation, StreamFault, TokenLogprob
from sternpost.contracts.message import Json, Message, OtherPart, Part, ReasoningPart, TextPart, ToolCallPart
from sternpost.dialects.cohere.citations import read_citation
from sternpost.dialects.cohere.names import FAILED, FINISH_READ
from sternpost.dialects.cohere.usage import read_usage
from sternpost.dialects.json_text.fields import Fields, read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.unshown import fields_beside
from sternpost.dialects.protocols import ReplySummary


class _Summary(msgspec.Struct):
    id: Any = None
    model: Any = None  # none today; one that appears is the better name
    finish_reason: Any = None
    usage: Any = None


_KNOWN = frozenset({"id", "model", "message", "finish_reason", "usage", "logprobs"})
_KNOWN_OF_MESSAGE = frozenset({"role", "content", "tool_plan", "tool_calls", "citations"})
TEXTS = ("text", "thinking")
_SUMMARY = msgspec.json.Decoder(_Summary)


def summarise(body: bytes) -> ReplySummary:
    """Read names and usage, skipping all else; an unreadable body is an empty summary."""
    try:
        read = _SUMMARY.decode(body)
    except UNREADABLE:
        return ReplySummary()
    finish = text_or_empty(read.finish_reason)
    if finish in FAILED:
        said = f"The provider ended its reply with {finish}."
        return ReplySummary(fault=StreamFault("server_error", said, status=FAILED[finish]))
    return ReplySummary(
        usage=read_usage(read.usage),
        model=text_or_empty(read.model),
        id=text_or_empty(read.id),
        finish_reasons=(finish,) if finish else (),
    )


def read_reply(body: bytes) -> ChatReply:
    """Raises: BadRequest when the body is no reply, or one that ended in an error of Cohere's."""
    fields = read_object(body)
    message = fields.child("message")
    finish = fields.text("finish_reason") or ""
    if message is None:
        raise BadRequest("The provider's reply has no `message`.", param="message")
    if finish in FAILED:
        raise BadRequest(f"The provider ended its reply with {finish}.", param="finish_reason")
    parts = tuple(_read_parts(message))
    return ChatReply(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=(
            Message("assistant", parts, finish_reason=FINISH_READ.get(finish, "unknown") if finish else ""),
        ),
        usage=read_usage(fields.values.get("usage")),
        logprobs=_read_logprobs(fields),
        citations=tuple(_read_citations(message)),
        beside=(*fields_beside(fields.values, _KNOWN), *fields_beside(message.values, _KNOWN_OF_MESSAGE)),
    )


def _read_parts(message: Fields) -> Iterator[Part]:
    """Read thinking, then the plan, which is what the model says before it calls tools, text and calls."""
    blocks = list(_blocks(message))
    yield from (ReasoningPart(text) for kind, text in blocks if kind == "thinking" and text)
    if plan := message.text("tool_plan"):
        yield TextPart(plan)
    yield from (TextPart(text) for kind, text in blocks if kind == "text" and text)
    yield from (OtherPart({"type": kind}) for kind, _ in blocks if kind not in TEXTS)
    for call in message.items("tool_calls"):
        function = call.need_child("function")
        yield ToolCallPart(function.need_text("name"), function.text("arguments") or "", call.text("id"))


def _blocks(message: Fields) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each block of `content`."""
    content = message.values.get("content")
    if isinstance(content, str):
        yield "text", content
        return
    for block in message.items("content"):
        kind = block.text("type") or "text"
        yield kind, (block.text(kind) or "") if kind in TEXTS else ""


def _read_citations(message: Fields) -> Iterator[Citation]:
    starts: list[int] = []
    place = len(message.text("tool_plan") or "")
    for kind, text in _blocks(message):
        starts.append(place)
        place += len(text) if kind == "text" else 0
    first = next((s for s, (kind, _) in zip(starts, _blocks(message), strict=True) if kind == "text"), 0)
    for citation in message.items("citations"):
        index = citation.values.get("content_index")
        is_known = isinstance(index, int) and 0 <= index < len(starts)
        offset = starts[index] if isinstance(index, int) and is_known else first
        yield from read_citation(citation.values, offset=offset)


def _read_logprobs(fields: Fields) -> tuple[tuple[TokenLogprob, ...], ...]:
    tokens = [token for item in fields.items("logprobs") for token in read_logprob(item.values)]
    return (tuple(tokens),) if tokens else ()


def read_logprob(item: Json) -> Iterator[TokenLogprob]:
    """Read one piece of text with its log-probability: the sum, where several tokens make the piece."""
    values = item if isinstance(item, dict) else {}
    text, numbers = values.get("text"), values.get("logprobs")
    if isinstance(text, str) and isinstance(numbers, list):
        total = sum(float(n) for n in numbers if isinstance(n, int | float))
        yield TokenLogprob(text, total, token_bytes=text.encode())
