"""Tools that Anthropic defines and the caller runs, as functions for models of other vendors.

Claude knows them without being told; their calls are `tool_use` blocks like all others, so nothing is turned
back. Source: https://docs.claude.com/en/docs/agents-and-tools/tool-use/bash-tool, .../text-editor-tool,
.../computer-use-tool and .../memory-tool.
"""

import re
from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import ToolDefinition
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import Fields

_VERSION: Final = re.compile(r"_20\d{6}\Z")
_TEXT: Final[Mapping[str, Json]] = {"type": "string"}
_NUMBER: Final[Mapping[str, Json]] = {"type": "integer"}
_POINT: Final[Mapping[str, Json]] = {"type": "array", "items": _NUMBER}
_KNOWN: Final = frozenset(  # the limit of a view is the caller's own to keep
    {
        *("type", "name", "cache_control", "display_width_px", "display_height_px", "display_number"),
        *("strict", "max_characters", "enable_zoom"),
    }
)


def _object(required: list[Json], /, **properties: Json) -> Mapping[str, Json]:
    return {"type": "object", "properties": properties, "required": required}


def _one_of(*values: Json) -> Mapping[str, Json]:
    return {"type": "string", "enum": list(values)}


_FILES: Final[Mapping[str, Json]] = {
    "path": _TEXT, "file_text": _TEXT, "old_str": _TEXT, "new_str": _TEXT, "insert_line": _NUMBER,
    "insert_text": _TEXT, "view_range": _POINT,
}  # fmt: skip
_ACTIONS: Final[tuple[Json, ...]] = (
    "key", "type", "mouse_move", "left_click", "left_click_drag", "right_click", "middle_click",
    "double_click", "triple_click", "left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait",
    "screenshot", "cursor_position", "zoom",
)  # fmt: skip
_TOOLS: Final[Mapping[str, tuple[str, Mapping[str, Json]]]] = {
    "bash": (
        "Run a command in a shell that keeps its state from call to call. `restart` begins a new one.",
        _object([], command=_TEXT, restart={"type": "boolean"}),
    ),
    "text_editor": (
        "View, create and edit text files. `str_replace` replaces `old_str`, which must occur once, by"
        " `new_str`; `insert` puts `insert_text` behind the line `insert_line`.",
        _object(
            ["command", "path"], command=_one_of("view", "create", "str_replace", "insert"), **_FILES
        ),
    ),
    "memory": (
        "Keep notes in files below /memories between conversations. Look there before you begin.",
        _object(
            ["command"],
            command=_one_of("view", "create", "str_replace", "insert", "delete", "rename"),
            old_path=_TEXT,
            new_path=_TEXT,
            **_FILES,
        ),
    ),
    "computer": (
        "Use the mouse and the keyboard of a computer, and look at its screen.",
        _object(
            ["action"],
            action=_one_of(*_ACTIONS),
            coordinate=_POINT,
            start_coordinate=_POINT,
            region=_POINT,
            text=_TEXT,
            scroll_direction=_one_of("up", "down", "left", "right"),
            scroll_amount=_NUMBER,
            duration={"type": "number"},
        ),
    ),
}  # fmt: skip


def as_function(tool: Fields) -> tuple[ToolDefinition, list[str]] | None:
    """Return the function that stands for a tool, and what is lost with it; None: the provider runs it."""
    kind = tool.text("type") or ""
    known = _TOOLS.get(_VERSION.sub("", kind))
    if known is None:
        return None
    words, schema = known
    width, height = tool.values.get("display_width_px"), tool.values.get("display_height_px")
    if width and height:
        words = f"{words} The screen is {width} pixels wide and {height} high."
    lost = [f"tools.{kind} (sent as a function)", *tool.others(_KNOWN)]
    return ToolDefinition(tool.need_text("name"), words, schema), lost
