"""One part of a message in any provider's or framework's JSON as our part; `messages` reads messages."""

from collections.abc import Mapping, Sequence
from typing import Final

from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.ingest.mapping.documents import read_document
from sternpost.ingest.mapping.media import MEDIA_KINDS, read_medium
from sternpost.ingest.mapping.values import as_json, as_text, is_list, is_mapping

_TEXTS: Final = frozenset(
    {"text", "input_text", "output_text", "user_prompt", "system_prompt", "summary_text"}
)
_REASONING: Final = frozenset({"reasoning", "thinking", "redacted_thinking", "redacted_reasoning"})
_CALLS: Final = frozenset(
    {
        *("tool_call", "tool_use", "function", "function_call", "server_tool_use", "server_tool_call"),
        *("custom_tool_call", "custom", "mcp_call", "mcp_tool_use", "builtin_tool_call", "local_shell_call"),
        *("tool_search_call", "client_tool_call"),
    }
)
_RESPONSES: Final = frozenset(
    {
        *(
            "tool_call_response",
            "tool_result",
            "function_call_output",
            "custom_tool_call_output",
            "tool_return",
        ),
        *(
            "retry_prompt",
            "server_tool_call_response",
            "builtin_tool_return",
            "mcp_tool_result",
            "tool_response",
        ),
        *("web_search_tool_result", "code_execution_tool_result", "computer_call_output", "tool_error"),
        *("local_shell_call_output", "tool_search_output"),
    }
)
_CALL_NAMES: Final = (
    "functionCall",
    "function_call",
    "toolUse",
    "toolRequest",
    "tool_call",
    "executableCode",
)
_RESPONSE_NAMES: Final = (
    *("functionResponse", "function_response", "toolResult", "toolResponse", "tool_call_result"),
    "codeExecutionResult",
)
_MEDIA_NAMES: Final = (
    *("inline_data", "inlineData", "file_data", "fileData", "image", "document", "video", "audio", "media"),
    "image_url",
)
_ARGUMENTS: Final = ("arguments", "input", "args", "parameters", "action", "code")
_CALL_IDS: Final = ("call_id", "id", "toolCallId", "toolUseId", "tool_call_id", "ref", "tool_use_id")
_RESPONSE_IDS: Final = ("call_id", "tool_use_id", "tool_call_id", "toolCallId", "toolUseId", "id", "ref")
_RESULTS: Final = ("response", "result", "output", "content", "outcome", "error")
_NAMES: Final = ("name", "toolName", "tool_name")


def read_part(value: Json) -> Part:
    """Read one part of a message; one that nobody knows is kept as it is."""
    value = as_json(value)
    if not is_mapping(value):
        return TextPart(as_text(value))
    inner = value.get("message_content")
    if is_mapping(inner):  # OpenInference; the call itself stands beside
        value = {**value, **inner}
        del value["message_content"]
    kind = as_text(value.get("type") or value.get("part_kind") or value.get("block_type")).replace("-", "_")
    if kind in _CALLS and value.keys() == {"type"}:  # what is called is told elsewhere
        return TextPart("")
    return _typed(value, kind) if kind else _untyped(value)


def _typed(value: Mapping[str, Json], kind: str) -> Part:
    if kind in _TEXTS:
        return _text(value)
    if kind in _REASONING:
        return _reasoning(value)
    if is_definition(value):
        return OtherPart(value)
    if kind in _CALLS:
        return read_tool_call(value)
    if kind in _RESPONSES:
        return read_tool_response(value)
    if kind == "refusal":
        return RefusalPart(as_text(value.get("refusal") or value.get("content")))
    if kind == "document" and not is_mapping(value.get("source")):
        return read_document(value) or OtherPart(value)
    return read_medium(value, kind) if kind in MEDIA_KINDS or kind == "document" else OtherPart(value)


def _text(value: Mapping[str, Json]) -> Part:
    found = value.get("content") if "content" in value else value.get("text")
    if is_list(found):  # several texts, or media, in one
        return TextPart("\n".join(text for item in found if (text := _words(read_part(item)))))
    if is_mapping(found) and isinstance(found.get("value"), str):  # OpenAI Assistants
        found = found["value"]
    return TextPart(as_text(found)) if found is not None else OtherPart(value)


def _words(part: Part) -> str:
    return part.content if isinstance(part, TextPart | ReasoningPart | RefusalPart) else ""


def _untyped(value: Mapping[str, Json]) -> Part:
    """Read the parts of Gemini, Bedrock, Genkit and Haystack, which are distinguished by their field."""
    for name in _CALL_NAMES:
        if is_mapping(call := value.get(name)):
            return read_tool_call(call)
    for name in _RESPONSE_NAMES:
        if is_mapping(response := value.get(name)):
            return read_tool_response(response)
    for name in _MEDIA_NAMES:
        if is_mapping(medium := value.get(name)):
            return read_medium(medium, name if name in MEDIA_KINDS else "media")
    if is_mapping(thought := value.get("reasoningContent")):
        return _bedrock_reasoning(thought)
    if isinstance(thought := value.get("reasoning"), str) and thought:
        return ReasoningPart(thought)
    for name in ("text", "content"):
        if isinstance(value.get(name), str):
            text = as_text(value[name])
            signature = as_text(value.get("thoughtSignature") or value.get("thought_signature")) or None
            return (
                ReasoningPart(text, signature=signature) if value.get("thought") is True else TextPart(text)
            )
    return OtherPart(value)


