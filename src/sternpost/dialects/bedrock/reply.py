"""Whole replies of Bedrock: read and summarised; streams have their own modules."""

from collections.abc import Iterator, Mapping

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatReply, Citation, SafetyResult, StreamFault
from sternpost.contracts.message import (
    BlobPart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from sternpost.dialects.bedrock.events import summary_of
from sternpost.dialects.bedrock.names import MIME_BY_IMAGE_FORMAT, REPLY_TOOL, STOP_READ
from sternpost.dialects.errors.failures import fault_of_finish
from sternpost.dialects.json_text.fields import Fields, read_object, text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.unshown import fields_beside
from sternpost.dialects.protocols import ReplySummary

_KNOWN = frozenset(
    {
        "output",
        "stopReason",
        "usage",
        "metrics",
        "additionalModelResponseFields",
        "serviceTier",
        "performanceConfig",
    }
)
_BLOCKED = frozenset({"guardrail_intervened", "content_filtered"})


def summarise(body: bytes) -> ReplySummary:
    """Read usage and the stop reason; an unreadable body is an empty summary."""
    try:
        values: Json = msgspec.json.decode(body)
    except UNREADABLE:
        return ReplySummary()
    if not isinstance(values, dict):
        return ReplySummary()
    stop = text_or_empty(values.get("stopReason"))
    content = _object(_object(values.get("output")).get("message")).get("content")
    fault = fault_of_finish(stop) if content else empty_fault(stop)
    if fault is not None:
        return ReplySummary(fault=fault)
    return summary_of(values, stop)


def empty_fault(stop_reason: str) -> StreamFault | None:
    """Return the failure that a message without content stands for; None when it is an answer."""
    if STOP_READ.get(stop_reason) != "malformed_tool":
        return fault_of_finish(stop_reason)
    said = f"The provider ended its reply with {stop_reason!r}: the model produced nothing that can be shown."
    return StreamFault("server_error", said)


def read_reply(body: bytes) -> ChatReply:
    """Raises: BadRequest when the body is no message. Id and model stay empty: the dialect shows none."""
    fields = read_object(body)
    output = fields.child("output")
    message = output.child("message") if output is not None else None
    if message is None:
        raise BadRequest("The provider's reply has no `output.message`.", param="output")
    stop = fields.text("stopReason") or ""
    summary = summary_of(dict(fields.values), stop)
    parts = tuple(_read_blocks(message))
    reason = STOP_READ.get(stop, "unknown") if stop else ""
    is_reply = reason == "tool" and not any(isinstance(part, ToolCallPart) for part in parts)
    return ChatReply(
        id="",
        model=summary.model,
        choices=(Message("assistant", parts, finish_reason="end" if is_reply else reason),),
        usage=summary.usage,
        stop_sequence=stop_sequence_of(fields.values.get("additionalModelResponseFields")),
        service_tier=summary.usage.service_tier if summary.usage else "",
        citations=tuple(_read_citations(message)),
        safety=safety_of(stop),
        beside=tuple(fields_beside(fields.values, _KNOWN)),
    )


def _read_blocks(message: Fields) -> Iterator[Part]:
    for block in message.items("content"):
        if block.has("text"):
            if text := block.need_text("text"):
                yield TextPart(text)
        elif tool := block.child("toolUse"):
            is_by_provider = tool.text("type") == "server_tool_use"
            yield OtherPart({"type": "server_tool_use"}) if is_by_provider else _read_tool(tool)
        elif reasoning := block.child("reasoningContent"):
            yield from _read_reasoning(reasoning)
        elif cited := block.child("citationsContent"):
            yield TextPart("".join(piece.text("text") or "" for piece in cited.items("content")))
        elif image := block.child("image"):
            yield read_image(image.values) or OtherPart({"type": "image"})
        elif block.values:
            yield OtherPart({"type": next(iter(block.values))})


def _read_tool(tool: Fields) -> Part:
    """A call of the tool that stands for a reply in a form is that reply."""
    name = tool.need_text("name")
    arguments = msgspec.json.encode(tool.values.get("input") or {}).decode()
    return (
        TextPart(arguments)
        if name == REPLY_TOOL
        else ToolCallPart(name, arguments, tool.need_text("toolUseId"))
    )


def _read_reasoning(reasoning: Fields) -> Iterator[Part]:
    text = reasoning.child("reasoningText")
    if text is not None:
        yield ReasoningPart(text.text("text") or "", signature=text.text("signature"))
    elif sealed := reasoning.text("redactedContent"):
        yield ReasoningPart(encrypted_content=sealed)


def _read_citations(message: Fields) -> Iterator[Citation]:
    for block in message.items("content"):
        cited = block.child("citationsContent")
        for citation in cited.items("citations") if cited else ():
            yield read_citation(citation.values)


def read_citation(values: Mapping[str, Json]) -> Citation:
    """Read a citation of a reply or a stream; what is of another type is left out."""
    location = _object(values.get("location"))
    web = _object(location.get("web"))
    document = next(
        (
            str(place[key])
            for place in map(_object, location.values())
            for key in place
            if key.endswith("Index")
        ),
        "",
    )
    content = values.get("sourceContent")
    texts = (
        [text_or_empty(_object(piece).get("text")) for piece in content] if isinstance(content, list) else []
    )
    return Citation(
        title=text_or_empty(values.get("title")),
        url=text_or_empty(web.get("url")),
        cited_text="".join(texts),
        document=document,
    )


def read_image(values: Mapping[str, Json]) -> BlobPart | None:
    """Return a picture of the reply; None for one in a bucket or not made."""
    content = _object(values.get("source")).get("bytes")
    if not isinstance(content, str) or not content:
        return None
    return BlobPart(
        "image", content, MIME_BY_IMAGE_FORMAT.get(text_or_empty(values.get("format")), "image/png")
    )


def safety_of(stop_reason: str) -> tuple[SafetyResult, ...]:
    return (SafetyResult(stop_reason, is_blocked=True),) if stop_reason in _BLOCKED else ()


def stop_sequence_of(fields: Json) -> str | None:
    """Return the stop text that ended the reply, which the request asks for where the model has it."""
    found = _object(fields).get("stop_sequence")
    return found if isinstance(found, str) else None


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
