"""Items of the Responses API to messages and back: a message, a call, a result or a thought each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from windlass.base.errors import BadRequest
from windlass.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from windlass.dialects.json_fields import Fields
from windlass.dialects.openai_chat.request_writer import result_text
from windlass.dialects.openai_responses.content import read_content, write_content, write_part
from windlass.dialects.openai_responses.seal import ITEM_PREFIX, seal, unseal

_ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_ID_CHARS = 64  # longer ids are answered with 400
ItemStatus = Literal["in_progress", "completed", "incomplete"]


def read_input(fields: Fields) -> list[Message]:
    """Read `input`: a text, or items; what an assistant said and did in a row becomes one message."""
    value = fields.values.get("input")
    if isinstance(value, str):
        return [Message("user", (TextPart(value),))]
    messages: list[Message] = []
    for item in fields.items("input"):
        _join(messages, _read_item(item))
    return messages


def _join(messages: list[Message], message: Message) -> None:
    """Add to the turn before where the API's items split one; two texts of an assistant stay apart."""
    last = messages[-1] if messages else None
    has_second_text = _has_text(message) and last is not None and _has_text(last)
    if last is None or last.role != message.role or message.role in ("user", "system") or has_second_text:
        messages.append(message)
    else:
        messages[-1] = Message(last.role, (*last.parts, *message.parts))


def _has_text(message: Message) -> bool:
    return any(isinstance(part, TextPart) for part in message.parts)


def _read_item(item: Fields) -> Message:
    match item.text("type"):
        case None | "message":
            name = item.need_text("role")
            role = _ROLES.get(name)
            if role is None:
                path = item.at("role")
                raise BadRequest(f"{path}: must be system, developer, user or assistant.", param=path)
            return Message(role, tuple(read_content(item)))
        case "function_call_output" | "custom_tool_call_output":
            return Message("tool", (_read_result(item),))
        case "item_reference":  # names an item that only its provider has
            return Message("user", (OtherPart(item.values),))
        case _:
            return Message("assistant", tuple(read_output_item(item)))


def read_output_item(item: Fields) -> Iterator[Part]:
    """Read one item that a model made."""
    match item.text("type"):
        case "message":
            yield from read_content(item)
        case "function_call":
            yield ToolCallPart(item.need_text("name"), item.text("arguments") or "", item.text("call_id"))
        case "custom_tool_call":
            yield ToolCallPart(item.need_text("name"), item.text("input") or "", item.text("call_id"))
        case "reasoning":
            yield _read_reasoning(item)
        case _:
            yield OtherPart(item.values)


def _read_reasoning(item: Fields) -> ReasoningPart:
    """Read a thought. OpenAI's own encrypted content is no part of it: it is of no use anywhere else."""
    texts = [part.text("text") or "" for part in item.items("content")]
    texts = texts or [part.text("text") or "" for part in item.items("summary")]
    content = "\n\n".join(texts)
    sealed = unseal(item.text("encrypted_content") or "", content)
    return sealed or ReasoningPart(content, id=item.text("id"))


def _read_result(item: Fields) -> ToolResponsePart:
    output = item.values.get("output")
    call_id = item.need_text("call_id")
    if not isinstance(output, list):
        return ToolResponsePart(output, call_id)
    parts = list(read_content(item, "output"))
    text = "".join(part.content for part in parts if isinstance(part, TextPart))
    media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
    return ToolResponsePart(text, call_id, media=media)


def write_input(messages: Iterable[Message], dropped: list[str]) -> Iterator[Json]:
    """Write messages as items for a model to read; names in `dropped` what has no place here."""
    for message in messages:
        match message.role:
            case "system" | "user":
                if message.parts or message.role == "user":
                    yield {"role": message.role, "content": write_content(message.parts)}
            case "assistant":
                yield from _write_assistant(message.parts, dropped)
            case "tool":
                for part in message.parts:
                    if isinstance(part, ToolResponsePart):
                        yield _write_result(part)


def _write_assistant(parts: Sequence[Part], dropped: list[str]) -> Iterator[Json]:
    for part in parts:
        match part:
            case TextPart(content) | RefusalPart(content):
                if content:
                    yield {"role": "assistant", "content": content}
            case ToolCallPart(name, arguments, id):
                call = {"call_id": id or "", "name": name, "arguments": arguments}
                yield {"type": "function_call", **call}
            case ReasoningPart():
                dropped.append("thinking")  # it is replayed by what its origin encrypted, which this is not
            case OtherPart(payload):
                dropped.append(f"content.{str(payload.get('type', 'other'))[:64]}")
            case _:
                dropped.append(f"content.{part.type}")


def _write_result(part: ToolResponsePart) -> Json:
    text = result_text(part)
    output: Json = text
    if part.media:
        texts: list[Json] = [{"type": "input_text", "text": text}] if text else []
        output = [*texts, *(write_part(item) for item in part.media)]
    return {"type": "function_call_output", "call_id": part.id or "", "output": output}


def place_id(kind: str, reply_id: str, index: int) -> str:
    """Return the id of an item of ours: the same for the same place of the same reply."""
    return f"{kind}_{index}_{reply_id}"[:_ID_CHARS]


def message_item(item_id: str, content: Json, status: ItemStatus) -> dict[str, Json]:
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def text_content(text: str) -> dict[str, Json]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_content(text: str) -> dict[str, Json]:
    return {"type": "refusal", "refusal": text}


def call_item(item_id: str, call: ToolCallPart, status: ItemStatus) -> dict[str, Json]:
    return {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "call_id": call.id or "",
        "name": call.name,
        "arguments": call.arguments,
    }


def reasoning_item(reply_id: str, index: int, part: ReasoningPart) -> dict[str, Json]:
    """Write a thought of another provider: its text as a summary, what replays it sealed."""
    summary: list[Json] = [{"type": "summary_text", "text": part.content}] if part.content else []
    item: dict[str, Json] = {
        "id": f"{ITEM_PREFIX}{index}_{reply_id}"[:_ID_CHARS],
        "type": "reasoning",
        "summary": summary,
    }
    if sealed := seal(part):
        item["encrypted_content"] = sealed
    return item


def write_output(parts: Iterable[Part], reply_id: str) -> list[Json]:
    """Write what a model said as output items; texts in a row are the contents of one message."""
    items: list[dict[str, Json]] = []
    contents: list[Json] = []
    for part in parts:
        match part:
            case TextPart(content) | RefusalPart(content):
                if not contents:
                    items.append(message_item(place_id("msg", reply_id, len(items)), contents, "completed"))
                is_text = isinstance(part, TextPart)
                contents.append(text_content(content) if is_text else refusal_content(content))
                continue
            case ToolCallPart():
                items.append(call_item(place_id("fc", reply_id, len(items)), part, "completed"))
            case ReasoningPart():
                items.append(reasoning_item(reply_id, len(items), part))
            case _:
                continue
        contents = []
    return list(items)
