"""Anthropic's messages as Vertex AI takes them: the model in the path, the version in the body.

Source: https://docs.anthropic.com/en/api/claude-on-vertex-ai and
https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

VERSION_FIELD: Final = "anthropic_version"
VERSION: Final = "vertex-2023-10-16"
COUNT_PATH: Final = "/models/count-tokens:rawPredict"  # there the model stays in the body

# Betas that Vertex AI takes; it answers 400 to any other. A value: its own name of the same one.
_BETAS: Final = {
    "advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19",
    **{
        beta: beta
        for beta in (
            "compact-2026-01-12",
            "compact-2026-09-04",
            "computer-use-2025-01-24",
            "computer-use-2025-11-24",
            "context-1m-2025-08-07",
            "context-management-2025-06-27",
            "interleaved-thinking-2025-05-14",
            "per-turn-control-2026-07-01",
            "thinking-binding-controls-2026-08-01",
            "thinking-display-updates-2026-08-18",
            "tool-search-tool-2025-10-19",
            "web-search-2025-03-05",
        )
    },
}
# Fields of a request that are not refused there as unknown.
FIELDS: Final = frozenset(
    {
        "anthropic_version", "anthropic_beta", "messages", "model", "max_tokens", "system", "metadata",
        "stream", "stop_sequences", "temperature", "top_p", "top_k", "tools", "tool_choice", "thinking",
        "output_config", "cache_control", "context_management",
    }
)  # fmt: skip
BETA_FIELD: Final = "anthropic_beta"


def split_betas(asked: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the betas to send, each once, and those that would be refused."""
    asked = tuple(asked)
    known = (_BETAS[beta] for beta in asked if beta in _BETAS)
    return tuple(dict.fromkeys(known)), tuple(beta for beta in asked if beta not in _BETAS)


def path_of(model: str, *, is_stream: bool) -> str:
    return f"/models/{quote(model, safe='@')}:{'streamRawPredict' if is_stream else 'rawPredict'}"
