"""Finds what went into a span and what came out, in whichever attributes or events have it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sternpost.contracts.message import (
    DocumentPart,
    Json,
    Message,
    OtherPart,
    ReasoningPart,
    Role,
    TextPart,
)
from sternpost.contracts.span import SpanType
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.documents import find_documents, read_documents
from sternpost.ingest.mapping.messages import Reading, read_message, read_messages, read_value
from sternpost.ingest.mapping.parts import read_tool_call
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.tools import read_tool_span
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
DETAILS_EVENT = "gen_ai.client.inference.operation.details"
MESSAGE_EVENTS = frozenset({*_EVENT_ROLES, _CHOICE_EVENT, *_WHOLE_EVENTS, DETAILS_EVENT})
# pydantic-ai writes its events, and a whole run with its answers, into one attribute.
_LISTED_EVENTS = ("events", "all_messages_events")
_WHOLE_RUNS = frozenset({"pydantic_ai.all_messages", "lk.chat_ctx"})
_EMBEDDED = ("embedding.embeddings.", ".embedding.text")
_TOOL_LISTS = ("tools", "function_tools", "functions")
_NOTHING: Mapping[str, Json] = {}
_NO_READING = Reading()


@dataclass(frozen=True, slots=True)
class Conversation:
    """`rest` is what came beside the messages and has no field of its own, by name."""

    inputs: tuple[Message, ...]
    outputs: tuple[Message, ...]
    tools: Sequence[Json] = ()
    rest: Mapping[str, Json] = field(default_factory=dict[str, Json])


def read_conversation(
    kind: SpanType, name: str, attributes: Attributes, events: Sequence[RawEvent]
) -> Conversation:
    """Read both sides of a span: the first form that says something.

    name: of the span, for a tool that has none.
    """
    if kind == SpanType.TOOL and (tool := read_tool_span(name, attributes)):
        return Conversation(tool.inputs, tool.outputs, tool.definitions)
    if kind in (SpanType.RETRIEVER, SpanType.RERANKER):
        return _retrieval(attributes)
    events = (*events, *_listed_events(attributes))
    told = attributes.value("system_messages")
    system = () if told is None else read_messages(told, "system")
    given = _first_that_says(_inputs(attributes, events))
    made = _first_that_says(_outputs(attributes, events))
    inputs, outputs = given.messages, made.messages
    if not outputs and any(
        found for found, _ in attributes.candidates("input_messages") if found in _WHOLE_RUNS
    ):
        inputs, outputs = _split_run(inputs)
    return Conversation(
        _with_system(system, inputs),
        tuple(_with_our_reason(m) for m in outputs),
        _tools(attributes) or given.tools,
        {
            f"{side}.rest": reading.rest
            for side, reading in (("input", given), ("output", made))
            if reading.rest
        },
    )


def _with_system(system: tuple[Message, ...], inputs: tuple[Message, ...]) -> tuple[Message, ...]:
    return inputs if inputs[: len(system)] == system else (*system, *inputs)


def _inputs(attributes: Attributes, events: Sequence[RawEvent]) -> Iterator[Reading]:
    if listed := attributes.listed("input_messages"):
        yield read_value(listed, "user")
    if events:
        yield read_value(_details(events).get("gen_ai.input.messages"), "user")
        yield Reading(_from_events(events, is_output=False))
    yield from _from_columns(attributes, "input_messages", "user")
    if texts := attributes.ending(*_EMBEDDED):
        yield Reading(tuple(Message("user", (TextPart(text),)) for text in texts))


def _outputs(attributes: Attributes, events: Sequence[RawEvent]) -> Iterator[Reading]:
    if listed := attributes.listed("output_messages"):
        yield read_value(listed, "assistant")
    if events:
        yield read_value(_details(events).get("gen_ai.output.messages"), "assistant")
        yield Reading(_from_events(events, is_output=True))
    yield from _from_columns(attributes, "output_messages", "assistant")
    if pieces := _from_pieces(attributes):
        yield Reading(pieces)


def _from_columns(attributes: Attributes, column: str, role: Role) -> Iterator[Reading]:
    for _, value in attributes.candidates(column):
        reading = read_value(value, role)
        if reading.messages:
            attributes.take(column, value)
            yield reading


def _first_that_says(readings: Iterator[Reading]) -> Reading:
    """Return the first with content; where none has, the first with messages at all."""
    fallback = None
    for reading in readings:
        if _says(reading):
            return reading
        if fallback is None and reading.messages:
            fallback = reading
    return fallback or _NO_READING


def _says(reading: Reading) -> bool:
    for message in reading.messages:
        for part in message.parts:
            if part.content if isinstance(part, TextPart) else not isinstance(part, OtherPart):
                return True
    return False


def _split_run(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Split a whole run at the answer it ends with."""
    end = len(messages)
    while end and messages[end - 1].role == "assistant":
        end -= 1
    return messages[:end], messages[end:]


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
    for _, value in attributes.candidates("tools"):
        found = as_json(value)
        if is_mapping(found):  # inside the parameters of a request
            found = next((as_json(found[name]) for name in _TOOL_LISTS if found.get(name)), None)
            if is_list(found):
                return [as_json(tool) for tool in found]
        elif is_list(found):
            attributes.take("tools", value)
            return [as_json(tool) for tool in found]
    return ()


def _retrieval(attributes: Attributes) -> Conversation:
    query = attributes.value("query_text")
    given = Reading(read_messages(query, "user"))
    if not given.messages:
        given = _first_that_says(_from_columns(attributes, "input_messages", "user"))
    listed = attributes.listed("documents")
    found = listed or attributes.json("documents")
    documents: tuple[DocumentPart, ...] = read_documents(found) if is_list(found) else ()
    if documents:
        return Conversation(given.messages, (Message("tool", documents),))
    for _, value in attributes.candidates("output_messages"):
        if documents := find_documents(value):
            attributes.take("output_messages", value)
            return Conversation(given.messages, (Message("tool", documents),))
    return Conversation(
        given.messages, _first_that_says(_from_columns(attributes, "output_messages", "tool")).messages
    )


def _listed_events(attributes: Attributes) -> Iterator[RawEvent]:
    for name in _LISTED_EVENTS:
        listed = attributes.peek(name)
        if listed is None:
            continue
        listed = as_json(listed)
        if not is_list(listed) or not listed:
            continue
        found = [event for event in listed if is_mapping(event) and event.get("event.name") in MESSAGE_EVENTS]
        if len(found) == len(listed):
            _ = attributes.named(name)
            yield from (RawEvent(as_text(event["event.name"]), 0, event) for event in found)


def _from_events(events: Sequence[RawEvent], *, is_output: bool) -> tuple[Message, ...]:
    """Rebuild messages from deprecated events, in their order."""
    found: list[Message] = []
    for event in events:
        if event.name not in MESSAGE_EVENTS:
            continue
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
    return next((event.attributes for event in events if event.name == DETAILS_EVENT), _NOTHING)


def _from_pieces(attributes: Attributes) -> tuple[Message, ...]:
    """Put an answer together that Vercel's SDK reports in pieces."""
    reasoning, text = attributes.text("output_reasoning"), attributes.text("output_text")
    calls = attributes.json("output_tool_calls")
    parts = (
        *((ReasoningPart(reasoning),) if reasoning else ()),
        *((TextPart(text),) if text else ()),
        *(read_tool_call(call) for call in (calls if is_list(calls) else ()) if is_mapping(call)),
    )
    if not parts and (structured := attributes.text("output_object")):
        parts = (TextPart(structured),)
    return (Message("assistant", parts),) if parts else ()
