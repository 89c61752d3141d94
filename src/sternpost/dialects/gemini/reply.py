"""Whole Gemini answers: read and summarised; streams have their own module."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply, Citation, FinishReason, StreamFault
from sternpost.contracts.message import Json, Message, Part, ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.usage import Usage
from sternpost.dialects.errors.failures import fault_from, scrub
from sternpost.dialects.gemini.metadata import (
    count_searches,
    is_prompt_blocked,
    read_citations,
    read_logprobs,
    read_safety,
)
from sternpost.dialects.gemini.names import FAILED, FINISH_READ
from sternpost.dialects.gemini.parts import CallIds, read_part
from sternpost.dialects.gemini.signatures import unseal
from sternpost.dialects.gemini.usage import read_usage
from sternpost.dialects.gemini.wire import WireAnswer, WireCandidate, decode_answer, read_counts
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import ReplySummary


def seed_of(answer: WireAnswer, body: bytes) -> str:
    """Return what the ids of this answer's calls are made from."""
    return text_or_empty(answer.response_id) or hashlib.sha256(body).hexdigest()


def finish_of(raw: str, *, has_calls: bool) -> FinishReason:
    """Return why a candidate ended: the API says STOP after calls, too."""
    reason = FINISH_READ.get(raw, "unknown")
    return "tool" if has_calls and reason == "end" else reason


def read_parts(candidate: WireCandidate, ids: CallIds, choice: int) -> Iterator[Part]:
    for part in candidate.content.parts or () if candidate.content else ():
        yield from read_part(part, ids, choice)


def plain_text_of(candidate: WireCandidate) -> str:
    """Return the text of a candidate that holds one plain text; "" for any other."""
    parts = candidate.content.parts if candidate.content else None
    if not parts or len(parts) != 1:
        return ""
    part = parts[0]
    is_plain = not part.thought and part.thought_signature is None and part.function_call is None
    return part.text or "" if is_plain else ""


def choice_of(candidate: WireCandidate) -> int:
    return candidate.index or 0


def signatures_of(parts: Iterable[Part]) -> dict[str, str]:
    """Return tool-call id -> its sealed signature, for callers who lose it on the way back."""
    calls = {part.id for part in parts if isinstance(part, ToolCallPart)}
    found: dict[str, str] = {}
    for part in parts:
        signed = unseal(part.signature) if isinstance(part, ReasoningPart) else None
        if signed is not None and signed.place in calls and isinstance(part, ReasoningPart):
            found[signed.place] = part.signature or ""
    return found


def fault_of(answer: WireAnswer) -> StreamFault | None:
    """Return what failed: the error of an answer, or why no candidate of it holds anything."""
    if answer.error is not None:
        return fault_from(answer.error)
    candidates = answer.candidates or []
    faults = [
        empty_fault(one.finish_reason or "", one.finish_message) for one in candidates if not _parts(one)
    ]
    return faults[0] if faults and len(faults) == len(candidates) else None


def empty_fault(reason: str, message: Json) -> StreamFault | None:
    """Return the failure that a candidate without content stands for; None when it is an answer."""
    if reason not in FAILED:
        return None
    said = scrub(text_or_empty(message)) or "the model produced nothing that can be shown"
    return StreamFault("server_error", f"The provider ended its reply with {reason}: {said}")


def _parts(candidate: WireCandidate) -> bool:
    return bool(candidate.content and candidate.content.parts)


def summarise(body: bytes) -> ReplySummary:
    """Read names, usage and the signatures of calls; an unreadable body is an empty summary."""
    try:
        answer = decode_answer(body)
    except UNREADABLE:
        return ReplySummary()
    if (fault := fault_of(answer)) is not None:
        return ReplySummary(fault=fault)
    candidates = answer.candidates or []
    ids = CallIds(seed_of(answer, body))
    parts = [part for one in candidates for part in read_parts(one, ids, choice_of(one))]
    return ReplySummary(
        usage=_usage(answer),
        model=text_or_empty(answer.model_version),
        id=text_or_empty(answer.response_id),
        finish_reasons=tuple(one.finish_reason for one in candidates if one.finish_reason),
        signatures=signatures_of(parts),
    )


def _usage(answer: WireAnswer) -> Usage | None:
    model = text_or_empty(answer.model_version)
    searches = sum(count_searches(one, model) for one in answer.candidates or ())
    return read_usage(read_counts(answer.usage_metadata), searches=searches)


def read_reply(body: bytes) -> ChatReply:
    """Read an answer; a refused prompt is one without words.

    Raises: BadRequest when the body is no answer of this dialect.
    """
    try:
        answer = decode_answer(body)
    except UNREADABLE as error:
        raise BadRequest("The provider's reply does not match its API.") from error
    if answer.error is not None:
        raise BadRequest(f"The provider's reply failed: {fault_from(answer.error).message}", param="error")
    if not answer.candidates and not is_prompt_blocked(answer):
        raise BadRequest("The provider's reply has no `candidates`.", param="candidates")
    ids = CallIds(seed_of(answer, body))
    candidates = sorted(answer.candidates or (), key=choice_of)
    messages = tuple(_message(one, ids) for one in candidates)
    usage = _usage(answer)
    return ChatReply(
        id=text_or_empty(answer.response_id),
        model=text_or_empty(answer.model_version),
        choices=messages or (Message("assistant", (), finish_reason="filtered"),),
        usage=usage,
        service_tier=usage.service_tier if usage else "",
        logprobs=tuple(read_logprobs(one.logprobs_result) for one in candidates)
        if any(one.logprobs_result for one in candidates)
        else (),
        citations=tuple(_citations(candidates, messages)),
        safety=read_safety(answer),
        beside=tuple(beside(candidates)),
    )


def beside(candidates: Iterable[WireCandidate]) -> Iterator[str]:
    """Name what stands beside the content and no other dialect has: Google wants the entry point shown."""
    for candidate in candidates:
        grounding = candidate.grounding_metadata
        if isinstance(grounding, dict) and "searchEntryPoint" in grounding:
            yield "searchEntryPoint"
        if candidate.url_context_metadata:
            yield "urlContextMetadata"


def _citations(candidates: list[WireCandidate], messages: Iterable[Message]) -> Iterator[Citation]:
    for candidate, message in zip(candidates, messages, strict=True):
        text = "".join(part.content for part in message.parts if isinstance(part, TextPart))
        yield from read_citations(candidate, text, choice_of(candidate))


def _message(candidate: WireCandidate, ids: CallIds) -> Message:
    parts = _joined(read_parts(candidate, ids, choice_of(candidate)))
    has_calls = any(isinstance(part, ToolCallPart) for part in parts)
    reason = finish_of(candidate.finish_reason, has_calls=has_calls) if candidate.finish_reason else ""
    return Message("assistant", parts, finish_reason=reason)


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Join texts and thoughts that follow each other, as the same answer reads when it is streamed."""
    joined: list[Part] = []
    for part in parts:
        match joined[-1] if joined else None, part:
            case TextPart(before), TextPart(text):
                joined[-1] = TextPart(before + text)
            case ReasoningPart(before, None), ReasoningPart(text, signature):
                joined[-1] = replace(part, content=before + text, signature=signature)
            case _:
                joined.append(part)
    return tuple(joined)
