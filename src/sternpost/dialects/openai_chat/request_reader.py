"""Reads an OpenAI chat request into the internal one; what it can't carry is named, never lost silently."""

from collections.abc import Iterator, Mapping
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    CacheMark,
    ChatRequest,
    ReasoningRequest,
    ReplyFormat,
    ToolChoice,
    ToolDefinition,
)
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    Message,
    Role,
    TextPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.dialects.claude.cache_control import read_ttl, tool_marks
from sternpost.dialects.json_text.fields import Fields, read_object
from sternpost.dialects.losses.inside import unknown_inside
from sternpost.dialects.losses.requested import folded
from sternpost.dialects.openai_chat.parts import read_content
from sternpost.dialects.openai_chat.reply import legacy_call_id, read_assistant_parts
from sternpost.dialects.openai_chat.shapes import CHOICE, FORMAT, MESSAGES
from sternpost.dialects.openai_chat.tools import custom_calls, read_tools

_READ: Final = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "function_call",
        "parallel_tool_calls",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "random_seed",  # Mistral's SDK
        "frequency_penalty",
        "presence_penalty",
        "n",
        "response_format",
        "reasoning_effort",
        "user",
        "safety_identifier",
        "service_tier",
        "metadata",
        "prompt_cache_key",
        "logprobs",
        "top_logprobs",
        "verbosity",
        "modalities",
    }
)
# What means nothing to another provider when it is off, as SDKs like to send it.
_OFF: Final[tuple[Json, ...]] = (None, False, 0, [], {})
_SPEAKERS: Final[Mapping[str, Role]] = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant",
}  # fmt: skip
_PLAIN_FIELDS: Final = 2


