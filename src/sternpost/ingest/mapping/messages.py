"""Messages of any vendor's or framework's JSON as our messages; which attribute holds them is elsewhere."""

from collections.abc import Mapping, Sequence

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
from sternpost.ingest.mapping.media import MEDIA_KINDS, read_medium
from sternpost.ingest.mapping.values import as_json, as_number, as_text, is_list, is_mapping

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_LIST_NAMES = ("messages", "contents", "generations", "choices")
_TEXT_NAMES = ("prompt", "text", "content", "completion", "output", "input")


def read_messages(value: Json, role: Role) -> tuple[Message, ...]:
    """Read a conversation, one message, or plain text; what has no such shape is kept as JSON text.

    role: for what doesn't say.
    """
    value = as_json(value)
    if value is None or value in ("", [], {}):
        return ()
    if is_list(value):
        return _read_list(value, role)
    if not is_mapping(value):
        return (Message(role, (TextPart(as_text(value)),)),)
    for name in _LIST_NAMES:
        inner = as_json(value.get(name))
        if is_list(inner):
            return (*read_messages(value.get("system"), "system"), *_read_list(inner, role))
    if _is_message(value):
        return (read_message(value, role),)
    if "prompt" in value:  # Vercel: {"system": ..., "prompt": ...}
        return (*read_messages(value.get("system"), "system"), *read_messages(value["prompt"], role))
    return (Message(role, (TextPart(as_text(value)),)),)


def _read_list(items: Sequence[Json], role: Role) -> tuple[Message, ...]:
    items = [as_json(item) for item in items]
    while len(items) == 1 and is_list(items[0]):  # LangChain: a batch of one conversation
        items = list(items[0])
    if items and all(is_mapping(item) and _is_message(item) for item in items):
        return tuple(read_message(item, role) for item in items if is_mapping(item))
    if items and all(is_mapping(item) and isinstance(item.get("type"), str) for item in items):
        return (Message(role, tuple(read_part(item) for item in items)),)  # parts without a message
    if items and all(isinstance(item, str) for item in items):
        return tuple(Message(role, (TextPart(as_text(item)),)) for item in items)
    return (Message(role, (TextPart(as_text(items)),)),)


def _is_message(value: Mapping[str, Json]) -> bool:
    return "role" in value or "parts" in value or is_mapping(value.get("message")) or "tool_calls" in value


def read_message(value: Mapping[str, Json], role: Role) -> Message:
    """Read one message, whatever its parts are called."""
    inner = value.get("message")
    if is_mapping(inner):  # OpenInference, choices of OpenAI, gen_ai.choice events
        reason = value.get("finish_reason")
        value = inner if reason is None else {**inner, "finish_reason": reason}
    found_role = _ROLES.get(as_text(value.get("role")).lower(), role)
    parts = _parts_of(value)
    call_id = as_text(value.get("tool_call_id") or value.get("id")) or None
    is_response = found_role == "tool" and not any(isinstance(part, ToolResponsePart) for part in parts)
    if is_response and not any(isinstance(part, DocumentPart) for part in parts):
        media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
        parts = (ToolResponsePart(_plain(parts), call_id, media=media),)
    return Message(
        found_role,
        parts,
        name=as_text(value.get("name")) or None,
        finish_reason=as_text(value.get("finish_reason") or value.get("finishReason")) or None,
    )


def _plain(parts: Sequence[Part]) -> Json:
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    return as_json("\n".join(texts))


def _parts_of(value: Mapping[str, Json]) -> tuple[Part, ...]:
    parts: list[Part] = []
    if reasoning := as_text(value.get("reasoning_content")):
        parts.append(ReasoningPart(reasoning))
    listed = _listed_parts(value.get("parts") or value.get("contents") or value.get("content"))
    if is_list(listed):
        parts += [read_part(item) for item in listed]
    elif is_mapping(listed):
        parts.append(read_part(listed))
    elif text := as_text(value.get("content")):
        parts.append(TextPart(text))
    calls = as_json(value.get("tool_calls"))
    if is_list(calls):
        parts += [read_tool_call(call) for call in calls if is_mapping(call)]
    if refusal := as_text(value.get("refusal")):
        parts.append(RefusalPart(refusal))
    return tuple(parts)


