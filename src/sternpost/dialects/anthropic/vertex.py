"""Anthropic's messages as Vertex AI takes them: the model in the path, the version in the body.

Source: https://docs.anthropic.com/en/api/claude-on-vertex-ai and
https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens.
"""

from typing import Final
from urllib.parse import quote

VERSION_FIELD: Final = "anthropic_version"
VERSION: Final = "vertex-2023-10-16"
COUNT_PATH: Final = "/models/count-tokens:rawPredict"  # there the model stays in the body


def path_of(model: str, *, is_stream: bool) -> str:
    return f"/models/{quote(model, safe='@')}:{'streamRawPredict' if is_stream else 'rawPredict'}"
