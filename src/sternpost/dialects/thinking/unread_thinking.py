"""Signed thinking that Claude refuses to read back, and the request without it; decides not when.

Signatures are bound to the model that thought and, from Claude Fable 5.1 and Opus 5.5 on, to all that stood
before the block; without one of several blocks the others are refused as well. Sources:
platform.claude.com/docs/en/build-with-claude/preserved-thinking/prefix-checks and
.../thinking-troubleshooting.
"""

import re
from dataclasses import replace
from typing import Final

from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.message import Message, ReasoningPart

# Without it a body of Anthropic's has no thinking; with it, it may have some.
THOUGHT: Final = re.compile(rb'"type"\s*:\s*"(?:redacted_)?thinking"')
_WORDS: Final = re.compile(
    r"invalid .?signature.? in .?thinking.? block"
    r"|invalid .?data.? in .?redacted_thinking.? block"
    r"|.?thinking.? or .?redacted_thinking.? blocks in the latest assistant message cannot be modified",
    re.IGNORECASE,
)


def is_refused(message: str) -> bool:
    """Say whether an error answer means that thinking of an earlier turn can't be read."""
    return _WORDS.search(message) is not None


def has_thoughts(request: ChatRequest) -> bool:
    return any(isinstance(part, ReasoningPart) for message in request.messages for part in message.parts)


def without_thoughts(request: ChatRequest) -> ChatRequest:
    """Leave the thinking of earlier turns out; what was said, called and answered stays."""
    kept = map(_spoken, request.messages)
    return replace(request, messages=tuple(message for message in kept if message.parts))


def _spoken(message: Message) -> Message:
    parts = tuple(part for part in message.parts if not isinstance(part, ReasoningPart))
    return message if len(parts) == len(message.parts) else replace(message, parts=parts)