def _bedrock_reasoning(value: Mapping[str, Json]) -> Part:
    text = value.get("reasoningText")
    if is_mapping(text):
        return ReasoningPart(as_text(text.get("text")), signature=as_text(text.get("signature")) or None)
    return ReasoningPart("", encrypted_content=as_text(value.get("redactedContent")) or None)


def _reasoning(value: Mapping[str, Json]) -> Part:
    found = next(
        (value[name] for name in ("content", "thinking", "text", "reasoning", "summary") if value.get(name)),
        "",
    )
    items = found if is_list(found) else (found,)
    text = "\n".join(_words(read_part(item)) if is_mapping(item) else as_text(item) for item in items)
    return ReasoningPart(
        text,
        signature=as_text(value.get("signature")) or None,
        encrypted_content=as_text(value.get("encrypted_content") or value.get("data")) or None,
        id=as_text(value.get("id")) or None,
    )


def is_definition(value: Mapping[str, Json]) -> bool:
    """Say whether an object defines a tool instead of calling it."""
    function = value.get("function")
    source = function if is_mapping(function) else value
    names = ("parameters", "input_schema", "inputSchema", "json_schema", "parameters_json_schema")
    has_schema = any(is_schema(source.get(name)) for name in names)
    return has_schema and not any(source.get(name) is not None for name in ("arguments", "args", "input"))


def is_schema(value: Json) -> bool:
    """Say whether a value is the JSON schema of arguments and not arguments."""
    found = as_json(value)
    if not is_mapping(found):
        return False
    if is_mapping(found.get("properties")) or found.get("type") in ("object", "OBJECT"):
        return True
    # smolagents gives the properties alone.
    return bool(found) and all(
        is_mapping(one) and isinstance(one.get("type"), str) and "description" in one
        for one in found.values()
    )


def read_tool_call(value: Mapping[str, Json]) -> ToolCallPart:
    inner = value.get("tool_call")
    value = inner if is_mapping(inner) else value
    function = value.get("function")
    if not is_mapping(function):
        function = value.get("custom")
    source = function if is_mapping(function) else value
    arguments = next((source[name] for name in _ARGUMENTS if source.get(name) is not None), "")
    call_id = next((value[name] for name in _CALL_IDS if value.get(name)), None)
    name = next((source[key] for key in _NAMES if source.get(key)), "")
    if not name and isinstance(function, str):
        name = function
    return ToolCallPart(
        as_text(name) or as_text(value.get("type")), argument_text(arguments), as_text(call_id) or None
    )


def argument_text(value: Json) -> str:
    """Return arguments as the text the model wrote; JSON that was written into a JSON text is taken out."""
    if isinstance(value, str) and value.lstrip()[:1] == '"':
        inner = as_json(value)
        return as_text(inner) if not isinstance(inner, str) or inner.lstrip()[:1] in ("{", "[") else value
    return as_text(value)


def read_tool_response(value: Mapping[str, Json], call_id: str | None = None) -> ToolResponsePart:
    response = next((value[name] for name in _RESULTS if value.get(name) is not None), None)
    origin = value.get("origin")  # Haystack: the call that is answered
    ids = (value, origin) if is_mapping(origin) else (value,)
    found_id = next((one[name] for one in ids for name in _RESPONSE_IDS if one.get(name)), call_id)
    is_error = value.get("is_error") is True or value.get("isError") is True or value.get("error") is True
    is_error = is_error or value.get("status") == "error" or value.get("outcome") == "failed"
    said, media = read_result(response)
    return ToolResponsePart(said, as_text(found_id) or None, is_error=is_error, media=media)


def read_result(value: Json) -> tuple[Json, tuple[BlobPart | UriPart | FilePart, ...]]:
    """Read what a tool gave back: texts as text, media beside them, anything else as JSON."""
    found = as_json(value)
    if is_mapping(found) and found.get("type") in ("text", "json", "error-text", "error-json", "content"):
        found = as_json(found.get("value"))  # Vercel's ToolResultOutput
    if not is_list(found) or not found or not all(is_mapping(item) for item in found):
        return found, ()
    if all(is_mapping(item) and set(item) == {"json"} for item in found):  # Bedrock
        values = [item["json"] for item in found if is_mapping(item)]
        return (values[0] if len(values) == 1 else values), ()
    parts = [read_part(item) for item in found]
    media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    if len(media) + len(texts) < len(parts):
        return found, ()
    return plain_text(texts), media


def plain_text(texts: Sequence[str]) -> Json:
    return as_json("\n".join(texts))
