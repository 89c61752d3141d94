"""OpenAI's words for finish reasons and error types; no logic."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import FinishReason

FINISH_READ: Final[Mapping[str, FinishReason]] = {
    "stop": "end",
    "eos": "end",  # Together, and older vLLM
    "length": "length",
    "model_length": "length",  # Mistral
    "tool_calls": "tool",
    "function_call": "tool",
    "content_filter": "filtered",
    "sensitive": "filtered",  # Zhipu, as is the next
    "model_context_window_exceeded": "context_full",
    "max_tokens": "length",  # hosts that pass Anthropic's words on, as are the next
    "tool_use": "tool",
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "refusal": "filtered",
}
FINISH_WRITTEN: Final[Mapping[str, str]] = {
    "end": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_full": "length",
    "tool": "tool_calls",
    "filtered": "content_filter",
    "paused": "stop",
    "malformed_tool": "stop",
    "unknown": "stop",
}
# After these a call may be without arguments because it was cut short, not because it takes none.
CUT_SHORT: Final[frozenset[FinishReason]] = frozenset({"length", "context_full", "filtered"})
ERROR_TYPE_BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_exceeded",
}
ERROR_TYPES: Final[frozenset[str]] = frozenset(
    {
        "invalid_request_error",
        "insufficient_quota",
        "permission_error",
        "rate_limit_exceeded",
        "server_error",
        "requests",
        "tokens",
        "image_generation_user_error",
    }
)
TIERS: Final[Mapping[str, str]] = {
    **{tier: tier for tier in ("auto", "default", "flex", "scale", "priority")},
    "standard": "default",  # Anthropic answers it
    "standard_only": "default",  # and is asked so
}
QUOTA_CODES: Final[frozenset[str]] = frozenset({"budget_exceeded", "insufficient_quota"})
# Fields of a whole reply that are read, or that say nothing to a caller of another dialect: ids of builds,
# clocks and echoes of hosts. Any other that holds something is named as not shown.
KNOWN_FIELDS: Final = frozenset(
    {
        "id",
        "object",
        "created",
        "model",
        "choices",
        "usage",
        "service_tier",
        "system_fingerprint",
        "prompt_filter_results",
        "provider",
        "request_id",
        "metadata",
        "timings",
        "stats",
        "x_groq",
        "time_info",
        "kv_transfer_params",
        "prompt_token_ids",
        "moderation",
    }
)
KNOWN_OF_CHOICE: Final = frozenset(
    {
        "index",
        "message",
        "finish_reason",
        "native_finish_reason",
        "stop_reason",
        "matched_stop",
        "logprobs",
        "token_ids",
        "content_filter_results",
        "content_filter_offsets",
        "error",
    }
)
KNOWN_OF_MESSAGE: Final = frozenset(
    {
        "role",
        "content",
        "refusal",
        "tool_calls",
        "function_call",
        "audio",
        "images",
        "annotations",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "thinking_blocks",
    }
)
