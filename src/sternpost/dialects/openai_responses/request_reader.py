"""Reads a Responses request into the internal one; what it can't carry is named, never lost silently."""

from collections.abc import Iterator
from typing import Final

from sternpost.contracts.chat import ChatRequest, ReasoningAsk, ReplyFormat, ToolChoice, ToolDefinition
from sternpost.contracts.message import Json, Message, TextPart
from sternpost.dialects.json_fields import Fields, read_object
from sternpost.dialects.openai_chat.request_reader import allowed_tools
from sternpost.dialects.openai_responses.items import read_input
from sternpost.dialects.openai_responses.seal import MARK

_READ: Final = frozenset(
    {
        "model",
        "input",
        "instructions",
        "stream",
        "stream_options",  # padding of frames, which nobody misses
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "text",
        "reasoning",
        "include",
        "user",
        "safety_identifier",
        "service_tier",
        "metadata",
        "prompt_cache_key",
        "top_logprobs",
    }
)
# What means nothing to another provider when it is off, or is so by default.
_OFF: Final[tuple[Json, ...]] = (None, False, 0, [], {}, "disabled")
LOGPROBS: Final = "message.output_text.logprobs"
_CARRIED: Final = frozenset({"reasoning.encrypted_content", LOGPROBS})


def read_request(body: bytes) -> ChatRequest:
    """Raises: BadRequest with the path of what can't be read."""
    fields = read_object(body)
    tools, unread_tools = _read_tools(fields)
    tools, choice, unread_choice = _read_tool_choice(fields, tools)
    metadata, text, included = fields.child("metadata"), fields.child("text"), fields.texts("include")
    return ChatRequest(
        model=fields.need_text("model"),
        messages=(*_instructions(fields), *read_input(fields)),
        is_stream=bool(fields.flag("stream")),
        tools=tools,
        tool_choice=choice,
        takes_parallel_tools=fields.flag("parallel_tool_calls"),
        max_output_tokens=fields.integer("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        reply_format=_read_format(fields),
        reasoning=_read_reasoning(fields),
        end_user=fields.text("safety_identifier") or fields.text("user"),
        service_tier=fields.text("service_tier"),
        cache_key=fields.text("prompt_cache_key"),
        wants_logprobs=LOGPROBS in included,
        top_logprobs=fields.integer("top_logprobs") or None,
        metadata=metadata.text_map() if metadata else {},
        verbosity=text.text("verbosity") if text else None,
        unread=(*_unread(fields), *unread_tools, *unread_choice),
    )


def _unread(fields: Fields) -> Iterator[str]:
    for name, value in fields.values.items():
        if name not in _READ and value not in _OFF:
            yield name
    if any(wanted not in _CARRIED for wanted in fields.texts("include")):
        yield "include"
    reasoning = fields.child("reasoning")
    if reasoning is not None and (reasoning.has("summary") or reasoning.has("generate_summary")):
        yield "reasoning.summary"
    if any(_is_sealed_elsewhere(item) for item in _listed(fields.values.get("input"))):
        yield "reasoning.encrypted_content"


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _is_sealed_elsewhere(item: Json) -> bool:
    """Whether an item holds thinking that only OpenAI can read."""
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    sealed = item.get("encrypted_content")
    return isinstance(sealed, str) and bool(sealed) and not sealed.startswith(MARK)


def _instructions(fields: Fields) -> Iterator[Message]:
    value = fields.values.get("instructions")
    if isinstance(value, str):
        if value:
            yield Message("system", (TextPart(value),))
    elif value is not None:
        yield from read_input(Fields({"input": value}, fields.at("instructions")))


def _read_tools(fields: Fields) -> tuple[tuple[ToolDefinition, ...], tuple[str, ...]]:
    tools: list[ToolDefinition] = []
    unread: list[str] = []
    for tool in fields.items("tools"):
        if tool.text("type") != "function":
            unread.append(f"tools.{tool.text('type')}")
            continue
        parameters = tool.child("parameters")
        tools.append(
            ToolDefinition(
                name=tool.need_text("name"),
                description=tool.text("description") or "",
                parameters=parameters.values if parameters else {},
                is_strict=tool.flag("strict"),
            )
        )
    return tuple(tools), tuple(unread)


def _read_tool_choice(
    fields: Fields, tools: tuple[ToolDefinition, ...]
) -> tuple[tuple[ToolDefinition, ...], ToolChoice | None, tuple[str, ...]]:
    """Return the tools that may be called, which of them must be, and what of it could not be read."""
    match fields.values.get("tool_choice"):
        case None:
            return tools, None, ()
        case "auto":
            return tools, ToolChoice("auto"), ()
        case "none":
            return tools, ToolChoice("none"), ()
        case "required":
            return tools, ToolChoice("required"), ()
        case {"type": "function"}:
            return tools, ToolChoice("named", fields.need_child("tool_choice").need_text("name")), ()
        case {"type": "allowed_tools"}:
            return allowed_tools(fields.need_child("tool_choice"), tools)
        case {"type": _}:  # a tool that runs at the provider
            return tools, None, ("tool_choice",)
        case _:
            raise fields.refuse("tool_choice", "auto, none, required or one tool")


def _read_format(fields: Fields) -> ReplyFormat | None:
    text = fields.child("text")
    ask = text.child("format") if text else None
    if ask is None:
        return None
    match ask.text("type"):
        case "text":
            return None
        case "json_object":
            return ReplyFormat("json_object")
        case "json_schema":
            schema = ask.child("schema")
            return ReplyFormat(
                "json_schema",
                name=ask.text("name") or "",
                schema=schema.values if schema else None,
                is_strict=ask.flag("strict"),
            )
        case _:
            raise ask.refuse("type", "text, json_object or json_schema")


def _read_reasoning(fields: Fields) -> ReasoningAsk | None:
    ask = fields.child("reasoning")
    effort = ask.text("effort") if ask else None
    return ReasoningAsk(effort=effort, asked_as="reasoning") if effort else None
