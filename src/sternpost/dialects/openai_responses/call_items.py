"""Items of calls and results of tools that the caller runs, read and written; other items are in `items`.

Source: https://platform.openai.com/docs/api-reference/responses/object, and for namespaces and the search of
tools .../docs/guides/tools-tool-search.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from sternpost.contracts.chat import ClientCall, ClientTool
from sternpost.contracts.message import Json, ToolCallPart, ToolResponsePart
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.pairing.client_tools import joined

ItemStatus = Literal["in_progress", "completed", "incomplete"]
SEARCH: Final = "tool_search"


@dataclass(frozen=True, slots=True)
class _Form:
    """How a call of one kind of tool is written."""

    item: str
    prefix: str  # of its id
    payload: str  # the field that says what to do
    constant: Mapping[str, Json]  # what stands in the payload, whatever the model asks
    beside: Mapping[str, Json]  # what stands beside it
    is_list: bool = False  # the payload, which the function has in a field of that name


_NOTHING: Final[Mapping[str, Json]] = {}
_UNCHECKED: Final[Mapping[str, Json]] = {"pending_safety_checks": []}
COMPUTER_RESULT: Final = "computer_call_output"
_FORMS: Final[Mapping[str, _Form]] = {
    "tool_search": _Form("tool_search_call", "tsc", "arguments", _NOTHING, {"execution": "client"}),
    "local_shell": _Form("local_shell_call", "lsh", "action", {"type": "exec", "env": {}}, _NOTHING),
    "shell": _Form("shell_call", "sh", "action", {"timeout_ms": None, "max_output_length": None}, _NOTHING),
    "apply_patch": _Form("apply_patch_call", "apc", "operation", _NOTHING, _NOTHING),
    "computer_use_preview": _Form("computer_call", "cu", "action", _NOTHING, _UNCHECKED),
    "computer": _Form("computer_call", "cu", "actions", _NOTHING, _UNCHECKED, is_list=True),
}
_NAME_OF_ITEM: Final = {form.item: kind for kind, form in _FORMS.items()}
_PREFIXES: Final = {"custom": "ctc", "function": "fc"} | {kind: form.prefix for kind, form in _FORMS.items()}
RESULTS: Final = frozenset(
    {
        "function_call_output",
        "custom_tool_call_output",
        "tool_search_output",
        "local_shell_call_output",
        "shell_call_output",
        "apply_patch_call_output",
        COMPUTER_RESULT,
    }
)


def read_call(item: Fields) -> ToolCallPart | None:
    """Read a call of a tool that the caller runs; None for any other item."""
    match item.text("type"):
        case "function_call":
            name = joined(item.text("namespace") or "", item.need_text("name"))
            return ToolCallPart(name, item.text("arguments") or "", item.text("call_id"))
        case "custom_tool_call":
            name = joined(item.text("namespace") or "", item.need_text("name"))
            return ToolCallPart(name, item.text("input") or "", item.text("call_id"))
        case "tool_search_call" if not is_by_caller(item):
            return None
        case kind if kind in _NAME_OF_ITEM:
            is_older = kind == "computer_call" and item.has("action")
            name = "computer_use_preview" if is_older else _NAME_OF_ITEM[kind]
            form = _FORMS[name]
            asked = item.values.get(form.payload)
            if form.is_list:
                text = msgspec.json.encode({form.payload: asked}).decode()
                return ToolCallPart(name, text, call_id_of(item))
            fields: Mapping[str, Json] = asked if isinstance(asked, Mapping) else _NOTHING
            kept = {
                key: value
                for key, value in fields.items()
                if value is not None and form.constant.get(key) != value
            }
            return ToolCallPart(name, msgspec.json.encode(kept).decode(), call_id_of(item))
        case _:
            return None


def is_by_caller(item: Fields) -> bool:
    """Whether a search of tools is one that the caller runs."""
    return item.values.get("execution") == "client"


def call_id_of(item: Fields) -> str | None:
    return item.text("call_id") or item.text("id")


def read_special_result(item: Fields) -> ToolResponsePart | None:
    """Read the result of a tool whose results have a form of their own; None for any other."""
    match item.text("type"):
        case "tool_search_output":
            return ToolResponsePart({"tools": list(_tool_names(item))}, call_id_of(item))
        case "local_shell_call_output" | "shell_call_output":
            return ToolResponsePart(item.values.get("output"), call_id_of(item))
        case "apply_patch_call_output":
            status = item.text("status") or "completed"
            output = item.values.get("output") or status
            return ToolResponsePart(output, call_id_of(item), is_error=status == "failed")
        case _:
            return None


def _tool_names(item: Fields) -> Iterable[str]:
    for tool in item.items("tools"):
        name = tool.text("name") or tool.text("type") or ""
        if tool.values.get("type") != "namespace":
            yield name
            continue
        yield from (joined(name, inner.text("name") or "") for inner in tool.items("tools"))


def id_prefix(tool: ClientTool | None) -> str:
    return _PREFIXES[tool.kind if tool is not None else "function"]


def call_item(item_id: str, call: ToolCallPart, status: ItemStatus) -> dict[str, Json]:
    """Write a call as the caller's own dialect has it. One whose arguments can't be read is a function's."""
    tool = call.tool if isinstance(call, ClientCall) else None
    head: dict[str, Json] = {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "call_id": call.id or "",
    }
    if tool is not None and tool.kind in _FORMS:
        form = _FORMS[tool.kind]
        asked = _object(call.arguments)
        payload = _payload(form, asked) if asked is not None else None
        if payload is not None:
            return {**head, "type": form.item, **form.beside, form.payload: payload}
    named: dict[str, Json] = {"name": call.name}
    if tool is not None and tool.namespace:
        named["namespace"] = tool.namespace
    if tool is not None and tool.kind == "custom":
        return {**head, "type": "custom_tool_call", **named, "input": call.arguments}
    return {**head, **named, "arguments": call.arguments}


def _payload(form: _Form, asked: Mapping[str, Json]) -> Json:
    """Return what a call says to do; None where its arguments do not have it."""
    if not form.is_list:
        return {**form.constant, **asked}
    items = asked.get(form.payload)
    return items if isinstance(items, list) else None


def has_payload(tool: ClientTool | None) -> bool:
    """Whether a call's arguments are an object of the item, which has no deltas."""
    return tool is not None and tool.kind in _FORMS


def _object(arguments: str) -> Mapping[str, Json] | None:
    try:
        value: Json = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None
