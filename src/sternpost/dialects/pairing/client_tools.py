"""Tools of a caller that are more than functions: offered as functions, their calls given back as they were.

Custom tools take a text and no JSON; a function with one string field stands for them. It reads no dialect.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.chat import ChatRequest, ClientTool, ToolDefinition
from sternpost.contracts.message import Json, Message, Part, ToolCallPart

_INPUT: Final = "input"
TEXT_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "properties": {_INPUT: {"type": "string"}},
    "required": [_INPUT],
}
_SEPARATOR: Final = "__"
_START: Final = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_ESCAPED: Final = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_PLAIN: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LONGEST_ESCAPE: Final = 12  # two halves of a pair


def joined(namespace: str, name: str) -> str:
    """Return the name of a function that stands for a tool of a namespace."""
    return f"{namespace}{_SEPARATOR}{name}" if namespace else name


def as_functions(request: ChatRequest) -> ChatRequest:
    """Return the request for a dialect that knows functions alone."""
    if not (request.client_tools or request.custom_calls):
        return request
    tools = tuple(_as_function(tool, request.client_tools.get(tool.name)) for tool in request.tools)
    messages = request.messages
    if request.custom_calls:
        messages = tuple(_wrapped(message, request.custom_calls) for message in messages)
    return replace(request, tools=tools, messages=messages)


def as_they_are(tools: Mapping[str, ClientTool]) -> dict[str, ClientTool]:
    """Return the tools for a dialect that knows custom tools, too."""
    return {name: replace(tool, is_native=tool.kind == "custom") for name, tool in tools.items()}


def _as_function(tool: ToolDefinition, client: ClientTool | None) -> ToolDefinition:
    form = client.format if client is not None else None
    if form is None or not isinstance(form.get("definition"), str):
        return tool
    told = f"The input must follow this {form.get('syntax') or 'formal'} grammar:\n{form['definition']}"
    return replace(tool, description=f"{tool.description}\n\n{told}".strip())


def _wrapped(message: Message, custom: frozenset[str]) -> Message:
    if not any(isinstance(part, ToolCallPart) and part.id in custom for part in message.parts):
        return message
    return replace(message, parts=tuple(_wrapped_part(part, custom) for part in message.parts))


def _wrapped_part(part: Part, custom: frozenset[str]) -> Part:
    if not isinstance(part, ToolCallPart) or part.id not in custom:
        return part
    return replace(part, arguments=msgspec.json.encode({_INPUT: part.arguments}).decode())


def text_of(arguments: str) -> str:
    """Return the text in the arguments of a function that stands for a custom tool; else all of them."""
    try:
        value: Json = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        reader = TextReader()
        return reader.feed(arguments) + reader.rest()
    text = value.get(_INPUT) if isinstance(value, Mapping) else None
    return text if isinstance(text, str) else arguments


class TextReader:
    """Reads the text out of the arguments of one call while they stream, split anywhere."""

    __slots__ = ("_held", "_is_over", "_is_text")

    def __init__(self) -> None:
        self._held = ""  # what can't be shown yet
        self._is_text = False
        self._is_over = False

    def feed(self, piece: str) -> str:
        """Return what can be shown of the text."""
        if self._is_over:
            return ""
        self._held += piece
        if not self._is_text:
            start = _START.match(self._held)
            if start is None:
                return ""
            self._is_text = True
            self._held = self._held[start.end() :]
        return self._decoded()

    def rest(self) -> str:
        """Return what is left at the end: arguments of another shape as they are; of a cut text nothing."""
        held, self._held = self._held, ""
        if self._is_text or self._is_over:
            return ""
        if held.lstrip()[:1] == "{":
            try:
                value: Json = msgspec.json.decode(held)
            except (msgspec.DecodeError, RecursionError):
                return "" if _is_start(held) else held
            text = value.get(_INPUT) if isinstance(value, Mapping) else None
            return text if isinstance(text, str) else held
        return held

    def _decoded(self) -> str:
        text: list[str] = []
        at, held = 0, self._held
        while True:
            stop = _next_special(held, at)
            text.append(held[at:stop])
            if stop == len(held):
                self._held = ""
                break
            if held[stop] == '"':
                self._is_over, self._held = True, ""
                break
            letter, length = _unescaped(held, stop)
            if not length:  # the escape goes on in the next piece
                self._held = held[stop:]
                break
            text.append(letter)
            at = stop + length
        return "".join(text)


def _is_start(held: str) -> bool:
    """Whether arguments were cut before their text began."""
    return '{"input":"'.startswith("".join(held.split()))


def _next_special(text: str, at: int) -> int:
    quote, slash = text.find('"', at), text.find("\\", at)
    return min(place if place >= 0 else len(text) for place in (quote, slash))


def _unescaped(text: str, at: int) -> tuple[str, int]:
    """Return the letter an escape stands for and its length; length 0: it is not whole yet."""
    found = _ESCAPED.match(text, at)
    if found is None:
        if len(text) - at >= 6 or (len(text) - at >= 2 and text[at + 1] != "u"):
            return text[at], 1  # no escape of JSON: kept as it is
        return "", 0
    if found[2]:
        return _PLAIN[found[2]], 2
    code = int(found[1], 16)
    if not 0xD800 <= code < 0xDC00:
        return ("\ufffd" if 0xDC00 <= code < 0xE000 else chr(code)), 6
    behind = text[at + 6 : at + _LONGEST_ESCAPE]
    if len(behind) < 6 and "\\u".startswith(behind[:2]):
        return "", 0  # its other half may follow
    low = _ESCAPED.match(text, at + 6)
    half = int(low[1], 16) if low is not None and low[1] else 0
    if 0xDC00 <= half < 0xE000:
        return chr(0x10000 + ((code - 0xD800) << 10) + (half - 0xDC00)), _LONGEST_ESCAPE
    return "\ufffd", 6


def built_in(kind: str) -> ToolDefinition | None:
    """Return a tool that OpenAI's models know without being told, as a function; None for any other."""
    return _BUILT_IN.get(kind)


