"""Messages of a conversation as Cohere takes them; the order of messages stays the caller's."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    FilePart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.no_place import no_place, unreplayed


def write_messages(messages: Sequence[Message], *, can_think: bool, dropped: list[str]) -> Iterator[Json]:
    """Yield messages in Cohere's shape. can_think: whether the model takes its thinking back.

    Raises: BadRequest for content Cohere does not support.
    """
    for message in messages:
        match message.role:
            case "system" | "user":
                if content := _content(message.parts):
                    yield {"role": message.role, "content": content}
            case "assistant":
                if written := _assistant(message, can_think=can_think, dropped=dropped):
                    yield {"role": "assistant", **written}
            case "tool":
                yield from _results(message)


def _content(parts: Sequence[Part]) -> Json:
    if all(isinstance(part, TextPart) for part in parts) and len(parts) <= 1:
        return "".join(part.content for part in parts if isinstance(part, TextPart))
    return [_content_part(part) for part in parts if not isinstance(part, TextPart) or part.content]


def _content_part(part: Part) -> Json:
    match part:
        case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
            return {"type": "text", "text": content}
        case UriPart("image", uri):
            return {"type": "image_url", "image_url": {"url": uri}}
        case BlobPart("image", content, mime_type):
            url = f"data:{mime_type or 'image/png'};base64,{content}"
            return {"type": "image_url", "image_url": {"url": url}}
        case BlobPart(modality) | UriPart(modality) | FilePart(modality):
            raise BadRequest(f"Cohere's chat takes text and images, no {modality}; send its text instead.")
        case OtherPart(payload):
            raise no_place(payload, "Cohere's chat")
        case _:
            raise BadRequest(f"Cohere's chat does not support content of type {part.type!r} here.")


def _assistant(message: Message, *, can_think: bool, dropped: list[str]) -> dict[str, Json]:
    """Write one turn of the model. What it said before it called tools was its `tool_plan`."""
    texts = [
        part.content for part in message.parts if isinstance(part, TextPart | RefusalPart) and part.content
    ]
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    thoughts = _thoughts(message, can_think=can_think, dropped=dropped)
    dropped += unreplayed(message.parts)
    written: dict[str, Json] = {}
    content: list[Json] = [*thoughts]
    if calls:
        written["tool_calls"] = [_call(call) for call in calls]
        if texts:
            written["tool_plan"] = "".join(texts)
    else:
        content += [{"type": "text", "text": text} for text in texts]
    if content:
        is_plain = len(content) == 1 and not thoughts
        written["content"] = "".join(texts) if is_plain else content
    return written


def _thoughts(message: Message, *, can_think: bool, dropped: list[str]) -> list[Json]:
    """Give thinking back to a model that reasons; what is signed or sealed is another provider's."""
    kept: list[Json] = []
    for part in message.parts:
        if not isinstance(part, ReasoningPart):
            continue
        if can_think and part.content and not part.signature and not part.encrypted_content:
            kept.append({"type": "thinking", "thinking": part.content})
        else:
            dropped.append("thinking")
    return kept


def _call(call: ToolCallPart) -> Json:
    function: dict[str, Json] = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id or "", "type": "function", "function": function}


def _results(message: Message) -> Iterator[Json]:
    """Write one message per result, as documents, which the model can cite; pictures follow."""
    media: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResponsePart):
            documents: list[Json] = [{"type": "document", "document": {"data": d}} for d in _documents(part)]
            yield {"role": "tool", "tool_call_id": part.id or "", "content": documents}
            media += part.media
    if media:
        yield {"role": "user", "content": _content(media)}


def _documents(part: ToolResponsePart) -> Sequence[Mapping[str, Json]]:
    """Cut a result into documents: an object is one, an array of objects several, all else a text."""
    found = part.response
    if isinstance(found, str):
        found = _decoded(found)
    if part.is_error:
        return [{"error": _text(found)}]
    if isinstance(found, Mapping) and found:
        return [found]
    if isinstance(found, list) and found and all(isinstance(item, Mapping) and item for item in found):
        return [item for item in found if isinstance(item, Mapping)]
    return [{"result": _text(found)}]


def _decoded(text: str) -> Json:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return msgspec.json.decode(text)
    except UNREADABLE:
        return text


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
