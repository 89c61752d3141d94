"""Marks a translated request for the provider's prompt cache as a route asks; the same in every call.

In the caller's own bytes it is done by `anthropic/auto_marks`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import AutoCache, CacheMark, ChatRequest
from sternpost.contracts.message import (
    BlobPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
)
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.bedrock.model_ids import cached_places

MOST_MARKS: Final = 4
_PLACES: Final = ("tools", "system", "messages")
_MARKED: Final = frozenset[Dialect]({"anthropic", "bedrock"})
_KEYED: Final = frozenset[Dialect]({"openai_chat", "openai_responses"})
_LEAST_TOKENS: Final = 1024  # where nothing is known of a model
_BYTES_PER_TOKEN: Final = 4
_IMAGE_BYTES: Final = 1500 * _BYTES_PER_TOKEN  # of a picture, whatever its file is like


def least_bytes(facts: ModelFacts | None) -> int:
    """Return from which size on a prefix is worth a mark: a provider caches no shorter one."""
    least = facts.min_cache_tokens if facts is not None else None
    return (least or _LEAST_TOKENS) * _BYTES_PER_TOKEN


def add_to(
    request: ChatRequest, auto: AutoCache, target: Dialect, quirks: Quirks, facts: ModelFacts | None
) -> tuple[ChatRequest, tuple[str, ...]]:
    """Return the request with what the target's cache wants, and the names of what was added."""
    if target in _KEYED:
        if request.cache_key is not None or not quirks.takes_prompt_cache_key:
            return request, ()
        return replace(request, cache_key=auto.key), ("key",)
    if target not in _MARKED or any(mark.ttl == "1h" for mark in request.cache_marks):
        return request, ()
    own = {(mark.message, mark.part) for mark in request.cache_marks}
    ttl = "5m" if own else auto.ttl
    room = MOST_MARKS - len(own)
    known = cached_places(facts.name if facts else request.model) if target == "bedrock" else _PLACES
    places = [
        (name, message, part)
        for name, message, part, size in _places(request)
        if size >= least_bytes(facts) and (message, part) not in own and name in known
    ][: max(room, 0)]
    marks = [CacheMark(message, part, ttl) for _, message, part in places]
    ordered = sorted((*request.cache_marks, *marks), key=lambda mark: (mark.message, mark.part))
    return replace(request, cache_marks=tuple(ordered)), tuple(name for name, _, _ in places)


def _places(request: ChatRequest) -> Iterator[tuple[str, int, int, int]]:
    """Yield (name, message, part, bytes up to there) of each place for a mark, in the provider's order."""
    size = sum(len(tool.name) + len(tool.description) + len(str(tool.parameters)) for tool in request.tools)
    if request.tools:
        yield "tools", -1, len(request.tools) - 1, size
    system = [index for index, message in enumerate(request.messages) if message.role == "system"]
    size += sum(_size(request.messages[index]) for index in system)
    if system and (part := _last_part(request.messages[system[-1]])) is not None:
        yield "system", system[-1], part, size
    size += sum(_size(message) for message in request.messages if message.role != "system")
    turns = [index for index, message in enumerate(request.messages) if message.role != "system"]
    if turns and request.messages[turns[-1]].role in ("user", "tool"):
        part = _last_part(request.messages[turns[-1]])
        if part is not None:
            yield "messages", turns[-1], part, size


def _last_part(message: Message) -> int | None:
    """Return the last part that can be marked: no empty text."""
    for index in range(len(message.parts) - 1, -1, -1):
        part = message.parts[index]
        if not isinstance(part, TextPart) or part.content.strip():
            return index
    return None


def _size(message: Message) -> int:
    return sum(_part_size(part) for part in message.parts)


def _part_size(part: Part) -> int:
    match part:
        case TextPart(content) | ReasoningPart(content):
            return len(content)
        case ToolCallPart(name, arguments):
            return len(name) + len(arguments)
        case BlobPart("image"):
            return _IMAGE_BYTES
        case BlobPart(content=content):
            return len(content)
        case ToolResponsePart(response):
            return len(str(response))
        case _:
            return 0
