"""Anthropic's words for stop reasons and error types; no logic."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import FinishReason

STOP_READ: Final[Mapping[str, FinishReason]] = {
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_full",
    "tool_use": "tool",
    "refusal": "filtered",
    "pause_turn": "paused",
}
STOP_WRITTEN: Final[Mapping[str, str]] = {
    "end": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_full": "model_context_window_exceeded",
    "tool": "tool_use",
    "filtered": "refusal",
    "paused": "pause_turn",
    "malformed_tool": "end_turn",
    "unknown": "end_turn",
}
ERROR_TYPE_BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
ERROR_TYPES: Final[frozenset[str]] = frozenset({*ERROR_TYPE_BY_STATUS.values(), "api_error"})
# Thinking tokens for models that know budgets and no effort.
EFFORT_BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 24576,
    "xhigh": 1_000_000,  # the model's maximum: capped by max_tokens
    "max": 1_000_000,
}
