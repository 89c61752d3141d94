"""Addresses as the vendors' own SDKs write them, ended where the paths of their dialect begin; asks nobody.

Some SDKs add the version to the address and some want it there: people copy either form.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from sternpost.contracts.call import Dialect

_VERSION: Final = re.compile(r"/v\d\w*\Z")
_PUBLISHERS: Final = "/publishers/"  # of Vertex AI, whose version stands before
# Hosts of OpenAI's dialect whose paths begin at the root.
_AT_ROOT: Final = frozenset({"api.perplexity.ai", "models.inference.ai.azure.com", "api.githubcopilot.com"})
_OPENAI: Final = frozenset[Dialect]({"openai_chat", "openai_responses"})
_ENDPOINTS: Final = ("/chat/completions", "/responses", "/messages", "/api/chat", "/v2/chat")


def completed(base_url: str, dialect: Dialect) -> str:
    """Return the address with the version that its dialect's paths lack, or without what they begin with."""
    if "?" in base_url or not base_url.startswith(("http://", "https://")):
        return base_url
    parts = urlsplit(base_url)
    for endpoint in _ENDPOINTS:  # of a whole address that was copied
        base_url = base_url.removesuffix(endpoint)
    path = urlsplit(base_url).path
    match dialect:
        case "anthropic" if not _VERSION.search(path) and _PUBLISHERS not in path:
            return f"{base_url}/v1"
        case "gemini" if not _VERSION.search(path) and _PUBLISHERS not in path:
            return f"{base_url}/v1beta"
        case "cohere":
            return base_url.removesuffix("/v1").removesuffix("/v2")
        case "ollama":
            return base_url.removesuffix("/api").removesuffix("/v1")
        case _ if dialect in _OPENAI and not path and parts.hostname not in _AT_ROOT:
            return f"{base_url}/v1"
        case _:
            return base_url
