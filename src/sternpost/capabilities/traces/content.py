"""Turns messages into content objects that are stored once, and into previews; reads and writes no store."""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from sternpost.base.ids import ContentHash, ProjectId
from sternpost.capabilities.traces.media.extract import BLOB_REFERENCE
from sternpost.contracts.chat import ToolDefinition
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    Message,
    Part,
    RefusalPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.contracts.span import Content

PREVIEW_CHARACTERS = 200
CONTENT_REFERENCE = "sternpost:content:"  # an attribute value too large for its row: this and its hash
_HASH_BYTES = 32
_REFERENCE = re.compile(rf"{BLOB_REFERENCE}[0-9a-f]{{64}}")
# What may be absent from a part; a missing and an empty field must not make two hashes.
_KEPT_WHEN_EMPTY = frozenset({"type", "content", "arguments", "response", "payload"})

_ENCODE = msgspec.json.Encoder(order="sorted", enc_hook=dict).encode  # RFC 8785 key order


def message_content(project_id: ProjectId, message: Message) -> Content:
    """Make the content object of one message.

    `finish_reason` stays on the span: an answer and the same text in the next call's history are one object.
    """
    fields: dict[str, object] = {"role": message.role, "parts": [part_fields(part) for part in message.parts]}
    if message.name:
        fields["name"] = message.name
    return _content(project_id, fields)


def tools_content(project_id: ProjectId, tools: Sequence[ToolDefinition]) -> Content:
    """Make one content object of a call's tool definitions, which hardly ever change one by one."""
    return _content(project_id, {"tools": tools})


def json_content(project_id: ProjectId, value: Json) -> Content:
    """Make a content object of any JSON, for attribute values too large for a row."""
    return _content(project_id, value)


def part_fields(part: Part) -> dict[str, object]:
    """Return a part's fields without those that are empty."""
    if isinstance(part, BlobPart) and part.hash:
        return {name: value for name, value in _fields(part).items() if name != "content"}
    return _fields(part)


def _fields(part: Part) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in part.__slots__:
        value: object = getattr(part, name)
        if name == "media":
            value = [part_fields(one) for one in part.media] if isinstance(part, ToolResponsePart) else ()
        if value or name in _KEPT_WHEN_EMPTY or (value == 0 and name == "score"):
            found[name] = value
    return found


def _words_of(part: Part) -> str:
    """Return what a part says in a preview: its text, or what kind of medium it is."""
    match part:
        case TextPart(content) | RefusalPart(content):
            return content
        case BlobPart(modality) | UriPart(modality) | FilePart(modality):
            return f"[{modality}]"
        case _:
            return ""


def preview(messages: Iterable[Message], *, role: Role | None = None) -> str:
    """Cut the first message with text or media, of one role when given, to a line of 200 characters."""
    for message in messages:
        if role not in (None, message.role):
            continue
        words = filter(None, map(_words_of, message.parts))
        if text := "\n".join(words) or "\n".join(filter(None, map(_call_of, message.parts))):
            return preview_text(text)
    return ""


def _call_of(part: Part) -> str:
    """Write a tool call as a call; an answer without a word of text is previewed by its calls."""
    return f"{part.name}({part.arguments})" if isinstance(part, ToolCallPart) else ""


def preview_input(messages: Sequence[Message]) -> str:
    """Preview the last user message, or the last message of any kind."""
    backwards = tuple(reversed(messages))
    return preview(backwards, role="user") or preview(backwards)


def preview_text(text: str) -> str:
    text = _REFERENCE.sub("[media]", text[: 8 * PREVIEW_CHARACTERS])
    return " ".join(text[: 4 * PREVIEW_CHARACTERS].split())[:PREVIEW_CHARACTERS]


def _content(project_id: ProjectId, value: object) -> Content:
    body = _ENCODE(value)
    # Keyed per project, so that a hash says nothing about the content of another project.
    digest = blake2b(body, digest_size=_HASH_BYTES, key=project_id.encode()[:64])
    return Content(project_id, ContentHash(digest.hexdigest()), body)