def _listed_parts(value: Json) -> Json:
    """Decode text only when it is a list of parts: an answer that happens to be JSON stays text."""
    found = as_json(value)
    if isinstance(value, str) and not (is_list(found) and all(is_mapping(item) for item in found)):
        return None
    return found


def read_part(value: Json) -> Part:
    """Read one part of a message; one that nobody knows is kept as it is."""
    value = as_json(value)
    if not is_mapping(value):
        return TextPart(as_text(value))
    inner = value.get("message_content")
    if is_mapping(inner):  # OpenInference
        value = inner
    kind = as_text(value.get("type")).replace("-", "_")
    match kind:
        case "text" | "input_text" | "output_text":
            return TextPart(as_text(value.get("content") if "content" in value else value.get("text")))
        case "reasoning" | "thinking":
            return _reasoning(value)
        case "tool_call" | "tool_use" | "function" | "function_call":
            return read_tool_call(value)
        case "tool_call_response" | "tool_result" | "function_call_output":
            return _tool_response(value)
        case "refusal":
            return RefusalPart(as_text(value.get("refusal") or value.get("content")))
        case "document":
            is_medium = is_mapping(value.get("source"))  # Anthropic
            return read_medium(value, kind) if is_medium else read_document(value) or OtherPart(value)
        case "":
            return _untyped(value)
        case _:
            return read_medium(value, kind) if kind in MEDIA_KINDS else OtherPart(value)


def _untyped(value: Mapping[str, Json]) -> Part:
    """Read the parts of Gemini and Bedrock, which are told apart by their field."""
    call = value.get("functionCall") or value.get("function_call") or value.get("toolUse")
    if is_mapping(call):
        return read_tool_call(call)
    response = value.get("functionResponse") or value.get("function_response") or value.get("toolResult")
    if is_mapping(response):
        return _tool_response(response)
    for name in ("text", "content"):
        if isinstance(value.get(name), str):
            return TextPart(as_text(value[name]))
    return OtherPart(value)


def _reasoning(value: Mapping[str, Json]) -> Part:
    text = next((as_text(value[name]) for name in ("content", "thinking", "text") if value.get(name)), "")
    return ReasoningPart(
        text, signature=as_text(value.get("signature")) or None, id=as_text(value.get("id")) or None
    )


def read_tool_call(value: Mapping[str, Json]) -> ToolCallPart:
    inner = value.get("tool_call")
    value = inner if is_mapping(inner) else value
    function = value.get("function")
    source = function if is_mapping(function) else value
    arguments = next(
        (source[name] for name in ("arguments", "input", "args") if source.get(name) is not None), ""
    )
    call_id = next(
        (
            value[name]
            for name in ("id", "call_id", "toolCallId", "toolUseId", "tool_call_id")
            if value.get(name)
        ),
        None,
    )
    name = next((source[key] for key in ("name", "toolName", "tool_name") if source.get(key)), "")
    return ToolCallPart(as_text(name), as_text(arguments), as_text(call_id) or None)


def _tool_response(value: Mapping[str, Json]) -> Part:
    names = ("response", "result", "output", "content")
    response = next((value[name] for name in names if value.get(name) is not None), None)
    ids = ("id", "tool_use_id", "toolCallId", "call_id", "toolUseId")
    call_id = next((value[name] for name in ids if value.get(name)), None)
    is_error = value.get("is_error") is True or value.get("isError") is True
    return ToolResponsePart(as_json(response), as_text(call_id) or None, is_error=is_error)


def read_documents(values: Sequence[Json]) -> tuple[DocumentPart, ...]:
    """Read what a retriever or reranker found, in its order."""
    found = [read_document(value) for value in values if is_mapping(value)]
    return tuple(document for document in found if document is not None)


def read_document(value: Mapping[str, Json]) -> DocumentPart | None:
    inner = value.get("document")
    value = inner if is_mapping(inner) else value
    metadata = as_json(value.get("metadata"))
    described = metadata if is_mapping(metadata) else dict[str, Json]()
    content = value.get("content") if value.get("content") is not None else value.get("page_content")
    document = DocumentPart(
        id=as_text(value.get("id") or described.get("id")),
        content=as_text(content),
        score=as_number(value.get("score")),
        title=as_text(value.get("title") or described.get("title")),
        uri=as_text(value.get("uri") or described.get("uri") or described.get("source")),
    )
    return document if document.id or document.content or document.uri else None
