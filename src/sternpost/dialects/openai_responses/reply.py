"""Whole replies of the Responses API: read, write and summarise; streams have their own modules."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply
from sternpost.contracts.message import Json, Message, ToolCallPart
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.failures import scrub
from sternpost.dialects.json_fields import Fields, read_object, text_or_empty
from sternpost.dialects.openai_chat.names import TIERS
from sternpost.dialects.openai_chat.reply import filled
from sternpost.dialects.openai_responses.items import (
    citations_of,
    logprobs_of,
    read_output_item,
    write_output,
)
from sternpost.dialects.openai_responses.names import INCOMPLETE_WRITTEN, finish_read, is_billed
from sternpost.dialects.openai_responses.usage import read_usage, write_usage
from sternpost.dialects.protocols import ReplySummary
from sternpost.dialects.raw_object import UNREADABLE

_UNFINISHED = ("queued", "in_progress")
FAILED_FINISHES: Final = frozenset({"malformed_tool"})
_MALFORMED_CALL: Final[Json] = {
    "code": "server_error",
    "message": "The model wrote a tool call that can't be read.",
}


class _ItemType(msgspec.Struct):
    type: str = ""
    action: Any = None


class ResponseHead(msgspec.Struct):
    """What is read of a response object without building it; a field of another type counts as absent."""

    id: Any = None
    model: Any = None
    status: Any = None
    created_at: Any = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None
    incomplete_details: Any = None
    output: msgspec.Raw = msgspec.Raw()


_HEAD = msgspec.json.Decoder(ResponseHead)
_ITEM_TYPES = msgspec.json.Decoder(list[_ItemType])


def read_response_head(body: bytes | msgspec.Raw) -> ResponseHead | None:
    """Return None for what is no JSON object."""
    try:
        return _HEAD.decode(body)
    except UNREADABLE:
        return None


def item_types(output: msgspec.Raw) -> list[str]:
    try:
        return [item.type for item in _ITEM_TYPES.decode(output) if is_billed(item.type, _kind(item.action))]
    except UNREADABLE:
        return []


def _kind(action: object) -> str:
    return text_or_empty(action.get("type")) if isinstance(action, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - JSON


def incomplete_reason(head: ResponseHead) -> str:
    details: object = head.incomplete_details
    return text_or_empty(details.get("reason")) if isinstance(details, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - JSON


def summary_of(head: ResponseHead, quirks: Quirks) -> ReplySummary:
    """Read names and usage; a status that ends nothing is no finish reason."""
    status = text_or_empty(head.status)
    finish = incomplete_reason(head) or status
    return ReplySummary(
        usage=read_usage(
            head.usage, quirks, text_or_empty(head.service_tier), item_types=item_types(head.output)
        ),
        model=text_or_empty(head.model),
        id=text_or_empty(head.id),
        finish_reasons=(finish,) if finish and finish not in _UNFINISHED else (),
        is_unfinished=status in _UNFINISHED,
    )


def summarise(body: bytes, quirks: Quirks) -> ReplySummary:
    """Read names and usage; empty for an unreadable body, and for a failure, which is no answer."""
    head = read_response_head(body)
    if head is None or text_or_empty(head.status) == "failed":
        return ReplySummary()
    return summary_of(head, quirks)


def read_reply(body: bytes, quirks: Quirks) -> ChatReply:
    """Raises: BadRequest when the body is no response, or one that failed."""
    fields = read_object(body)
    if not isinstance(fields.values.get("output"), list):
        raise BadRequest("The provider's reply has no `output`.", param="output")
    status = fields.text("status") or "completed"
    if status == "failed":
        raise BadRequest(_failure(fields), param="status")
    items = list(fields.items("output"))
    parts = tuple(part for item in items for part in read_output_item(item))
    has_calls = any(isinstance(part, ToolCallPart) for part in parts)
    details = fields.child("incomplete_details")
    reason = (details.text("reason") if details else None) or ""
    finish = "" if status in _UNFINISHED else finish_read(status, reason, has_calls=has_calls)
    tier = fields.text("service_tier") or ""
    types = [
        item.text("type") or ""
        for item in items
        if is_billed(item.text("type") or "", _kind(item.values.get("action")))
    ]
    usage = read_usage(fields.values.get("usage"), quirks, tier, item_types=types)
    return ChatReply(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=(Message("assistant", parts, finish_reason=finish),),
        usage=usage,
        created_s=int(fields.number("created_at") or 0),
        service_tier=tier,
        logprobs=(tokens,) if (tokens := logprobs_of(items)) else (),
        citations=tuple(citations_of(items)),
    )


def _failure(fields: Fields) -> str:
    error = fields.child("error")
    words = (error.text("message") if error else None) or "it names no reason"
    return f"The provider's response failed: {scrub(words)}"


def write_reply(reply: ChatReply) -> bytes:
    """Write the first choice: the dialect knows one."""
    message = filled(reply.choices[0]) if reply.choices else Message("assistant", ())
    return msgspec.json.encode(
        write_response(
            reply.id,
            reply.model,
            created_s=reply.created_s,
            finish=message.finish_reason or "end",
            output=write_output(
                message.parts,
                reply.id,
                [citation for citation in reply.citations if citation.choice == 0],
                reply.logprobs[0] if reply.logprobs else (),
            ),
            usage=reply.usage,
            service_tier=reply.service_tier,
        )
    )


def write_response(
    reply_id: str,
    model: str,
    *,
    created_s: int,
    finish: str,
    output: Sequence[Json],
    usage: Usage | None,
    service_tier: str = "",
) -> dict[str, Json]:
    """Write a response object that is over. finish: a FinishReason."""
    reason = INCOMPLETE_WRITTEN.get(finish)
    base = open_response(reply_id, model, created_s=created_s, service_tier=service_tier)
    is_failed = finish in FAILED_FINISHES
    ended: dict[str, Json] = {
        "status": "incomplete" if reason else "failed" if is_failed else "completed",
        "error": _MALFORMED_CALL if is_failed else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": None if usage is None else write_usage(usage),
    }
    return base | ended


def open_response(reply_id: str, model: str, *, created_s: int, service_tier: str = "") -> dict[str, Json]:
    """Write a response object that is in progress; SDKs demand every field of it."""
    response: dict[str, Json] = {
        "id": reply_id,
        "object": "response",
        "created_at": created_s,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,  # nothing is kept anywhere for a later call to go on from
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }
    if tier := TIERS.get(service_tier):
        response["service_tier"] = tier
    return response
