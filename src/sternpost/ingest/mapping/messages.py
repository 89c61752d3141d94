"""Messages of any provider's or framework's JSON as our messages; which attribute holds them is elsewhere.

Nothing is read to nothing: what has no known shape, or no known content, is kept as its JSON text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    FilePart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.ingest.mapping.parts import is_definition, plain_text, read_part, read_result, read_tool_call
from sternpost.ingest.mapping.shapes import ROLES, decoded, is_message, plain_shape, role_of
from sternpost.ingest.mapping.values import as_json, as_text, is_list, is_mapping

# Where requests, replies and states of graphs hold their messages.
_LISTS: Final = (
    *("messages", "contents", "generations", "choices", "candidates", "replies", "items", "all_messages"),
    *("chat_history", "new_messages"),
)
_SYSTEM: Final = ("system", "system_instruction", "systemInstruction", "instructions", "system_prompt")
# Objects that hold a state or one message: Command of LangGraph, LlamaIndex, Bedrock, Gemini's content.
_INNER: Final = ("update", "message", "content", "output", "response", "request")
_TOOLS: Final = ("tools", "functions", "tool_definitions")
_MOST_DEPTH: Final = 6
_NOTHING: Final[Mapping[str, Json]] = {}
_MESSAGE_FIELDS: Final = frozenset(
    {"role", "content", "type", "name", "finish_reason", "index", "id", "status"}
)


@dataclass(slots=True)
class Reading:
    """What was read of one value; `rest` are the fields beside its messages, which nobody read."""

    messages: tuple[Message, ...] = ()
    tools: list[Json] = field(default_factory=list[Json])
    rest: dict[str, Json] = field(default_factory=dict[str, Json])


def read_messages(value: Json, role: Role) -> tuple[Message, ...]:
    """Read a conversation, one message, or plain text; what has no such shape is kept as JSON text.

    role: for what doesn't say.
    """
    return read_value(value, role).messages


def read_value(value: Json, role: Role) -> Reading:
    """Read the messages of a value, the tools defined beside them, and what else there is."""
    reading = Reading()
    found = _read(as_json(value), role, reading, 0)
    if found is None and value not in (None, "", [], {}):
        reading = Reading()
        found = _as_text(as_json(value), role)
    reading.messages = tuple(_without_definitions(found or (), reading.tools))
    return reading


def _as_text(value: Json, role: Role) -> tuple[Message, ...]:
    return () if value in (None, "", [], {}) else (Message(role, (TextPart(as_text(value)),)),)


def _read(value: Json, role: Role, reading: Reading, depth: int) -> tuple[Message, ...] | None:
    """Return None for what is no conversation."""
    if value is None or depth > _MOST_DEPTH:
        return None
    if is_list(value):
        return _read_list(value, role, reading, depth)
    if not is_mapping(value):
        return _as_text(value, role)
    value = plain_shape(value)
    for name in _LISTS:
        inner = as_json(value.get(name))
        if is_list(inner) and inner and (found := _read_list(inner, role, reading, depth + 1)) is not None:
            return (*_beside(value, name, reading), *found)
    if is_message(value):
        return (read_message(value, role),)
    if isinstance(value.get("type"), str) and "content" not in value and "output" not in value:
        return _of_items([value], role)
    return _read_object(value, role, reading, depth)


def _read_object(
    value: Mapping[str, Json], role: Role, reading: Reading, depth: int
) -> tuple[Message, ...] | None:
    if "prompt" in value and not is_list(value.get("output")):  # Vercel: {"system": ..., "prompt": ...}
        found = _read(as_json(value["prompt"]), role, reading, depth + 1)
        return None if found is None else (*_beside(value, "prompt", reading), *found)
    for name in ("input", "output"):  # OpenAI Responses
        inner = as_json(value.get(name))
        is_request = isinstance(inner, str) and "model" in value
        if is_request or (is_list(inner) and inner and all(map(_is_item, inner))):
            found = _read(inner, role, reading, depth + 1)
            return None if found is None else (*_beside(value, name, reading), *found)
    for name in _INNER:
        inner = as_json(value.get(name))
        if is_mapping(inner) and (found := _inner_messages(inner, role, reading, depth)) is not None:
            return (*_beside(value, name, reading), *found)
    if len(value) == 1 and is_mapping(
        inner := as_json(next(iter(value.values())))
    ):  # {"node": {"messages": ...}}
        return _inner_messages(inner, role, reading, depth)
    return None


def _inner_messages(
    inner: Mapping[str, Json], role: Role, reading: Reading, depth: int
) -> tuple[Message, ...] | None:
    inner = plain_shape(inner)
    is_held = is_message(inner) or any(is_list(as_json(inner.get(name))) for name in _LISTS)
    is_held = is_held or any(is_mapping(inner.get(name)) for name in _INNER)
    return _read(inner, role, reading, depth + 1) if is_held else None


def _is_item(value: Json) -> bool:
    value = as_json(value)
    return is_mapping(value) and ("role" in value or isinstance(value.get("type"), str) or "lc" in value)


def _beside(value: Mapping[str, Json], taken: str, reading: Reading) -> tuple[Message, ...]:
    """Read what comes beside the messages: system instructions, tools; the rest is kept apart."""
    config = value.get("config")
    layers = (value, config) if is_mapping(config) else (value,)
    system: list[Message] = []
    read = {taken}
    for layer in layers:
        for name in _SYSTEM:
            if layer.get(name):
                system += read_messages(layer[name], "system")
                read.add(name)
        for name in _TOOLS:
            tools = as_json(layer.get(name))
            if is_list(tools) and all(map(is_mapping, map(as_json, tools))):
                reading.tools += [as_json(tool) for tool in tools]
                read.add(name)
    reading.rest |= {
        name: inner for name, inner in value.items() if name not in read and inner not in (None, "", [], {})
    }
    return tuple(replace(message, role="system") for message in system)


def _read_list(items: Sequence[Json], role: Role, reading: Reading, depth: int) -> tuple[Message, ...] | None:
    items = [decoded(item) for item in items]
    while len(items) == 1 and is_list(items[0]) and not _is_pair(items[0]):  # LangChain: a batch of one
        items = [decoded(item) for item in items[0]]
    if items and all(is_list(item) and not _is_pair(item) for item in items):  # a batch of conversations
        batches = [_read_list(item, role, reading, depth + 1) for item in items if is_list(item)]
        return None if None in batches else tuple(one for batch in batches for one in batch or ())
    if len(items) == 1 and is_mapping(items[0]) and not _is_readable(items[0]):
        return _read(items[0], role, reading, depth + 1)
    return _of_items(items, role) if items and all(map(_is_readable, items)) else None


def _is_readable(item: Json) -> bool:
    if is_mapping(item):
        return is_message(item) or isinstance(item.get("type"), str) or _is_untyped_part(item)
    return isinstance(item, str) or _is_pair(item)


def _is_untyped_part(item: Mapping[str, Json]) -> bool:
    return (
        not isinstance(read_part(item), OtherPart) or is_mapping(item.get("content")) or "event.name" in item
    )


def _is_pair(item: Json) -> bool:
    """Say whether a list is LangChain's (role, text)."""
    if not is_list(item) or len(item) != 2 or not isinstance(item[0], str):
        return False
    return item[0].lower() in ROLES and isinstance(item[1], str)


