"""Decides whether a question asks for one of the caller's tools, by its name alone; never runs one.

A tool is called when every word of its name stands in the question and every required argument can be
read from it: a listed value, a quoted text, what follows a preposition, a number.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from sternpost.providers.offline.words import terms

ToolMode: TypeAlias = Literal["auto", "none", "required"]
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_QUOTED = re.compile(r"[\"“]([^\"“”]{1,500})[\"”]")
_PREPOSITION = re.compile(r"\b(?:in|for|of|about|at|on|from|to|named|called)\b")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    parameters: Mapping[str, object]  # JSON Schema


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: str  # JSON text


def choose_tool(question: str, tools: Sequence[Tool], mode: ToolMode) -> ToolCall | None:
    """Return the call that the question asks for; None: answer in words."""
    if mode == "none" or not tools:
        return None
    asked = set(terms(question))
    if mode == "required":
        tool = max(tools, key=lambda tool: len(asked & {*_name_terms(tool), *terms(tool.description)}))
        return ToolCall(tool.name, json.dumps(_arguments(tool, question), ensure_ascii=False))
    for tool in tools:
        wanted = _name_terms(tool)
        if wanted and wanted <= asked:
            found = _arguments(tool, question)
            if set(_required(tool)) <= found.keys():
                return ToolCall(tool.name, json.dumps(found, ensure_ascii=False))
    return None


def _name_terms(tool: Tool) -> set[str]:
    return set(terms(_CAMEL.sub(" ", tool.name)))


def _required(tool: Tool) -> list[str]:
    names = tool.parameters.get("required")
    if not isinstance(names, list):
        return []
    return [name for name in cast("list[object]", names) if isinstance(name, str)]


def _arguments(tool: Tool, question: str) -> dict[str, object]:
    """Read the required arguments out of the question; those that it does not hold are left out."""
    properties = _mapping(tool.parameters.get("properties"))
    texts, numbers = _texts(question), _NUMBER.findall(question)
    found: dict[str, object] = {}
    for name in _required(tool):
        schema = _mapping(properties.get(name))
        kind, listed = schema.get("type"), schema.get("enum")
        if isinstance(listed, list):
            asked = set(terms(question))
            fits = [value for value in cast("list[object]", listed) if _is_named(value, asked)]
            if fits:
                found[name] = fits[0]
        elif kind == "string" and texts:
            found[name] = texts.pop(0)
        elif kind == "integer" and numbers:
            found[name] = int(float(numbers.pop(0)))
        elif kind == "number" and numbers:
            found[name] = float(numbers.pop(0))
    return found


def _texts(question: str) -> list[str]:
    """Return what may be a text argument, likeliest first: quoted, then after prepositions from the end."""
    after = [piece.strip(" \t\n?!.,;") for piece in _PREPOSITION.split(question)[:0:-1]]
    return [text for text in (*_QUOTED.findall(question), *after) if text]


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _is_named(value: object, asked: set[str]) -> bool:
    wanted = set(terms(str(value)))
    return bool(wanted) and wanted <= asked
