"""Words of the Responses API for statuses, reasons and tools that run at the provider; no logic."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import FinishReason

INCOMPLETE_READ: Final[Mapping[str, FinishReason]] = {
    "max_output_tokens": "length",
    "max_tokens": "length",  # some compatible hosts
    "content_filter": "filtered",
}
INCOMPLETE_WRITTEN: Final[Mapping[str, str]] = {
    "length": "max_output_tokens",
    "context_full": "max_output_tokens",
    "filtered": "content_filter",
}
# Items of tools that the provider runs and bills beside tokens.
UNIT_OF_ITEM: Final[Mapping[str, str]] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_exec",
    "image_generation_call": "image_generation",
}
# What only the provider that made it can go on from, by field; the value is an id or holds one.
STORED_FIELDS: Final = ("previous_response_id", "conversation", "prompt", "background")
# Of the actions of a web search the search alone is charged (OpenAI's guide "Web search", on its output).
_FREE_ACTIONS: Final = frozenset({"open_page", "find_in_page", "find"})


def is_billed(item_type: str, action: str) -> bool:
    """Say whether an item of the output is a use of its tool that costs something."""
    return not (item_type == "web_search_call" and action in _FREE_ACTIONS)


def finish_read(status: str, reason: str, *, has_calls: bool) -> FinishReason:
    """Return why a reply ended."""
    if status == "completed":
        return "tool" if has_calls else "end"
    if status == "incomplete":
        return INCOMPLETE_READ.get(reason, "unknown")
    return "unknown"
