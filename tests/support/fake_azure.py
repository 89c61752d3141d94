"""What Azure OpenAI says beside OpenAI's words: its content filter's annotations, as the fake answers them.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter-annotations and
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming (asynchronous filter).
"""

import json
import time
from collections.abc import Sequence
from typing import Any

_SAFE = {"filtered": False, "severity": "safe"}
_VERDICTS = {"hate": _SAFE, "violence": {"filtered": False, "severity": "low"}}


def frames(plain: Sequence[bytes]) -> list[bytes]:
    """Put the prompt's verdicts in front and a late verdict of the asynchronous filter before the end."""
    prompt = {"prompt_index": 0, "content_filter_results": {**_VERDICTS, "jailbreak": {"filtered": False}}}
    first = {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": [prompt],
    }
    offsets = {"check_offset": 8, "start_offset": 0, "end_offset": 40}
    late = {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [
            {
                "index": 0,
                "finish_reason": None,
                "content_filter_results": _VERDICTS,
                "content_filter_offsets": offsets,
            }
        ],
        "usage": None,
    }
    return [_frame(first), *plain[:-1], _frame(late), plain[-1]]


def policy_error() -> bytes:
    inner = {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {"violence": {"filtered": True, "severity": "high"}},
    }
    error = {
        "message": "The response was filtered due to the prompt triggering the content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": inner,
    }
    return json.dumps({"error": error}).encode()


def token() -> bytes:
    """Answer as the managed identity of an App Service does.

    Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity (REST endpoint reference).
    """
    granted = {"access_token": "entra-token-1", "expires_on": str(int(time.time()) + 3600)}
    resource = "https://cognitiveservices.azure.com"
    return json.dumps({**granted, "resource": resource, "token_type": "Bearer"}).encode()


def _frame(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload, separators=(",", ":")).encode() + b"\n\n"
