"""Reads an Anthropic request into the internal one; what it can't carry is named, never lost silently."""

from collections.abc import Iterator, Mapping
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest, ReasoningRequest, ReplyFormat, ToolChoice, ToolDefinition
from sternpost.contracts.message import Json, Message, Part, ToolResponsePart
from sternpost.dialects.anthropic.client_tools import as_function
from sternpost.dialects.anthropic.marks import read_marks
from sternpost.dialects.anthropic.parts import read_blocks
from sternpost.dialects.anthropic.shapes import MESSAGES, SYSTEM
from sternpost.dialects.anthropic.who import who
from sternpost.dialects.json_text.fields import Fields, read_object
from sternpost.dialects.losses.inside import unknown_inside
from sternpost.dialects.losses.requested import folded
from sternpost.dialects.pairing.tool_schemas import read_schema, unread_fields

_READ: Final = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stream",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "metadata",
        "service_tier",
        "cache_control",
    }
)
_INNER: Final[Mapping[str, frozenset[str]]] = {
    "thinking": frozenset({"type", "budget_tokens"}),
    "output_config": frozenset({"format", "effort"}),
    "tool_choice": frozenset({"type", "name", "disable_parallel_tool_use"}),
    "metadata": frozenset({"user_id"}),
}
_TOOL_FIELDS: Final = frozenset({"type", "name", "description", "input_schema", "strict", "cache_control"})
_NO_THINKING: Final = frozenset({"disabled", "between_tools"})  # the latter where the first is refused


def read_request(body: bytes) -> ChatRequest:
    """Raises: BadRequest with the path of what can't be read."""
    fields = read_object(body)
    tools, unread_tools = _read_tools(fields)
    messages = tuple(_read_messages(fields))
    is_marked = b'"cache_control"' in body
    choice = fields.child("tool_choice")
    metadata = fields.child("metadata")
    return ChatRequest(
        model=fields.need_text("model"),
        messages=messages,
        is_stream=bool(fields.flag("stream")),
        tools=tools,
        tool_choice=_read_choice(choice),
        takes_parallel_tools=False if choice and choice.flag("disable_parallel_tool_use") else None,
        max_output_tokens=fields.integer("max_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        stop=fields.texts("stop_sequences"),
        reply_format=_read_format(fields),
        reasoning=_read_reasoning(fields),
        end_user=who(metadata.text("user_id") or "").user or None if metadata else None,
        service_tier=fields.text("service_tier"),
        cache_marks=read_marks(fields, messages, tools) if is_marked and messages else (),
        unread=(*dict.fromkeys(_unread(fields)), *folded(unread_tools), *_unknown_inside(fields)),
    )


def _unread(fields: Fields) -> Iterator[str]:
    for name, value in fields.values.items():
        if name not in _READ and value:
            yield name
    for name, known in _INNER.items():
        inner = fields.values.get(name)
        if isinstance(inner, dict) and not inner.keys() <= known:
            yield from Fields(inner, name).others(known)
    if _has_citations(fields.values.get("messages")):
        yield "citations"


def _unknown_inside(fields: Fields) -> tuple[str, ...]:
    found = unknown_inside(fields.values.get("messages"), MESSAGES)
    return (*unknown_inside(fields.values.get("system"), SYSTEM), *found)


def _has_citations(messages: Json) -> bool:
    """Whether a document asks to be cited, which no other dialect can be told."""
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for block in content if isinstance(content, list) else ():
            asked = block.get("citations") if isinstance(block, dict) else None
            if isinstance(asked, dict) and asked.get("enabled"):
                return True
    return False


def _read_messages(fields: Fields) -> Iterator[Message]:
    system = tuple(read_blocks(fields, "system"))
    if system:
        yield Message("system", system)
    for message in fields.items("messages"):
        role = message.need_text("role")
        parts = tuple(read_blocks(message))
        match role:
            case "user":
                yield from _split_results(parts)
            case "assistant":
                yield Message("assistant", parts)
            case "system":  # newer models take one in mid-conversation
                yield Message("system", parts)
            case _:
                path = message.at("role")
                raise BadRequest(f"{path}: must be user or assistant.", param=path)


def _split_results(parts: tuple[Part, ...]) -> Iterator[Message]:
    results = tuple(part for part in parts if isinstance(part, ToolResponsePart))
    others = tuple(part for part in parts if not isinstance(part, ToolResponsePart))
    if results:
        yield Message("tool", results)
    if others or not results:
        yield Message("user", others)


def _read_tools(fields: Fields) -> tuple[tuple[ToolDefinition, ...], tuple[str, ...]]:
    tools: list[ToolDefinition] = []
    unread: list[str] = []
    for tool in fields.items("tools"):
        if tool.text("type") not in (None, "custom"):
            known = as_function(tool)
            if known is None:
                unread.append(f"tools.{tool.text('type')}")
                continue
            tools.append(known[0])
            unread += known[1]
            continue
        schema = read_schema(tool, "input_schema")
        if not schema.values:
            tool.need_child("input_schema")
        unread += schema.named
        unread += unread_fields(tool, _TOOL_FIELDS)
        tools.append(
            ToolDefinition(
                name=tool.need_text("name"),
                description=tool.text("description") or "",
                parameters=schema.values,
                is_strict=tool.flag("strict"),
            )
        )
    return tuple(tools), tuple(unread)


def _read_choice(choice: Fields | None) -> ToolChoice | None:
    if choice is None:
        return None
    match choice.text("type"):
        case "auto":
            return ToolChoice("auto")
        case "none":
            return ToolChoice("none")
        case "any":
            return ToolChoice("required")
        case "tool":
            return ToolChoice("named", choice.need_text("name"))
        case _:
            raise choice.refuse("type", "auto, any, tool or none")


def _read_format(fields: Fields) -> ReplyFormat | None:
    config = fields.child("output_config")
    wanted = (config.child("format") if config else None) or fields.child("output_format")
    if wanted is None:
        return None
    if wanted.text("type") != "json_schema":
        raise wanted.refuse("type", "json_schema")
    return ReplyFormat("json_schema", schema=wanted.need_child("schema").values, is_strict=True)


def _read_reasoning(fields: Fields) -> ReasoningRequest | None:
    config = fields.child("output_config")
    effort = config.text("effort") if config else None
    thinking = fields.child("thinking")
    kind = thinking.text("type") if thinking else None
    if thinking is None or kind in _NO_THINKING:
        return (
            ReasoningRequest(effort=effort, asked_as="output_config.effort") if effort and not kind else None
        )
    return ReasoningRequest(
        effort=effort,
        budget_tokens=thinking.integer("budget_tokens"),
        is_adaptive=kind == "adaptive",
        asked_as="thinking",
    )