def _object(properties: Mapping[str, Json], required: Iterable[str]) -> Mapping[str, Json]:
    return {"type": "object", "properties": properties, "required": list(required)}


_NUMBER: Final[Mapping[str, Json]] = {"type": "integer"}
_TEXT: Final[Mapping[str, Json]] = {"type": "string"}
_TEXTS: Final[Mapping[str, Json]] = {"type": "array", "items": _TEXT}
_POINT: Final = _object({"x": _NUMBER, "y": _NUMBER}, ["x", "y"])
_ACTION: Final = _object(
    {
        "type": {
            "type": "string",
            "enum": [
                *("click", "double_click", "drag", "keypress", "move", "screenshot", "scroll", "type", "wait")
            ],
        },
        "x": _NUMBER,
        "y": _NUMBER,
        "button": {"type": "string", "enum": ["left", "right", "wheel", "back", "forward"]},
        "keys": _TEXTS,
        "text": _TEXT,
        "scroll_x": _NUMBER,
        "scroll_y": _NUMBER,
        "path": {"type": "array", "items": _POINT},
    },
    ["type"],
)
_COMPUTER: Final = "Use the mouse and the keyboard of a computer. Each result is a screenshot."
# Source: https://platform.openai.com/docs/guides/tools-computer-use, .../tools-local-shell, .../tools-shell
# and .../tools-apply-patch.
_BUILT_IN: Final[Mapping[str, ToolDefinition]] = {
    "computer_use_preview": ToolDefinition("computer_use_preview", _COMPUTER, _ACTION),
    "computer": ToolDefinition(
        "computer", _COMPUTER, _object({"actions": {"type": "array", "items": _ACTION}}, ["actions"])
    ),
    "local_shell": ToolDefinition(
        "local_shell",
        "Run a command on the user's machine and return its output. `command` is the program and its"
        ' arguments, one each, such as ["bash", "-lc", "ls"].',
        _object({"command": _TEXTS, "timeout_ms": _NUMBER, "working_directory": _TEXT}, ["command"]),
    ),
    "shell": ToolDefinition(
        "shell",
        "Run shell commands on the user's machine and return the output of each.",
        _object({"commands": _TEXTS, "timeout_ms": _NUMBER, "max_output_length": _NUMBER}, ["commands"]),
    ),
    "apply_patch": ToolDefinition(
        "apply_patch",
        "Create, change or delete one file. `diff` is a diff in the V4A format: for a new file all its lines"
        " begin with +; to delete one it is left out.",
        _object(
            {
                "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                "path": _TEXT,
                "diff": _TEXT,
            },
            ["type", "path"],
        ),
    ),
}
