"""Cohere's words for finish reasons; no logic."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import FinishReason

FINISH_READ: Final[Mapping[str, FinishReason]] = {
    "COMPLETE": "end",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool",
    "ERROR_TOXIC": "filtered",
    "ERROR_LIMIT": "context_full",
}
# A reply that ended so is none: finish reason -> the status that the same failure has as an answer.
FAILED: Final[Mapping[str, int]] = {"ERROR": 502, "TIMEOUT": 504}
