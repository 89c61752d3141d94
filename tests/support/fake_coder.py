"""What the model of a coding agent says: it looks at a file, changes it, runs a command and answers.

It calls the tools that the agent has offered, by their names and with arguments that their schemas know; so
each agent can be played against every dialect. A turn is found from the results that the request has already.
Asked for by `play=coder` among the options; the task names the file's path, which ends in `greeting.txt`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FILE, BEFORE, AFTER = "greeting.txt", "hello world", "goodbye world"
ANSWER = f"Done: {FILE} now says {AFTER}."
_PATH = re.compile(r"/[\w./+-]*/greeting\.txt")
_SHELLS = ("bash", "run_shell_command", "exec_command", "shell_command", "local_shell", "shell")
_SAID = ("I look at the file first.", "Now I change it.", "Let me see what it says.")


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: str  # JSON, or the text of a custom tool
    is_custom: bool = False
    namespace: str = ""


@dataclass(frozen=True)
class Turn:
    text: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Tool:
    name: str
    schema: Mapping[str, Any]
    is_custom: bool = False
    namespace: str = ""


def turn_of(request: Mapping[str, Any]) -> Turn | None:
    """Say the next turn of a request in any dialect; None where nothing of the task is in it."""
    text = json.dumps(request)
    found = _PATH.search(text)
    if found is None:
        return None
    if "<<<<<<< SEARCH" in text:
        return Turn(_search_and_replace(found[0]))
    tools = {tool.name.lower().rpartition("__")[2]: tool for tool in reversed(list(tools_of(request)))}
    steps = [step for step in _steps(tools, found[0]) if step]
    if not steps:
        return None
    results, at = _count_results(request), 0
    for number, step in enumerate(steps):
        if results < at + len(step):
            calls = [_call(tool, wanted, at + place) for place, (tool, wanted) in enumerate(step)]
            return Turn(_SAID[number], tuple(calls))
        at += len(step)
    return Turn(ANSWER)


def _steps(tools: Mapping[str, Tool], path: str) -> Iterator[list[tuple[Tool, Any]]]:
    """Give the calls of each turn: reading and listing at once, changing, running."""
    if code := tools.get("exec"):  # Codex: one tool that runs JavaScript, which calls the others
        yield [(code, {"code": _script("exec_command", {"cmd": f"cat {path}"})})]
        yield [(code, {"code": _script("apply_patch", _patch(path))})]
        yield [(code, {"code": _script("exec_command", {"cmd": f"cat {path}"})})]
        return
    shell = next((tools[name] for name in _SHELLS if name in tools), None)
    read = next((tools[name] for name in ("read", "read_file") if name in tools), None)
    show = {"command": f"cat {path}"}
    listing = [(shell, {"command": f"ls {path}"})] if shell else []
    yield [(read, {"path": path}), *listing] if read else [(shell, show), *listing] if shell else []
    edit = next((tools[name] for name in ("edit", "replace") if name in tools), None)
    if edit:
        yield [(edit, {"path": path, "old": BEFORE, "new": AFTER})]
    elif patch := tools.get("apply_patch"):
        yield [(patch, {"patch": _patch(path)})]
    elif shell:
        yield [(shell, {"command": f"sed -i 's/{BEFORE}/{AFTER}/' {path}"})]
    yield [(shell, show)] if shell else []


def _patch(path: str) -> str:
    lines = ("*** Begin Patch", f"*** Update File: {path}", "@@", f"-{BEFORE}", f"+{AFTER}", "*** End Patch")
    return "\n".join(lines)


def _script(tool: str, wanted: object) -> str:
    return f"const found = await tools.{tool}({json.dumps(wanted)});\ntext(found);"


_MEANT = {
    "path": ("file_path", "filePath", "absolute_path", "path"),
    "old": ("old_string", "oldString"),
    "new": ("new_string", "newString"),
    "command": ("command", "cmd"),
    "patch": ("input", "patch", "patchText"),
    "code": ("input",),
}


def _call(tool: Tool, wanted: Mapping[str, str], number: int) -> Call:
    call_id = f"call_coder_{number}"
    if tool.is_custom:
        (text,) = wanted.values()
        return Call(call_id, tool.name, text, is_custom=True, namespace=tool.namespace)
    known = tool.schema.get("properties") or {}
    filled: dict[str, Any] = {}
    for meaning, value in wanted.items():
        name = next(name for name in _MEANT[meaning] if name in known)
        is_list = str(known[name].get("type")).lower() == "array"
        filled[name] = ["bash", "-lc", value] if is_list else value
    for name in tool.schema.get("required") or ():
        if name not in filled:
            filled[name] = _filler(known[name])
    return Call(call_id, tool.name, json.dumps(filled), namespace=tool.namespace)


def _filler(schema: Mapping[str, Any]) -> Any:
    kind = str(schema.get("type")).lower()
    return {"boolean": False, "integer": 1000, "number": 1000}.get(kind, "part of the task")


def _search_and_replace(path: str) -> str:
    """Answer as aider wants it: a file name and a block."""
    name = path.rpartition("/")[2]
    block = f"<<<<<<< SEARCH\n{BEFORE}\n=======\n{AFTER}\n>>>>>>> REPLACE"
    return f"{ANSWER}\n\n{name}\n```\n{block}\n```\n"


def tools_of(request: Mapping[str, Any]) -> Iterator[Tool]:
    config = request.get("toolConfig") or {}
    for tool in request.get("tools") or config.get("tools") or ():
        yield from _one_or_more(tool)
    for item in request.get("input") or ():  # Responses: tools that come with the conversation
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            for tool in item.get("tools", ()):
                yield from _one_or_more(tool)


def _one_or_more(tool: Mapping[str, Any], namespace: str = "") -> Iterator[Tool]:
    if tool.get("type") == "namespace":
        for inner in tool["tools"]:
            yield from _one_or_more(inner, tool["name"])
    for inner in tool.get("functionDeclarations", ()):
        yield Tool(inner["name"], inner.get("parametersJsonSchema") or inner.get("parameters") or {})
    named = tool.get("function") or tool.get("custom") or tool.get("toolSpec") or tool
    if "name" in named and tool.get("type") != "namespace":
        schema = named.get("parameters") or named.get("input_schema") or named.get("inputSchema") or {}
        yield Tool(named["name"], schema.get("json", schema), tool.get("type") == "custom", namespace)
    elif tool.get("execution") == "client":
        yield Tool(str(tool["type"]), tool.get("parameters") or {})
    elif tool.get("type") == "local_shell":
        yield Tool("local_shell", {"properties": {"command": {"type": "array"}}})


def _count_results(value: Any) -> int:
    """Count the results of tools in a request of any dialect, wherever they stand."""
    if isinstance(value, list):
        return sum(map(_count_results, value))
    if not isinstance(value, dict):
        return 0
    is_result = (
        value.get("role") == "tool"
        or value.get("type") in ("tool_result", "function_call_output", "custom_tool_call_output")
        or value.get("type") == "local_shell_call_output"
        or "functionResponse" in value
        or "toolResult" in value
    )  # fmt: skip
    return 1 if is_result else sum(map(_count_results, value.values()))