def read_request(body: bytes) -> ChatRequest:
    """Raises: BadRequest with the path of what can't be read."""
    fields = read_object(body)
    tools, clients, unread_tools = read_tools(fields)
    tools, choice, unread_choice = _read_tool_choice(fields, tools)
    messages = tuple(_read_messages(fields))
    metadata = fields.child("metadata")
    shapes = (("messages", MESSAGES), ("response_format", FORMAT), ("tool_choice", CHOICE))
    inside = [name for field, kinds in shapes for name in unknown_inside(fields.values.get(field), kinds)]
    return ChatRequest(
        model=fields.need_text("model"),
        messages=messages,
        is_stream=bool(fields.flag("stream")),
        tools=tools,
        client_tools=clients,
        custom_calls=custom_calls(fields) if b'"custom"' in body else frozenset(),
        tool_choice=choice,
        takes_parallel_tools=fields.flag("parallel_tool_calls"),
        max_output_tokens=fields.integer("max_completion_tokens") or fields.integer("max_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        stop=fields.texts("stop"),
        seed=fields.integer("random_seed" if fields.has("random_seed") else "seed"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        choice_count=fields.integer("n") or 1,
        reply_format=_read_format(fields),
        reasoning=_read_reasoning(fields),
        end_user=fields.text("safety_identifier") or fields.text("user"),
        service_tier=fields.text("service_tier"),
        cache_marks=_read_marks(fields, messages, tools) if b'"cache_control"' in body else (),
        cache_key=fields.text("prompt_cache_key"),
        wants_logprobs=bool(fields.flag("logprobs")),
        top_logprobs=fields.integer("top_logprobs") or None,
        metadata=metadata.text_map() if metadata else {},
        verbosity=fields.text("verbosity"),
        modalities=fields.texts("modalities"),
        unread=(*_unread(fields), *folded(unread_tools), *unread_choice, *inside),
        extras={n: value for n, value in fields.values.items() if n not in _READ and value is not None},
    )


def _read_marks(
    fields: Fields, messages: tuple[Message, ...], tools: tuple[ToolDefinition, ...]
) -> tuple[CacheMark, ...]:
    """Find cache marks, which callers of several vendors send here in Anthropic's form."""
    marks = tool_marks(fields, [tool.name for tool in tools])
    for index, item in enumerate(fields.items("messages")):
        last = len(messages[index].parts) - 1
        marks += [CacheMark(index, max(last, 0), ttl) for ttl in (read_ttl(item),) if ttl]
        if not isinstance(item.values.get("content"), list):
            continue
        is_plain = messages[index].role in ("system", "user")  # elsewhere parts are not the items one by one
        for place, part in enumerate(item.items("content")):
            if ttl := read_ttl(part):
                marks.append(CacheMark(index, place if is_plain else last, ttl))
    return tuple(marks)


def _unread(fields: Fields) -> Iterator[str]:
    for name, value in fields.values.items():
        if name not in _READ and value not in _OFF:
            yield name


def _read_messages(fields: Fields) -> Iterator[Message]:
    for message in fields.items("messages"):
        role = message.need_text("role")
        content = message.values.get("content")
        speaker = _SPEAKERS.get(role)
        if speaker and content and isinstance(content, str) and len(message.values) == _PLAIN_FIELDS:
            yield Message(speaker, (TextPart(content),))  # most messages: a role and a text
            continue
        name = message.text("name")
        match role:
            case "system" | "developer":
                yield Message("system", tuple(read_content(message)), name)
            case "user":
                yield Message("user", tuple(read_content(message)), name)
            case "assistant":
                yield Message("assistant", tuple(read_assistant_parts(message)), name)
            case "tool":
                yield Message("tool", (_read_result(message, message.text("tool_call_id") or ""),))
            case "function":  # the form before tools, which pairs by name
                yield Message("tool", (_read_result(message, legacy_call_id(name or "")),))
            case _:
                path = message.at("role")
                raise BadRequest(f"{path}: must be system, developer, user, assistant or tool.", param=path)


def _read_result(message: Fields, call_id: str) -> ToolResponsePart:
    parts = list(read_content(message))
    text = "".join(part.content for part in parts if isinstance(part, TextPart))
    media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
    return ToolResponsePart(text, call_id, media=media)


def _read_tool_choice(
    fields: Fields, tools: tuple[ToolDefinition, ...]
) -> tuple[tuple[ToolDefinition, ...], ToolChoice | None, tuple[str, ...]]:
    """Return the tools that may be called, which of them must be, and what of it could not be read."""
    match fields.values.get("tool_choice"):
        case None:
            return tools, _read_legacy_choice(fields), ()
        case "auto":
            return tools, ToolChoice("auto"), ()
        case "none":
            return tools, ToolChoice("none"), ()
        case "required" | "any":  # Mistral's SDK
            return tools, ToolChoice("required"), ()
        case {"function": _}:
            name = fields.need_child("tool_choice").need_child("function").need_text("name")
            return tools, ToolChoice("named", name), ()
        case {"allowed_tools": _}:
            allowed = fields.need_child("tool_choice").need_child("allowed_tools")
            return allowed_tools(allowed, tools)
        case {"custom": _}:
            name = fields.need_child("tool_choice").need_child("custom").need_text("name")
            return tools, ToolChoice("named", name), ()
        case _:
            raise fields.refuse("tool_choice", "auto, none, required, allowed_tools or one function")


def _read_legacy_choice(fields: Fields) -> ToolChoice | None:
    match fields.values.get("function_call"):
        case None:
            return None
        case "auto":
            return ToolChoice("auto")
        case "none":
            return ToolChoice("none")
        case {"name": str(name)}:
            return ToolChoice("named", name)
        case _:
            raise fields.refuse("function_call", "auto, none or the name of a function")


def allowed_tools(
    allowed: Fields, tools: tuple[ToolDefinition, ...]
) -> tuple[tuple[ToolDefinition, ...], ToolChoice, tuple[str, ...]]:
    """Narrow the tools to the allowed ones: other dialects know no subset."""
    functions = [tool.child("function") or tool.child("custom") or tool for tool in allowed.items("tools")]
    names = {function.text("name") for function in functions}
    mode = "required" if allowed.text("mode") == "required" else "auto"
    return tuple(tool for tool in tools if tool.name in names), ToolChoice(mode), ()


def _read_format(fields: Fields) -> ReplyFormat | None:
    ask = fields.child("response_format")
    if ask is None:
        return None
    match ask.text("type"):
        case "text":
            return None
        case "json_object":
            return ReplyFormat("json_object")
        case "json_schema":
            wanted = ask.need_child("json_schema")
            schema = wanted.child("schema")
            return ReplyFormat(
                "json_schema",
                name=wanted.text("name") or "",
                schema=schema.values if schema else None,
                is_strict=wanted.flag("strict"),
            )
        case _:
            raise ask.refuse("type", "text, json_object or json_schema")


def _read_reasoning(fields: Fields) -> ReasoningRequest | None:
    effort = fields.text("reasoning_effort")
    return ReasoningRequest(effort=effort, asked_as="reasoning_effort") if effort else None
