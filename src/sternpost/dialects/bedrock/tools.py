"""Writes tools, the choice among them, and the form of the reply, which may have to be a tool."""

from collections.abc import Mapping
from typing import Final

import msgspec

from sternpost.contracts.chat import CacheMark, ReplyFormat
from sternpost.contracts.message import Json, ToolCallPart, ToolResponsePart
from sternpost.dialects.bedrock.draft import Draft
from sternpost.dialects.bedrock.names import REPLY_TOOL
from sternpost.dialects.bedrock.turns import cache_point
from sternpost.dialects.claude.closed_schemas import closed
from sternpost.dialects.claude.efforts import FORCED_CHOICE

_ANY_OBJECT: Final[Mapping[str, Json]] = {"type": "object"}
_NAMED_CHOICE: Final = frozenset({"anthropic", "amazon"})  # others know `any` only
_NO_TOOLS: Final = "Answer without calling a tool."


def write_tools(draft: Draft, marks: Mapping[int, CacheMark]) -> None:
    """Write `toolConfig`, also when only the history holds tools: Bedrock answers 400 without it.

    marks: by the tool they stand behind.
    """
    request = draft.request
    is_forbidden = _is_forbidden(draft)
    tools: list[Json] = []
    if request.tools and not (is_forbidden and not _has_history(draft)):
        for index in range(len(request.tools)):
            tools.append(_tool(draft, index))
            _mark(tools, marks.get(index))
    elif not request.tools:
        tools += [_spec(name, "", _ANY_OBJECT) for name in _used_names(draft)]
        is_forbidden = bool(tools)
    if not tools:
        return
    config: dict[str, Json] = {"tools": tools}
    is_open = not needs_reply_tool(draft)  # else the reply's own choice follows
    if is_open and is_forbidden:
        _say(draft, _NO_TOOLS)  # Converse has no choice `none`
    elif is_open and (choice := _choice(draft)):
        config["toolChoice"] = choice
    if request.takes_parallel_tools is False:
        draft.dropped.append("parallel_tool_calls")
    draft.body["toolConfig"] = config


def _is_forbidden(draft: Draft) -> bool:
    choice = draft.request.tool_choice
    return choice is not None and choice.mode == "none"


def _tool(draft: Draft, index: int) -> Json:
    tool = draft.request.tools[index]
    schema: dict[str, Json] = {"type": "object", **tool.parameters}
    name = draft.names.write(tool.name)
    if tool.is_strict and draft.can("json_schema", if_unknown=False):
        written = _spec(name, tool.description, closed(schema, []))
        return {"toolSpec": {**written["toolSpec"], "strict": True}}
    written = _spec(name, tool.description, schema)
    if tool.is_strict:
        draft.dropped.append("tools.strict")
    return written


def _spec(name: str, description: str, schema: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    spec: dict[str, Json] = {"name": name, "inputSchema": {"json": schema}}
    if description.strip():
        spec["description"] = description
    return {"toolSpec": spec}


def _mark(tools: list[Json], mark: CacheMark | None) -> None:
    if mark is not None:
        tools.append(cache_point(mark, takes_ttl=True))


def _used_names(draft: Draft) -> list[str]:
    parts = (part for message in draft.request.messages for part in message.parts)
    return list(
        dict.fromkeys(draft.names.write(part.name) for part in parts if isinstance(part, ToolCallPart))
    )


def _has_history(draft: Draft) -> bool:
    parts = (part for message in draft.request.messages for part in message.parts)
    return any(isinstance(part, ToolCallPart | ToolResponsePart) for part in parts)


def _choice(draft: Draft) -> Mapping[str, Json]:
    choice = draft.request.tool_choice
    if choice is None:
        return {}
    if choice.mode == "auto":
        return {"auto": {}}
    if draft.is_claude and (draft.is_thinking or draft.rejects(FORCED_CHOICE)):
        draft.dropped.append("tool_choice")  # Claude is not forced while it thinks
        return {"auto": {}}
    if choice.mode == "named" and draft.maker in _NAMED_CHOICE:
        return {"tool": {"name": draft.names.write(choice.name)}}
    if choice.mode == "named" and len(draft.request.tools) > 1:
        draft.dropped.append("tool_choice (any tool instead of the named one)")
    return {"any": {}}


def needs_reply_tool(draft: Draft) -> bool:
    """Whether the form of the reply must be asked for as a tool."""
    wanted = draft.request.reply_format
    if wanted is None or wanted.kind == "text" or not draft.can("tools", if_unknown=True):
        return False
    return wanted.kind == "json_object" or not draft.can("json_schema", if_unknown=True)


def write_format(draft: Draft) -> None:
    """Write `outputConfig` where the model has it, else a tool that the reader takes the reply from.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
    """
    wanted = draft.request.reply_format
    if wanted is None or wanted.kind == "text":
        return
    if needs_reply_tool(draft):
        _write_reply_tool(draft, wanted)
    elif wanted.kind == "json_schema" and draft.can("json_schema", if_unknown=True):
        told: list[str] = []
        schema = msgspec.json.encode(closed(wanted.schema or _ANY_OBJECT, told)).decode()
        draft.dropped += [f"response_format ({name} is told, not kept to)" for name in told]
        definition: dict[str, Json] = {"schema": schema}
        if wanted.name:
            definition["name"] = wanted.name
        form: Json = {"type": "json_schema", "structure": {"jsonSchema": definition}}
        effort = draft.body.get("outputConfig")
        draft.body["outputConfig"] = {**(effort if isinstance(effort, Mapping) else {}), "textFormat": form}
    else:
        draft.dropped.append("response_format")


def _write_reply_tool(draft: Draft, wanted: ReplyFormat) -> None:
    config = draft.body.get("toolConfig")
    others = config.get("tools") if isinstance(config, Mapping) else None
    tools = list(others) if isinstance(others, list) else []
    schema = {"type": "object", **(wanted.schema or {})}
    tools.append(_spec(REPLY_TOOL, "Give the whole answer by calling this tool, once.", schema))
    if draft.is_claude and draft.is_thinking:
        draft.dropped.append("response_format (asked for, not enforced, while the model thinks)")
        choice: Mapping[str, Json] = {"auto": {}}
    elif draft.rejects(FORCED_CHOICE):
        draft.dropped.append("response_format (asked for, not enforced)")
        choice = {"auto": {}}
    elif draft.maker in _NAMED_CHOICE and (not draft.request.tools or _is_forbidden(draft)):
        choice = {"tool": {"name": REPLY_TOOL}}
    else:
        choice = {"any": {}}
    draft.body["toolConfig"] = {"tools": tools, "toolChoice": choice}


def _say(draft: Draft, sentence: str) -> None:
    system = draft.body.get("system")
    texts = list(system) if isinstance(system, list) else []
    draft.body["system"] = [*texts, {"text": sentence}]
