"""What a tool was called with and what it gave back, without the wrapping of each framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sternpost.contracts.message import Json, Message, ToolCallPart, ToolResponsePart
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.messages import read_message
from sternpost.ingest.mapping.parts import (
    argument_text,
    is_schema,
    read_result,
    read_tool_call,
    read_tool_response,
)
from sternpost.ingest.mapping.shapes import is_message, plain_shape
from sternpost.ingest.mapping.values import as_json, as_text, is_list, is_mapping

# Names that stand in front of the tool's own in the name of a span.
_PREFIXES: Final = ("execute_tool ", "running tool: ", "tools/call ")
_SINGLE: Final = frozenset({"arguments", "args", "kwargs", "tool_input", "tool_args", "tool_arguments"})
_PYTHON_CALL: Final = frozenset({"args", "kwargs", "sanitize_inputs_outputs"})
_CALL_TYPES: Final = frozenset({"tool_call", "tool_use", "function_call", "tool-call"})


@dataclass(frozen=True, slots=True)
class ToolSpan:
    inputs: tuple[Message, ...]
    outputs: tuple[Message, ...]
    definitions: Sequence[Json] = ()


def read_tool_span(span_name: str, attributes: Attributes) -> ToolSpan | None:
    """Read the call and its answer; None if the span has neither."""
    arguments, schema = _arguments(attributes)
    result = _first(attributes, ("tool_result", "output_messages"))
    name = attributes.text("tool_name")
    if not name and arguments is None and result is None:
        return None
    name = name or _without_prefix(span_name)
    call_id = attributes.text("tool_call_id") or None
    call = as_json(arguments)
    if is_mapping(call) and call.get("type") in _CALL_TYPES:  # LangGraph gives the whole call to its tool
        read = read_tool_call(call)
        inputs = Message("assistant", (ToolCallPart(name, read.arguments, call_id or read.id),))
        call_id = call_id or read.id
    else:
        inputs = Message("assistant", (ToolCallPart(name, _argument_text(arguments), call_id),))
    definition = {
        "name": name,
        "description": attributes.text("tool_description"),
        "parameters": as_json(schema),
    }
    return ToolSpan((inputs,), _answers(result, call_id), () if schema is None else (definition,))


def _without_prefix(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


def _arguments(attributes: Attributes) -> tuple[Json, Json]:
    """Return the arguments and, where `tool.parameters` holds that instead, the schema of the tool."""
    schema: Json = None
    for column in ("tool_arguments", "input_messages"):
        for _, value in attributes.candidates(column):
            if column == "tool_arguments" and is_schema(value):
                schema = value
                attributes.take(column, value)
                continue
            attributes.take(column, value)
            return value, schema
    return None, schema


def _first(attributes: Attributes, columns: Sequence[str]) -> Json:
    for column in columns:
        for _, value in attributes.candidates(column):
            attributes.take(column, value)
            return value
    return None


def _argument_text(value: Json) -> str:
    """Return the arguments alone; text that was not wrapped stays as the model wrote it."""
    found = as_json(value)
    bare = bare_arguments(found) if is_mapping(found) else found
    if bare is not found:
        return as_text(bare)
    return argument_text(value)


def bare_arguments(value: Mapping[str, Json]) -> Json:
    """Take arguments out of `{"args": [], "kwargs": {...}}`, `{"inputs": ..., "input_str": ...}` or alike."""
    if "input_str" in value and is_mapping(inner := as_json(value.get("inputs"))):  # OpenLLMetry's LangChain
        return inner
    if value.keys() <= _PYTHON_CALL:
        given, named = as_json(value.get("args")), as_json(value.get("kwargs"))
        if is_mapping(named) and not given:
            return named
        if is_list(given) and len(given) == 1 and not named and is_mapping(only := as_json(given[0])):
            return only
        if is_mapping(given) and not named:
            return given
    if len(value) == 1:
        name, only = next(iter(value.items()))
        if name in _SINGLE and is_mapping(inner := as_json(only)):
            return inner
    return value


def _answers(result: Json, call_id: str | None) -> tuple[Message, ...]:
    if result is None:
        return ()
    found = as_json(result)
    if is_list(found) and len(found) == 1 and is_mapping(found[0]) and "role" in plain_shape(found[0]):
        found = found[0]
    if is_mapping(found):
        found = plain_shape(found)
        if "output" in found and found.keys() <= {
            "output",
            "kwargs",
            "tags",
            "metadata",
            "name",
        }:  # OpenLLMetry
            found = as_json(found["output"])
    if is_mapping(found):
        found = plain_shape(found)
        if is_message(found) or "tool_call_id" in found:
            return (_of_message(found, call_id),)
    said, media = read_result(found)
    return (Message("tool", (ToolResponsePart(said, call_id, media=media),)),)


def _of_message(value: Mapping[str, Json], call_id: str | None) -> Message:
    if "content" in value:
        return Message("tool", (read_tool_response({"content": value["content"], **_facts(value)}, call_id),))
    return read_message(value, "tool")


def _facts(value: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value[name] for name in ("tool_call_id", "status") if value.get(name)}