def _of_items(items: Sequence[Json], role: Role) -> tuple[Message, ...]:
    """Read messages, and parts among them without one: neighbours of one role are one message."""
    found: list[Message] = []
    loose: list[Part] = []
    loose_role: Role = role

    def close() -> None:
        if loose:
            found.append(Message(loose_role, tuple(loose)))
            loose.clear()

    for entry in items:
        is_pair = is_list(entry) and _is_pair(entry)
        item = {"role": entry[0], "content": entry[1]} if is_pair and is_list(entry) else entry
        if isinstance(item, str):
            close()
            found.append(Message(role, (TextPart(item),)))
            continue
        if is_mapping(item) and (is_message(item) or is_mapping(item.get("content")) or "event.name" in item):
            close()
            found.append(read_message(item, role))
            continue
        part = read_part(item)
        part_role = _role_of_part(part, role)
        if part_role != loose_role:
            close()
        loose_role = part_role
        loose.append(part)
    close()
    return tuple(found)


def _role_of_part(part: Part, role: Role) -> Role:
    if isinstance(part, ToolResponsePart):
        return "tool"
    return "assistant" if isinstance(part, ToolCallPart | ReasoningPart) else role


def read_message(value: Mapping[str, Json], role: Role) -> Message:
    """Read one message, whatever its parts are called; one without known content keeps all its fields."""
    value = plain_shape(value)
    inner = as_json(value.get("message"))
    if not is_mapping(inner) and not value.get("role"):  # Gemini's candidates
        inner = value.get("content")
        inner = inner if is_mapping(inner) and "parts" in inner else None
    if is_mapping(inner):  # OpenInference, choices of OpenAI, gen_ai.choice events
        inner = plain_shape(inner)
        reason = value.get("finish_reason") or value.get("finishReason")
        value = inner if reason is None else {**inner, "finish_reason": reason}
    found_role = role_of(as_text(value.get("role")) or _event_role(as_text(value.get("event.name"))), role)
    parts = _parts_of(value) or _raw_parts(value)
    if found_role == "tool":
        parts = _as_response(value, parts)
    return Message(
        found_role,
        parts,
        name=as_text(value.get("name")) or None,
        finish_reason=as_text(
            value.get("finish_reason") or value.get("finishReason") or value.get("stop_reason")
        )
        or None,
    )


