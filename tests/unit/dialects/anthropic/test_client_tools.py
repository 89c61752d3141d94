"""Tools that Anthropic defines and the caller runs are functions for models of other vendors."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import Dialect
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC

TOOLS: list[tuple[dict[str, Any], str]] = [
    ({"type": "bash_20250124", "name": "bash"}, "restart"),
    ({"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9}, "old_str"),
    ({"type": "text_editor_20250124", "name": "str_replace_editor"}, "view_range"),
    ({"type": "memory_20250818", "name": "memory"}, "new_path"),
    ({"type": "computer_20250124", "name": "computer", "display_width_px": 1024, "display_height_px": 768},
     "scroll_direction"),
]  # fmt: skip
TARGETS: tuple[Dialect, ...] = ("openai_chat", "openai_responses", "gemini", "bedrock", "cohere", "ollama")


def asked(tool: dict[str, Any]) -> bytes:
    turns = [{"role": "user", "content": "go"}]
    return json.dumps({"model": "m", "max_tokens": 99, "messages": turns, "tools": [tool]}).encode()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("tool", "field"), TOOLS, ids=[tool["type"] for tool, _ in TOOLS])
def test_it_is_offered_under_its_name_with_its_arguments(
    tool: dict[str, Any], field: str, target: Dialect
) -> None:
    request = ANTHROPIC.read_request(asked(tool))
    written = UPSTREAM_CODECS[target].write_request(request, quirks=STANDARD, facts=None)
    assert f'"{tool["name"]}"' in written.body.decode()
    assert f'"{field}"' in written.body.decode()
    assert written.dropped == (f"tools.{tool['type']} (sent as a function)",)


def test_the_size_of_the_screen_is_told() -> None:
    (tool,) = ANTHROPIC.read_request(asked(TOOLS[-1][0])).tools
    assert tool.description.endswith("1024 pixels wide and 768 high.")


def test_what_runs_at_anthropic_stays_named_as_lost() -> None:
    request = ANTHROPIC.read_request(asked({"type": "web_search_20250305", "name": "web_search"}))
    assert (request.tools, request.unread) == ((), ("tools.web_search_20250305",))
