"""Reads the tools of a chat request: functions, custom tools, and what callers mix up with them."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import ClientTool, ToolDefinition
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.pairing.client_tools import TEXT_SCHEMA
from sternpost.dialects.pairing.tool_schemas import read_schema, unread_fields

_TOOL_FIELDS: Final = frozenset({"type", "function", "custom", "cache_control"})
_FUNCTION_FIELDS: Final = frozenset({"name", "description", "parameters", "strict"})
_FLAT_FIELDS: Final = _FUNCTION_FIELDS | {"type", "cache_control"}
Clients = dict[str, ClientTool]


def read_tools(fields: Fields) -> tuple[tuple[ToolDefinition, ...], Clients, tuple[str, ...]]:
    """Return the tools, what those are that are no functions, and names of what could not be read."""
    tools: list[ToolDefinition] = []
    clients: Clients = {}
    unread: list[str] = []
    for tool in fields.items("tools"):
        match tool.values.get("type", "function"):
            case "function":
                tools.append(_read_function(tool, unread))
            case "custom" if isinstance(tool.values.get("custom"), Mapping):
                custom = tool.need_child("custom")
                name = custom.need_text("name")
                tools.append(ToolDefinition(name, custom.text("description") or "", TEXT_SCHEMA))
                clients[name] = ClientTool("custom", name, format=_format(custom))
            case kind:
                unread.append(f"tools.{str(kind)[:64]}")
    tools += [_definition(function, unread) for function in fields.items("functions")]
    return tuple(tools), clients, tuple(dict.fromkeys(unread))


def _read_function(tool: Fields, unread: list[str]) -> ToolDefinition:
    """Read a function; one that is written flat, as other APIs have it, is read as it stands."""
    function = tool.child("function")
    if function is not None:
        unread += unread_fields(tool, _TOOL_FIELDS)
        if not function.has("parameters") and (outer := read_schema(tool, "parameters")).values:
            unread.append(f"{tool.path} (its schema read as function.parameters)")
            return _definition(function, unread, outer.values)
        return _definition(function, unread)
    if not tool.has("name"):
        tool.need_child("function")
    unread.append(f"{tool.path} (read as a function)")
    unread += unread_fields(tool, _FLAT_FIELDS)
    return _definition(tool, unread, is_flat=True)


def _definition(
    function: Fields, unread: list[str], schema: Mapping[str, Json] | None = None, *, is_flat: bool = False
) -> ToolDefinition:
    if schema is None:
        read = read_schema(function, "parameters")
        schema = read.values
        unread += read.named
    if not is_flat:
        unread += unread_fields(function, _FUNCTION_FIELDS)
    return ToolDefinition(
        name=function.need_text("name"),
        description=function.text("description") or "",
        parameters=schema,
        is_strict=function.flag("strict"),
    )


def _format(custom: Fields) -> Mapping[str, Json] | None:
    """Return the grammar of a custom tool as the Responses API writes it, which nests it less."""
    form = custom.child("format")
    if form is None or form.values.get("type") != "grammar":
        return None
    grammar = form.child("grammar")
    return {"type": "grammar", **(grammar.values if grammar is not None else form.values)}


def custom_calls(fields: Fields) -> frozenset[str]:
    """Return the ids of earlier calls of custom tools, whose arguments are a text."""
    calls = (
        call
        for message in fields.items("messages")
        if message.values.get("tool_calls")
        for call in message.items("tool_calls")
    )
    return frozenset(
        call.text("id") or ""
        for call in calls
        if call.values.get("custom") and not call.values.get("function")
    )
