"""Whether a request to Claude on Vertex AI is as Google takes it; what is answered is Anthropic's own.

Source: https://docs.anthropic.com/en/api/claude-on-vertex-ai and
https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens.
"""

import json
import re
from urllib.parse import unquote

_PATH = re.compile(r"/publishers/anthropic/models/([^/:?]+):(rawPredict|streamRawPredict)$")
_COUNT = "count-tokens"


def model_of(path: str) -> str:
    """Return the model of a path; "" for any other path."""
    found = _PATH.search(path)
    return unquote(found[1]) if found else ""


def own_path(path: str) -> str:
    """Return the path that Anthropic itself has for the same request."""
    return "/v1/messages/count_tokens" if model_of(path) == _COUNT else "/v1/messages"


def refusal(path: str, body: bytes) -> str:
    """Say what Google would answer 400 to; "" for nothing."""
    asked = json.loads(body)
    if asked.get("anthropic_version") != "vertex-2023-10-16":
        return "anthropic_version: Field required"
    is_count = model_of(path) == _COUNT
    if ("model" in asked) is not is_count:
        return "model: Field required" if is_count else "model: Extra inputs are not permitted"
    if bool(asked.get("stream")) is not path.endswith(":streamRawPredict"):
        return "stream: must be as the method is"
    return ""
