"""Gemini's words for finish reasons, choices of tools and amounts of thinking; no logic."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import FinishReason, ToolChoiceMode
from sternpost.contracts.message import Modality

# Source: https://ai.google.dev/api/generate-content#FinishReason; words that are not here are `unknown`.
FINISH_READ: Final[Mapping[str, FinishReason]] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",  # there is more, by a token that no other dialect has
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "MODEL_ARMOR",
            "ESCALATION",
            "PUP_LIMITED_DISABLED",
        ),
        "filtered",
    ),
    "MALFORMED_FUNCTION_CALL": "malformed_tool",
    "UNEXPECTED_TOOL_CALL": "malformed_tool",
}
# Reasons for which a candidate may hold nothing at all: then the model failed, and did not answer.
FAILED: Final = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
        "NO_IMAGE",
        "IMAGE_OTHER",
        "OTHER",
        "FINISH_REASON_UNSPECIFIED",
    }
)
CHOICE_WRITTEN: Final[Mapping[ToolChoiceMode, str]] = {
    "auto": "AUTO",
    "none": "NONE",
    "required": "ANY",
    "named": "ANY",
}
TIERS: Final[Mapping[str, str]] = {
    "flex": "flex",
    "priority": "priority",
    "default": "standard",
    "standard_only": "standard",
}
# What models of the third generation and later are asked by, and what the ones before.
LEVELS: Final[Mapping[str, str]] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
}
BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 24_576,
}
LARGEST_BUDGET: Final = 24_576  # which every model that takes budgets takes
SMALLEST_BUDGET: Final = 512  # which every model that takes budgets takes
ROOM_FOR_ANSWER: Final = 1024
DYNAMIC_BUDGET: Final = -1  # the model decides
MIME_OF: Final[Mapping[Modality, str]] = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "document": "application/pdf",
}
# Abilities of the catalogue that decide how a model is asked.
BY_LEVEL: Final = "thinking_level"  # third generation and later: levels, and signatures that are checked
CAN_MINIMAL: Final = "minimal_thinking"
CAN_XHIGH: Final = "xhigh_thinking"
CAN_STOP_THINKING: Final = "thinking_off"