def _event_role(name: str) -> str:
    return name.removeprefix("gen_ai.").removesuffix(
        ".message"
    )  # gen_ai.user.message, as pydantic-ai lists it


def _raw_parts(value: Mapping[str, Json]) -> tuple[Part, ...]:
    unread = {
        name: inner
        for name, inner in value.items()
        if name not in _MESSAGE_FIELDS
        and not name.startswith("gen_ai.")
        and inner not in (None, "", [], {}, False)
    }
    return (OtherPart(unread),) if unread else ()


def _as_response(value: Mapping[str, Json], parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Make the content of a tool's message the answer to its call."""
    if any(isinstance(part, ToolResponsePart | DocumentPart | OtherPart) for part in parts):
        return parts
    call_id = as_text(value.get("tool_call_id") or value.get("id")) or None
    media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    content = value.get("content")
    response = read_result(content)[0] if is_mapping(content) else plain_text(texts)
    return (ToolResponsePart(response, call_id, is_error=value.get("status") == "error", media=media),)


def _parts_of(value: Mapping[str, Json]) -> tuple[Part, ...]:
    parts: list[Part] = []
    extra = value.get("additional_kwargs")
    if not is_mapping(extra):
        extra = _NOTHING
    for layer in (value, extra):
        thought = layer.get("reasoning_content") or layer.get("reasoning")
        if thought:
            parts.append(ReasoningPart(as_text(thought)))
            break
    parts += _content_parts(value)
    calls = value.get("tool_calls") or extra.get("tool_calls")
    if calls:
        parts += _new_calls(as_json(calls), parts)
    legacy = value.get("function_call")
    if is_mapping(legacy) and legacy.get("name") and "parts" not in value:
        parts.append(read_tool_call(legacy))
    if refusal := as_text(value.get("refusal")):
        parts.append(RefusalPart(refusal))
    return tuple(parts)


def _new_calls(calls: Json, parts: Sequence[Part]) -> Iterator[ToolCallPart]:
    """Read calls, except those that are in the content as well."""
    known = {part.id for part in parts if isinstance(part, ToolCallPart)}
    for call in calls if is_list(calls) else ():
        if is_mapping(call) and ((read := read_tool_call(call)).id is None or read.id not in known):
            yield read


def _content_parts(value: Mapping[str, Json]) -> Iterator[Part]:
    names = ("parts", "contents", "content", "blocks")
    listed = _listed_parts(next((value[name] for name in names if value.get(name)), None))
    if is_list(listed):
        for item in listed:
            yield from _split(read_part(item))
    elif is_mapping(listed):
        yield from _split(read_part(listed))
    elif text := as_text(value.get("content")):
        yield from _split(read_part({"type": "text", "text": text}))


def _split(part: Part) -> Iterator[Part]:
    if not isinstance(part, TextPart) or part.content:  # empty pieces of a stream say nothing
        yield part


def _listed_parts(value: Json) -> Json:
    """Decode text only when it is a list of parts: an answer that happens to be JSON stays text."""
    found = as_json(value)
    if isinstance(value, str) and not (is_list(found) and all(is_mapping(item) for item in found)):
        return None
    return found


def _without_definitions(messages: Sequence[Message], tools: list[Json]) -> Iterator[Message]:
    """Take out messages that hold the definition of a tool, as Langfuse's LangChain handler sends them."""
    for message in messages:
        payloads = [part.payload for part in message.parts if isinstance(part, OtherPart)]
        if payloads and len(payloads) == len(message.parts) and all(map(is_definition, payloads)):
            tools += payloads
        else:
            yield message
