"""Estimates how many tokens a request has: its texts by `base/tokens`, media by a flat figure."""

import msgspec

from sternpost.base.tokens import estimate_tokens
from sternpost.contracts.chat import ChatRequest, ToolDefinition
from sternpost.contracts.message import Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResponsePart

_MESSAGE_TOKENS = 4  # the marks around a message
_MEDIA_TOKENS = 1_600  # an image as large as Anthropic takes without shrinking it; its size is not looked at


def estimate(request: ChatRequest) -> int:
    """Return tokens; for models whose provider does not count."""
    return sum(map(_of_message, request.messages)) + sum(map(_of_tool, request.tools))


def _of_message(message: Message) -> int:
    return _MESSAGE_TOKENS + sum(map(_of_part, message.parts))


def _of_part(part: Part) -> int:
    match part:
        case TextPart(text) | ReasoningPart(text):
            return estimate_tokens(text)
        case ToolCallPart(name, arguments):
            return estimate_tokens(name) + estimate_tokens(arguments)
        case ToolResponsePart(response=response, media=media):
            text = response if isinstance(response, str) else msgspec.json.encode(response).decode()
            return estimate_tokens(text) + _MEDIA_TOKENS * len(media)
        case _:
            return _MEDIA_TOKENS


def _of_tool(tool: ToolDefinition) -> int:
    schema = msgspec.json.encode(tool.parameters).decode()
    return estimate_tokens(tool.name) + estimate_tokens(tool.description) + estimate_tokens(schema)
