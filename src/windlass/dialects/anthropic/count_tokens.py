"""Token counts as Anthropic asks and answers them, and an estimate for models of everyone else."""

from dataclasses import replace
from typing import Any, Final

import msgspec

from windlass.base.errors import BadRequest
from windlass.base.tokens import estimate_tokens
from windlass.contracts.chat import ToolDefinition
from windlass.contracts.message import Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResponsePart
from windlass.contracts.provider import STANDARD, ModelFacts, Quirks
from windlass.dialects.anthropic import head as heads
from windlass.dialects.anthropic import vertex
from windlass.dialects.anthropic.request_reader import read_request
from windlass.dialects.protocols import RequestHead, WrittenRequest
from windlass.dialects.raw_object import check_messages, read_model, split_object

_PATH: Final = "/messages/count_tokens"
_MESSAGE_TOKENS = 4  # the marks around a message
_MEDIA_TOKENS = 1_600  # an image as large as Anthropic takes without shrinking it; its size is not looked at


def read_head(body: bytes) -> RequestHead:
    """Check the structure only: model and messages; a count has no `max_tokens`.

    Raises: BadRequest with `param`.
    """
    fields = split_object(body)
    model = read_model(fields)
    check_messages(fields)
    return RequestHead(
        model=model,
        is_stream=False,
        wants_stream_usage=False,
        end_user="",
        metadata={},
        fields=fields,
        body=body,
    )


def path_of(quirks: Quirks) -> str:
    return vertex.COUNT_PATH if quirks.is_vertex else _PATH


def edit(head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Edit as a message is edited; Vertex AI, too, wants the model in the body of a count."""
    if quirks.is_vertex:
        version = {vertex.VERSION_FIELD: msgspec.Raw(msgspec.json.encode(vertex.VERSION))}
        head = replace(head, fields={**version, **head.fields}, body=b"")
    return heads.edit(head, model=model, quirks=STANDARD, facts=facts)


class _Count(msgspec.Struct):
    input_tokens: Any


_COUNT = msgspec.json.Decoder(_Count)


def read_count(body: bytes) -> int:
    """Raises: BadRequest when the body is no count."""
    try:
        count = _COUNT.decode(body).input_tokens
    except (msgspec.DecodeError, RecursionError):
        count = None
    if isinstance(count, bool) or not isinstance(count, int):
        raise BadRequest("The provider's reply has no `input_tokens`.", param="input_tokens")
    return count


def estimate(body: bytes) -> int:
    """Estimate what a request has in tokens: its texts by `base/tokens`, media by a flat figure.

    Raises: BadRequest.
    """
    request = read_request(body)
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
