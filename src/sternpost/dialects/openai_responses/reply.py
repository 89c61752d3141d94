"""Whole replies of the Responses API: read, write and summarise; streams have their own modules."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply
from sternpost.contracts.message import Json, Message, ToolCallPart
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.errors.failures import fault_from, scrub
from sternpost.dialects.json_text.fields import Fields, read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE, is_null
from sternpost.dialects.losses.inside import unknown_inside
from sternpost.dialects.openai_chat.names import TIERS
from sternpost.dialects.openai_chat.reply import filled
from sternpost.dialects.openai_responses.items import (
    citations_of,
    logprobs_of,
    read_output_item,
    write_output,
)
from sternpost.dialects.openai_responses.names import INCOMPLETE_WRITTEN, finish_read, is_billed
from sternpost.dialects.openai_responses.shapes import OUTPUT
from sternpost.dialects.openai_responses.usage import read_usage, write_usage
from sternpost.dialects.protocols import ReplySummary, RequestHead

_NOTHING_ASKED: Final[Mapping[str, Any]] = {}
REPEATED: Final = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "max_tool_calls",
    "max_output_tokens",
    "parallel_tool_calls",
    "truncation",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "metadata",
)
_UNFINISHED = ("queued", "in_progress")
_FAILED: Final = frozenset({"failed", "cancelled"})
_NOTHING: Final = frozenset({b"", b"[]", b"null"})
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


def is_failed(head: ResponseHead) -> bool:
    """Whether a response is none: it failed, was cancelled, or has an error and nothing to show."""
    if text_or_empty(head.status) in _FAILED:
        return True
    return bool(head.error) and bytes(head.output) in _NOTHING


def summarise(body: bytes, quirks: Quirks) -> ReplySummary:
    """Read names and usage; empty for an unreadable body."""
    head = read_response_head(body)
    if head is None:
        return ReplySummary()
    if is_failed(head):
        told = head.error or {"message": f"The provider's response is {text_or_empty(head.status)}."}
        known = ReplySummary() if text_or_empty(head.status) == "failed" else summary_of(head, quirks)
        return replace(known, fault=fault_from(told))
    return summary_of(head, quirks)


def read_reply(body: bytes, quirks: Quirks) -> ChatReply:
    """Raises: BadRequest when the body is no response, or one that failed."""
    fields = read_object(body)
    if not isinstance(fields.values.get("output"), list):
        raise BadRequest("The provider's reply has no `output`.", param="output")
    status = fields.text("status") or "completed"
    if status in _FAILED:
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
        beside=unknown_inside(fields.values.get("output"), OUTPUT),
    )


def _failure(fields: Fields) -> str:
    error = fields.child("error")
    words = (error.text("message") if error else None) or "it names no reason"
    return f"The provider's response failed: {scrub(words)}"


def asked_of(head: RequestHead | None) -> Mapping[str, Any]:
    """Return what of a request its response repeats, as the caller wrote it."""
    if head is None:
        return _NOTHING_ASKED
    return {name: raw for name in REPEATED if not is_null(raw := head.fields.get(name))}


def write_reply(reply: ChatReply, asked: Mapping[str, Any] = _NOTHING_ASKED) -> bytes:
    """Write the first choice: the dialect knows one. asked: from `asked_of`."""
    message = filled(reply.choices[0]) if reply.choices else Message("assistant", ())
    return msgspec.json.encode(
        write_response(
            reply.id,
            reply.model,
            finish=message.finish_reason or "end",
            output=write_output(
                message.parts,
                reply.id,
                [citation for citation in reply.citations if citation.choice == 0],
                reply.logprobs[0] if reply.logprobs else (),
            ),
            usage=reply.usage,
            times=(reply.created_s, reply.completed_s),
            base={**asked, **tier_of(reply.service_tier)},
        )
    )


def write_response(
    reply_id: str,
    model: str,
    *,
    finish: str,
    output: Sequence[Json],
    usage: Usage | None,
    times: tuple[int, int],
    base: Mapping[str, Any],
) -> dict[str, Json]:
    """Write a response object that is over. finish: a FinishReason; times: when it was begun and whole.

    base: what `asked_of` returns, and the tier.
    """
    reason = INCOMPLETE_WRITTEN.get(finish)
    created_s, completed_s = times
    is_failed = finish in FAILED_FINISHES
    is_completed = not reason and not is_failed
    ended: dict[str, Json] = {
        "status": "incomplete" if reason else "failed" if is_failed else "completed",
        "completed_at": (completed_s or created_s) if is_completed else None,
        "error": _MALFORMED_CALL if is_failed else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": None if usage is None else write_usage(usage),
    }
    return open_response(reply_id, model, created_s=created_s, base=base) | ended


def tier_of(service_tier: str) -> Mapping[str, Any]:
    """Return the tier as this dialect names it; nothing for one it does not know."""
    tier = TIERS.get(service_tier)
    return {"service_tier": tier} if tier else _NOTHING_ASKED


def open_response(
    reply_id: str, model: str, *, created_s: int, base: Mapping[str, Any] = _NOTHING_ASKED
) -> dict[str, Json]:
    """Write a response object that is in progress; SDKs and OpenAI's schema demand every field of it.

    base: what of it is known, as `asked_of` returns it. What was left to the provider has OpenAI's default.
    """
    response: dict[str, Json] = {
        "id": reply_id,
        "object": "response",
        "created_at": created_s,
        "completed_at": None,
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
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "max_tool_calls": None,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "safety_identifier": None,
        "prompt_cache_key": None,
        "metadata": {},
    }
    return {**response, **base} if base else response
