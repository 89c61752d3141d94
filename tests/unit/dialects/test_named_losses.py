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
