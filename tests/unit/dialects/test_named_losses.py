"""What stands inside a field that is read, and has no counterpart elsewhere, is named with its path."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import Dialect
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
TURNS = [{"role": "user", "content": "hi"}]
BASE: dict[Dialect, dict[str, Any]] = {
    "anthropic": {"model": "m", "max_tokens": 9, "messages": TURNS},
    "openai_chat": {"model": "m", "messages": TURNS},
    "openai_responses": {"model": "m", "input": "hi"},
}
FUNCTION = {"name": "f", "parameters": SCHEMA}
TEXT = {"type": "text", "text": "hi"}
CALLED = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "r"}
TOOL, FLAT = {"name": "f", "input_schema": SCHEMA}, {"type": "function", **FUNCTION}
LOST: list[tuple[Dialect, dict[str, Any], str]] = [
    ("anthropic", {"thinking": {"type": "disabled", "display": "omitted"}}, "thinking.display"),
    ("anthropic", {"output_config": {"task_budget": {"tokens": 9}}}, "output_config.task_budget"),
    ("anthropic", {"metadata": {"user_id": "u", "team": "a"}}, "metadata.team"),
    ("anthropic", {"tools": [{"name": "f", "input_schema": SCHEMA, "defer_loading": True}]},
     "tools.0.defer_loading"),
    ("anthropic", {"tools": [{"name": "f", "input_schema": SCHEMA, "input_examples": [{"id": "1"}]}]},
     "tools.0.input_examples"),
    ("anthropic", {"tools": [{**TOOL, "name": name, "eager_input_streaming": True} for name in "fg"]},
     "tools.*.eager_input_streaming"),
    ("anthropic", {"context_management": {"edits": [{"type": "x"}]}}, "context_management"),
    ("anthropic", {"tools": [{"name": "f", "parameters": SCHEMA}]},
     "tools.0.parameters (read as input_schema)"),
    ("openai_chat", {"tools": [{"type": "function", "function": {"name": "f", "input_schema": SCHEMA}}]},
     "tools.0.function.input_schema (read as parameters)"),
    ("openai_chat", {"tools": [{"type": "function", "function": {"name": "f", "inputSchema": SCHEMA}}]},
     "tools.0.function.inputSchema (read as parameters)"),
    ("openai_chat", {"tools": [{"name": "f", "input_schema": SCHEMA}]}, "tools.0 (read as a function)"),
    ("openai_chat", {"tools": [{"type": "function", "function": {"name": "f"}, "parameters": SCHEMA}]},
     "tools.0 (its schema read as function.parameters)"),
    ("openai_chat", {"tools": [{"type": "function", "function": {**FUNCTION, "examples": [1]}}]},
     "tools.0.function.examples"),
    ("openai_responses", {"tools": [{"type": "function", "name": "f", "input_schema": SCHEMA}]},
     "tools.0.input_schema (read as parameters)"),
    ("anthropic", {"messages": [{"role": "user", "content": "hi", "weight": 1}]}, "messages.*.weight"),
    ("anthropic", {"messages": [{"role": "user", "content": [{**TEXT, "weight": 1}]}]},
     "messages.*.content.*.weight"),
    ("anthropic", {"messages": [*TURNS, CALLED, {"role": "user", "content": [{**RESULT, "weight": 1}]}]},
     "messages.*.content.*.weight"),
    ("anthropic", {"system": [{"type": "text", "text": "s", "weight": 1}]}, "system.*.weight"),
    ("openai_chat", {"messages": [{"role": "user", "content": "hi", "name": "ada"}]}, "messages.*.name"),
    ("openai_chat", {"messages": [{"role": "user", "content": [{**TEXT, "weight": 1}]}]},
     "messages.*.content.*.weight"),
    ("openai_chat", {"messages": [*TURNS, {"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "weight": 1, "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "r"}]},
     "messages.*.tool_calls.*.weight"),
    ("openai_chat", {"response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "schema": SCHEMA, "description": "d"}}}, "response_format.json_schema.description"),
    ("openai_responses", {"input": [{"role": "user", "content": "hi", "weight": 1}]}, "input.*.weight"),
    ("openai_responses", {"input": [{"role": "user", "content": [
        {"type": "input_text", "text": "hi", "weight": 1}]}]}, "input.*.content.*.weight"),
    ("openai_responses", {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA,
        "description": "d"}}}, "text.format.description"),
    ("openai_responses", {"reasoning": {"effort": "low", "mode": "pro"}}, "reasoning.mode"),
    ("openai_responses", {"text": {"style": "plain"}}, "text.style"),
    ("openai_responses", {"tools": [{**FLAT, "name": name, "examples": [1]} for name in "fg"]},
     "tools.*.examples"),
]  # fmt: skip
TARGETS: tuple[Dialect, ...] = ("openai_chat", "anthropic", "openai_responses", "gemini", "bedrock", "cohere")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("caller", "fields", "name"), LOST, ids=[name for _, _, name in LOST])
def test_it_is_named_at_every_target_of_another_dialect(
    caller: Dialect, fields: dict[str, Any], name: str, target: Dialect
) -> None:
    request = CODECS[caller].read_request(json.dumps(BASE[caller] | fields).encode())
    written = UPSTREAM_CODECS[target].write_request(request, quirks=STANDARD, facts=None)
    assert name in written.dropped
    if "tools" in fields:
        assert "properties" in written.body.decode()


@pytest.mark.parametrize("caller", sorted(BASE))
def test_a_request_that_loses_nothing_names_nothing(caller: Dialect) -> None:
    tool: dict[Dialect, Any] = {
        "anthropic": {"name": "f", "description": "d", "input_schema": SCHEMA, "defer_loading": False},
        "openai_chat": {"type": "function", "function": {**FUNCTION, "description": "d"}},
        "openai_responses": {"type": "function", **FUNCTION, "strict": False},
    }
    request = CODECS[caller].read_request(json.dumps(BASE[caller] | {"tools": [tool[caller]]}).encode())
    assert request.unread == ()


REPLAYED: list[tuple[Dialect, dict[str, Any]]] = [
    ("anthropic", {"messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": None}]},
        {"role": "assistant", "content": [
            {"type": "text", "text": "x", "citations": None},
            {"type": "tool_use", "id": "c", "name": "f", "input": {}, "caller": {"type": "direct"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "r"}]}]}),
    ("openai_chat", {"messages": [*TURNS, {
        "role": "assistant", "content": "x", "refusal": None, "annotations": [], "audio": None,
        "function_call": None, "tool_calls": [
            {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "name": "f", "content": "r"}]}),
    ("openai_responses", {"input": [
        {"type": "message", "id": "m", "status": "completed", "role": "assistant", "content": [
            {"type": "output_text", "text": "x", "annotations": [], "logprobs": []}]},
        {"type": "function_call", "id": "f", "status": "completed", "call_id": "c", "name": "f",
         "arguments": "{}"},
        {"type": "function_call_output", "id": "o", "status": "completed", "call_id": "c", "output": "r"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("caller", "fields"), REPLAYED, ids=[caller for caller, _ in REPLAYED])
def test_what_sdks_send_back_of_a_reply_is_not_named(caller: Dialect, fields: dict[str, Any]) -> None:
    request = CODECS[caller].read_request(json.dumps(BASE[caller] | fields).encode())
    assert request.unread == ()
