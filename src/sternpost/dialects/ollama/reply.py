"""Replies of Ollama's chat: a whole one, or one line of a stream, in the same shape."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply, FinishReason, TokenLogprob
from sternpost.contracts.message import Json, Message, Part, ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.usage import Usage
from sternpost.dialects.json_text.fields import read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.unshown import fields_beside
from sternpost.dialects.protocols import ReplySummary

_KNOWN: Final = frozenset(
    {
        *(
            "message",
            "model",
            "created_at",
            "done",
            "done_reason",
            "prompt_eval_count",
            "eval_count",
            "logprobs",
        ),
        *("total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "error"),
    }
)
_KNOWN_OF_MESSAGE: Final = frozenset({"role", "content", "thinking", "tool_calls", "tool_name"})
_NO_ARGUMENTS: Final = ("", "null")
FINISH_READ: Final[Mapping[str, FinishReason]] = {"stop": "end", "length": "length"}


class WireFunction(msgspec.Struct):
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw()


class WireCall(msgspec.Struct):
    id: str | None = None
    function: WireFunction = msgspec.field(default_factory=WireFunction)


class WireMessage(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[WireCall] | None = None
    images: Any = None


class WireReply(msgspec.Struct):
    message: WireMessage | None = None
    model: Any = None
    created_at: Any = None
    done: bool = False
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    logprobs: Any = None
    error: Any = None


DECODER: Final = msgspec.json.Decoder(WireReply)


def read_reply(body: bytes) -> ChatReply:
    """Raises: BadRequest when the body is no reply."""
    reply = _decode(body)
    if reply is None or reply.message is None:
        raise BadRequest("The provider's reply has no `message`.", param="message")
    calls = list(read_calls(reply, first=0))
    parts: list[Part] = []
    if reply.message.thinking:
        parts.append(ReasoningPart(reply.message.thinking))
    if reply.message.content:
        parts.append(TextPart(reply.message.content))
    reason = finish_of(reply, has_calls=bool(calls)) if reply.done else ""
    logprobs = tuple(read_logprobs(reply.logprobs))
    return ChatReply(
        id="",
        model=text_or_empty(reply.model),
        choices=(Message("assistant", (*parts, *calls), finish_reason=reason),),
        usage=read_usage(reply),
        created_s=created_s(reply),
        logprobs=(logprobs,) if logprobs else (),
        beside=tuple(_beside(body)),
    )


def _beside(body: bytes) -> Iterator[str]:
    fields = read_object(body)
    message = fields.child("message")
    yield from fields_beside(fields.values, _KNOWN)
    yield from fields_beside(message.values if message else {}, _KNOWN_OF_MESSAGE)


def summarise(body: bytes) -> ReplySummary:
    """Read names and usage; an unreadable body is an empty summary."""
    reply = _decode(body)
    if reply is None:
        return ReplySummary()
    finish = text_or_empty(reply.done_reason)
    return ReplySummary(
        usage=read_usage(reply),
        model=text_or_empty(reply.model),
        finish_reasons=(finish,) if finish else (),
    )


def _decode(body: bytes) -> WireReply | None:
    try:
        return DECODER.decode(body)
    except UNREADABLE:
        return None


def read_usage(reply: WireReply) -> Usage | None:
    """Read the counts of the last line. Thinking is within `eval_count`, and not told apart."""
    asked, said = _count(reply.prompt_eval_count), _count(reply.eval_count)
    if asked is None and said is None:
        return None
    return Usage(in_fresh=asked or 0, out_text=said or 0)


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def finish_of(reply: WireReply, *, has_calls: bool) -> FinishReason:
    reason: FinishReason = FINISH_READ.get(text_or_empty(reply.done_reason), "unknown")
    return "tool" if reason == "end" and has_calls else reason


def read_calls(reply: WireReply, *, first: int) -> Iterator[ToolCallPart]:
    """Read tool calls, which come whole. first: the order of the first; ids are made where there are none."""
    calls = reply.message.tool_calls if reply.message else None
    for order, call in enumerate(calls or (), start=first):
        digest = hashlib.sha256(f"{text_or_empty(reply.created_at)}-{order}".encode()).hexdigest()[:16]
        arguments = bytes(call.function.arguments).decode("utf-8", "replace")
        arguments = "{}" if arguments in _NO_ARGUMENTS else arguments
        yield ToolCallPart(call.function.name, arguments, call.id or f"call_{digest}")


def read_logprobs(values: Json) -> Iterator[TokenLogprob]:
    for item in values if isinstance(values, list) else ():
        token = item.get("token") if isinstance(item, Mapping) else None
        number = item.get("logprob") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(token, str) and isinstance(number, int | float):
            yield TokenLogprob(token, float(number), tuple(read_logprobs(item.get("top_logprobs"))))


def created_s(reply: WireReply) -> int:
    try:
        return int(datetime.fromisoformat(text_or_empty(reply.created_at)).timestamp())
    except ValueError:
        return 0
