"""Finds what went into a span and what came out, in whichever attributes or events hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sternpost.contracts.message import (
    DocumentPart,
    Json,
    Message,
    Role,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
)
from sternpost.contracts.span import SpanType
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.messages import (
    read_documents,
    read_message,
    read_messages,
    read_tool_call,
)
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.values import as_json, as_text, is_list, is_mapping
from sternpost.ingest.records import RawEvent

_EVENT_ROLES: Mapping[str, Role] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE_EVENT = "gen_ai.choice"
# Older OpenTelemetry: one event holds the whole prompt or completion; `inference` holds both.
_WHOLE_EVENTS = frozenset({"gen_ai.content.prompt", "gen_ai.content.completion"})
_DETAILS_EVENT = "gen_ai.client.inference.operation.details"
_NOTHING: Mapping[str, Json] = {}
MESSAGE_EVENTS = frozenset({*_EVENT_ROLES, _CHOICE_EVENT, *_WHOLE_EVENTS, _DETAILS_EVENT})


@dataclass(frozen=True, slots=True)
class Conversation:
    inputs: tuple[Message, ...]
    outputs: tuple[Message, ...]
    tools: Sequence[Json] = ()


def read_conversation(kind: SpanType, attributes: Attributes, events: Sequence[RawEvent]) -> Conversation:
    """Read both sides of a span, the first form that is there."""
    if kind == SpanType.TOOL and (tool := _tool_conversation(attributes)):
        return tool
    if kind in (SpanType.RETRIEVER, SpanType.RERANKER):
        return _retrieval(attributes)
    details = _details(events)
    system = read_messages(attributes.value("system_messages"), "system")
    inputs = (
        read_messages(attributes.listed("input_messages"), "user")
        or read_messages(details.get("gen_ai.input.messages"), "user")
        or _from_events(events, is_output=False)
        or read_messages(attributes.value("input_messages"), "user")
    )
    outputs = (
        read_messages(attributes.listed("output_messages"), "assistant")
        or read_messages(details.get("gen_ai.output.messages"), "assistant")
        or _from_events(events, is_output=True)
        or read_messages(attributes.value("output_messages"), "assistant")
        or _from_pieces(attributes)
    )
    return Conversation((*system, *inputs), tuple(_with_our_reason(m) for m in outputs), _tools(attributes))


def our_finish_reason(word: str) -> str:
    return TABLE.finish_reasons.get(word, word)


def _with_our_reason(message: Message) -> Message:
    if not message.finish_reason:
        return message
    return replace(message, finish_reason=our_finish_reason(message.finish_reason))


def _tools(attributes: Attributes) -> Sequence[Json]:
    listed = attributes.listed("tools")
    if listed:
        return listed
    found = attributes.json("tools")
    return [as_json(tool) for tool in found] if is_list(found) else []


def _tool_conversation(attributes: Attributes) -> Conversation | None:
    arguments, result = attributes.value("tool_arguments"), attributes.value("tool_result")
    if arguments is None:
        arguments = attributes.value("input_messages")
    if result is None:
        result = attributes.value("output_messages")
    name, call_id = attributes.text("tool_name"), attributes.text("tool_call_id") or None
    if not name and arguments is None and result is None:
        return None
    call = Message("assistant", (ToolCallPart(name, as_text(arguments), call_id),))
    answers = () if result is None else (Message("tool", (ToolResponsePart(as_json(result), call_id),)),)
    return Conversation((call,), answers)


def _retrieval(attributes: Attributes) -> Conversation:
    query = attributes.value("query_text")
    inputs = read_messages(query if query is not None else attributes.value("input_messages"), "user")
    listed = attributes.listed("documents")
    found = listed or attributes.json("documents")
    documents: tuple[DocumentPart, ...] = read_documents(found) if is_list(found) else ()
    if documents:
        return Conversation(inputs, (Message("tool", documents),))
    return Conversation(inputs, read_messages(attributes.value("output_messages"), "tool"))


def _from_events(events: Sequence[RawEvent], *, is_output: bool) -> tuple[Message, ...]:
    """Rebuild messages from deprecated events, in their order."""
    found: list[Message] = []
    for event in events:
        body = _event_body(event)
        if event.name == _CHOICE_EVENT and is_output:
            found.append(read_message(body, "assistant"))
        elif event.name in _EVENT_ROLES and not is_output:
            found.append(read_message(body, _EVENT_ROLES[event.name]))
        elif event.name in _WHOLE_EVENTS and (event.name == "gen_ai.content.completion") is is_output:
            whole = event.attributes.get("gen_ai.completion" if is_output else "gen_ai.prompt")
            found += read_messages(whole, "assistant" if is_output else "user")
    return tuple(found)


def _event_body(event: RawEvent) -> Mapping[str, Json]:
    """Decode the fields of a message event, which may be JSON texts."""
    body = {name: as_json(value) if name != "content" else value for name, value in event.attributes.items()}
    inner = body.get("gen_ai.event.content") or body.get("event.body")
    return inner if is_mapping(inner) else body


def _details(events: Sequence[RawEvent]) -> Mapping[str, Json]:
    return next((event.attributes for event in events if event.name == _DETAILS_EVENT), _NOTHING)


def _from_pieces(attributes: Attributes) -> tuple[Message, ...]:
    """Put an answer together that Vercel's SDK reports in pieces."""
    text = attributes.text("output_text")
    calls = attributes.json("output_tool_calls")
    parts = (
        *((TextPart(text),) if text else ()),
        *(read_tool_call(call) for call in (calls if is_list(calls) else ()) if is_mapping(call)),
    )
    if not parts and (structured := attributes.text("output_object")):
        parts = (TextPart(structured),)
    return (Message("assistant", parts),) if parts else ()
