"""Whole replies of OpenAI chat: read, write and summarise; streams have their own modules."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    ChatReply,
    Citation,
    ClientCall,
    SafetyResult,
    StreamFault,
    TokenLogprob,
)
from sternpost.contracts.message import (
    Json,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from sternpost.contracts.provider import Quirks
from sternpost.dialects.errors.failures import fault_from, fault_of_finish
from sternpost.dialects.json_text.fields import Fields, read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.inside import unknown_inside
from sternpost.dialects.losses.unshown import fields_beside
from sternpost.dialects.openai_chat.annotations import read_annotations, write_nested
from sternpost.dialects.openai_chat.logprobs import read_choice_logprobs, write_logprobs
from sternpost.dialects.openai_chat.media import read_audio, read_images, write_media
from sternpost.dialects.openai_chat.names import (
    CUT_SHORT,
    FINISH_READ,
    FINISH_WRITTEN,
    KNOWN_FIELDS,
    KNOWN_OF_CHOICE,
    KNOWN_OF_MESSAGE,
    TIERS,
)
from sternpost.dialects.openai_chat.parts import details_text, read_content, thinking_blocks
from sternpost.dialects.openai_chat.safety import read_prompt_results, read_results, write_safety
from sternpost.dialects.openai_chat.shapes import CALLS
from sternpost.dialects.openai_chat.usage import read_usage, write_usage
from sternpost.dialects.protocols import ReplySummary


class _Summary(msgspec.Struct):
    id: Any = None  # only a string is a name
    model: Any = None
    choices: msgspec.Raw = msgspec.Raw()
    usage: Any = None
    service_tier: Any = None
    error: Any = None


class _ChoiceNames(msgspec.Struct):
    finish_reason: str | None = None
    message: msgspec.Raw = msgspec.Raw()
    error: Any = None


_CHOICES = msgspec.json.Decoder(list[_ChoiceNames])
_SUMMARY = msgspec.json.Decoder(_Summary)


def summarise(body: bytes, quirks: Quirks) -> ReplySummary:
    """Read names and usage, skipping all else; a body that is no answer is an empty summary.

    Several choices are an answer as long as one of them is.
    """
    try:
        read = _SUMMARY.decode(body)
        choices = _CHOICES.decode(read.choices)
    except UNREADABLE:
        return ReplySummary()
    if read.error:
        return ReplySummary(fault=fault_from(read.error))
    finishes: list[str] = []
    faults: list[StreamFault] = []
    has_message = False
    for choice in choices:
        if choice.finish_reason:
            finishes.append(choice.finish_reason)
        if fault := fault_of_finish(choice.finish_reason or "", choice.error):
            faults.append(fault)
        has_message = has_message or bytes(memoryview(choice.message)[:1]) == b"{"
    if faults and len(faults) == len(choices):
        return ReplySummary(fault=faults[0], finish_reasons=tuple(finishes))
    if not has_message:
        return ReplySummary()
    return ReplySummary(
        usage=read_usage(read.usage, quirks, text_or_empty(read.service_tier)),
        model=text_or_empty(read.model),
        id=text_or_empty(read.id),
        finish_reasons=tuple(finishes),
    )


def read_reply(body: bytes, quirks: Quirks) -> ChatReply:
    """Raises: BadRequest when the body is no chat completion."""
    fields = read_object(body)
    if not fields.values.get("choices"):
        raise BadRequest("The provider's reply has no `choices`.", param="choices")
    usage = fields.child("usage")
    tier = fields.text("service_tier") or ""
    choices = list(fields.items("choices"))
    logprobs = tuple(read_choice_logprobs(choice.values.get("logprobs")) for choice in choices)
    return ChatReply(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=tuple(_read_choice(choice) for choice in choices),
        usage=read_usage(usage.values if usage else None, quirks, tier),
        created_s=int(fields.number("created") or 0),
        service_tier=tier,
        logprobs=logprobs if any(logprobs) else (),
        citations=tuple(citation for n, choice in enumerate(choices) for citation in _citations(choice, n)),
        safety=_read_safety(fields, choices),
        beside=tuple(_beside(fields, choices)),
    )


def _beside(fields: Fields, choices: list[Fields]) -> Iterator[str]:
    yield from fields_beside(fields.values, KNOWN_FIELDS)
    for choice in choices:
        yield from fields_beside(choice.values, KNOWN_OF_CHOICE)
        message = choice.need_child("message").values
        yield from fields_beside(message, KNOWN_OF_MESSAGE)
        yield from unknown_inside(message.get("tool_calls"), CALLS)


def _citations(choice: Fields, index: int) -> tuple[Citation, ...]:
    return read_annotations(choice.need_child("message").values.get("annotations"), choice=index)


def _read_safety(fields: Fields, choices: list[Fields]) -> tuple[SafetyResult, ...]:
    prompt = read_prompt_results(fields.values.get("prompt_filter_results"))
    answers = (read_results(choice.values.get("content_filter_results")) for choice in choices)
    return (*prompt, *(result for results in answers for result in results))


def _read_choice(choice: Fields) -> Message:
    message = choice.need_child("message")
    parts = tuple(read_assistant_parts(message))
    raw = choice.text("finish_reason") or ""
    reason = FINISH_READ.get(raw, "unknown") if raw else ""
    if reason == "end" and any(isinstance(part, ToolCallPart) for part in parts):
        reason = "tool"  # some hosts say `stop` after tool calls
    return Message("assistant", parts, finish_reason=reason)


def read_assistant_parts(message: Fields) -> Iterator[Part]:
    """Read thinking, refusal, content and tool calls of an assistant message, in the order of a turn."""
    blocks = list(thinking_blocks(message))
    yield from blocks
    thought = message.text("reasoning_content") or _text_or_none(message.values.get("reasoning"))
    thought = thought or details_text(message.values.get("reasoning_details"))
    if thought and not blocks:  # beside blocks the plain text is the same thinking, for display
        yield ReasoningPart(thought)
    yield from read_content(message)
    yield from read_audio(message)
    yield from read_images(message)
    if refusal := message.text("refusal"):
        yield RefusalPart(refusal)
    for call in message.items("tool_calls"):
        yield _read_call(call)
    if legacy := message.child("function_call"):
        name = legacy.need_text("name")
        yield ToolCallPart(name, legacy.text("arguments") or "", legacy_call_id(name))


def legacy_call_id(name: str) -> str:
    """Return the id that pairs a call and its result where the form before tools has none."""
    return f"call_{name}"


def _read_call(call: Fields) -> ToolCallPart:
    function = call.child("function")
    if function is None:  # custom tools carry free text
        custom = call.need_child("custom")
        return ToolCallPart(custom.need_text("name"), custom.text("input") or "", call.text("id"))
    arguments = function.values.get("arguments")
    if isinstance(arguments, dict):  # Ollama and others send the object itself
        return ToolCallPart(
            function.need_text("name"), msgspec.json.encode(arguments).decode(), call.text("id")
        )
    return ToolCallPart(function.need_text("name"), function.text("arguments") or "", call.text("id"))


def _text_or_none(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def write_reply(reply: ChatReply) -> bytes:
    body: dict[str, Json] = {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created_s,
        "model": reply.model,
        "choices": [_write_choice(index, message, reply) for index, message in enumerate(reply.choices)],
    }
    if reply.safety:
        body |= write_safety(reply.safety)[0]
    if reply.usage is not None:
        body["usage"] = write_usage(reply.usage)
    if tier := TIERS.get(reply.service_tier):
        body["service_tier"] = tier
    return msgspec.json.encode(body)


def _write_choice(index: int, message: Message, reply: ChatReply) -> Json:
    message = filled(message)
    written = write_assistant(message, has_thinking=True) | write_media(message, reply.id)
    cited = [citation for citation in reply.citations if citation.choice == index]
    if cited:
        written["annotations"] = write_nested(cited)
    choice: dict[str, Json] = {
        "index": index,
        "message": written,
        "logprobs": _logprobs(reply.logprobs[index] if index < len(reply.logprobs) else ()),
        "finish_reason": FINISH_WRITTEN.get(message.finish_reason or "", "stop"),
    }
    return choice | write_safety(reply.safety)[1] if reply.safety and index == 0 else choice


def _logprobs(tokens: tuple[TokenLogprob, ...]) -> Json:
    return {"content": write_logprobs(tokens), "refusal": None} if tokens else None


def write_assistant(message: Message, *, has_thinking: bool) -> dict[str, Json]:
    """Write one assistant message. has_thinking: with the extension fields for thinking."""
    texts = [part.content for part in message.parts if isinstance(part, TextPart)]
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    refusals = [part.content for part in message.parts if isinstance(part, RefusalPart)]
    written: dict[str, Json] = {"role": "assistant", "content": "".join(texts) if texts else None}
    if refusals:
        written["refusal"] = "".join(refusals)
    elif not texts and not calls:
        written["content"] = ""
    if has_thinking:
        written |= _write_thinking(message)
    if calls:
        written["tool_calls"] = [_write_call(call) for call in calls]
    return written


def filled(message: Message) -> Message:
    """Give calls of a reply that are without arguments `{}`: parsers can't read an empty text."""
    if message.finish_reason in CUT_SHORT:
        return message
    parts = tuple(
        replace(part, arguments="{}")
        if isinstance(part, ToolCallPart) and not part.arguments and not is_custom(part)
        else part
        for part in message.parts
    )
    return replace(message, parts=parts)


def is_custom(call: ToolCallPart) -> bool:
    """Whether the arguments of a call are a text, as the caller's custom tool takes it."""
    return isinstance(call, ClientCall) and call.tool.kind == "custom"


def _write_call(call: ToolCallPart) -> Json:
    if is_custom(call):
        custom: Json = {"name": call.name, "input": call.arguments}
        return {"id": call.id or "", "type": "custom", "custom": custom}
    return {
        "id": call.id or "",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _write_thinking(message: Message) -> dict[str, Json]:
    thoughts = [part for part in message.parts if isinstance(part, ReasoningPart)]
    written: dict[str, Json] = {}
    if text := "".join(part.content for part in thoughts):
        written["reasoning_content"] = text
    blocks: list[Json] = [_write_block(part) for part in thoughts if part.signature or part.encrypted_content]
    if blocks:
        written["thinking_blocks"] = blocks
    return written


def _write_block(part: ReasoningPart) -> Json:
    if part.encrypted_content:
        return {"type": "redacted_thinking", "data": part.encrypted_content}
    return {"type": "thinking", "thinking": part.content, "signature": part.signature}
