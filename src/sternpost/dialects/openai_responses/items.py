"""Items of the Responses API to messages and back: a message, a call, a result or a thought each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import Citation, ClientCall, TokenLogprob
from sternpost.contracts.message import (
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
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.losses.no_place import unreplayed
from sternpost.dialects.openai_chat.annotations import read_annotations, write_flat
from sternpost.dialects.openai_chat.logprobs import read_logprobs, write_logprobs
from sternpost.dialects.openai_chat.request_writer import result_text
from sternpost.dialects.openai_responses.call_items import (
    COMPUTER_RESULT,
    RESULTS,
    ItemStatus,
    call_item,
    id_prefix,
    is_by_caller,
    read_call,
    read_special_result,
)
from sternpost.dialects.openai_responses.content import read_content, write_content, write_part
from sternpost.dialects.openai_responses.seal import ITEM_PREFIX, read_origin, seal, tag_origin, unseal
from sternpost.dialects.openai_responses.tools import ADDED, FOUND
from sternpost.dialects.pairing.citing import share_out, shifted
from sternpost.dialects.pairing.identifiers import ID_CHARS, shortened

_APART: Final = frozenset[Role]({"user", "system"})  # whose messages stay as they were sent
_OFFERS: Final = frozenset({ADDED, FOUND})
_ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def read_input(fields: Fields) -> list[Message]:
    """Read `input`: a text, or items; what an assistant said and did in a row becomes one message."""
    value = fields.values.get("input")
    if isinstance(value, str):
        return [Message("user", (TextPart(value),))]
    messages: list[Message] = []
    for item in fields.items("input"):
        if item.values.get("type") in _OFFERS and _is_silent(item):
            continue
        _join(messages, _read_item(item))
    return messages


def _is_silent(item: Fields) -> bool:
    """Whether an item says nothing to the model: it offers tools, or tells what the provider found."""
    kind = item.values.get("type")
    return kind == ADDED or (kind == FOUND and not is_by_caller(item))


def _join(messages: list[Message], message: Message) -> None:
    """Add to the turn before where the API's items split one; two texts of an assistant stay apart.

    What follows a call stays with it: in other dialects nothing may stand between a call and its result.
    """
    last = messages[-1] if messages else None
    if (
        last is None
        or last.role != message.role
        or message.role in _APART
        or (_has_text(message) and _has_text(last) and not _has_call(last))
    ):
        messages.append(message)
    else:
        messages[-1] = Message(last.role, (*last.parts, *message.parts))


def _has_text(message: Message) -> bool:
    return any(isinstance(part, TextPart) for part in message.parts)


def _has_call(message: Message) -> bool:
    return any(isinstance(part, ToolCallPart) for part in message.parts)


def _read_item(item: Fields) -> Message:
    match item.text("type"):
        case None | "message":
            name = item.need_text("role")
            role = _ROLES.get(name)
            if role is None:
                path = item.at("role")
                raise BadRequest(f"{path}: must be system, developer, user or assistant.", param=path)
            return Message(role, tuple(read_content(item)))
        case "function_call_output":
            return Message("tool", (_read_result(item),))
        case kind if kind == COMPUTER_RESULT:
            return Message("tool", (_read_result(_with_screen(item)),))
        case kind if kind in RESULTS:
            return Message("tool", (read_special_result(item) or _read_result(item),))
        case "item_reference":  # names an item that only its provider has
            return Message("user", (OtherPart(item.values),))
        case _:
            return Message("assistant", tuple(read_output_item(item)))


def _with_screen(item: Fields) -> Fields:
    """Return the result of a use of the computer with its screenshot as an image like any other."""
    screen = item.values.get("output")
    shown: Json = [{**screen, "type": "input_image"}] if isinstance(screen, Mapping) else screen
    return Fields({**item.values, "output": shown}, item.path)


def read_output_item(item: Fields) -> Iterator[Part]:
    """Read one item that a model made."""
    match item.text("type"):
        case "message":
            yield from read_content(item)
        case "function_call" if "namespace" not in item.values:
            yield ToolCallPart(item.need_text("name"), item.text("arguments") or "", item.text("call_id"))
        case "reasoning":
            yield _read_reasoning(item)
        case "image_generation_call" if item.values.get("result"):
            yield BlobPart("image", item.need_text("result"), f"image/{item.text('output_format') or 'png'}")
        case _:
            yield read_call(item) or OtherPart(item.values)


def _read_reasoning(item: Fields) -> ReasoningPart:
    """Read a thought; what encrypts it says where it is from, since it is of use there alone."""
    texts = [part.text("text") or "" for part in item.items("content")]
    texts = texts or [part.text("text") or "" for part in item.items("summary")]
    content = "\n\n".join(texts)
    encrypted = item.text("encrypted_content") or ""
    sealed = unseal(encrypted, content)
    if sealed is not None:
        return sealed
    item_id = item.text("id")
    tagged = tag_origin(item_id or "", encrypted) if encrypted else None
    return ReasoningPart(content, encrypted_content=tagged, id=item_id)


def citations_of(items: Iterable[Fields]) -> Iterator[Citation]:
    """Read the annotations of a reply, their places counted over all its texts."""
    offset = 0
    for item in items:
        for part in item.items("content") if item.text("type") == "message" else ():
            if part.values.get("type") != "output_text":
                continue
            for citation in read_annotations(part.values.get("annotations")):
                yield shifted(citation, offset)
            offset += len(part.text("text") or "")


def logprobs_of(items: Iterable[Fields]) -> tuple[TokenLogprob, ...]:
    messages = (item for item in items if item.text("type") == "message")
    parts = (part for message in messages for part in message.items("content"))
    return tuple(token for part in parts for token in read_logprobs(part.values.get("logprobs")))


def _read_result(item: Fields) -> ToolResponsePart:
    output = item.values.get("output")
    call_id = item.need_text("call_id")
    if not isinstance(output, list):
        return ToolResponsePart(output, call_id)
    parts = list(read_content(item, "output"))
    text = "".join(part.content for part in parts if isinstance(part, TextPart))
    media = tuple(part for part in parts if isinstance(part, BlobPart | UriPart | FilePart))
    return ToolResponsePart(text, call_id, media=media)


def write_input(
    messages: Iterable[Message], dropped: list[str], custom: frozenset[str] = frozenset()
) -> Iterator[Json]:
    """Write messages as items for a model to read; names in `dropped` what has no place here.

    custom: ids of calls whose arguments are a text.
    """
    for message in messages:
        match message.role:
            case "system" | "user":
                if message.parts or message.role == "user":
                    yield {"role": message.role, "content": write_content(message.parts)}
            case "assistant":
                yield from _write_assistant(message.parts, dropped, custom)
            case "tool":
                for part in message.parts:
                    if isinstance(part, ToolResponsePart):
                        yield _write_result(part, custom)


def _write_assistant(parts: Sequence[Part], dropped: list[str], custom: frozenset[str]) -> Iterator[Json]:
    for part in parts:
        match part:
            case TextPart(content) | RefusalPart(content):
                if content:
                    yield {"role": "assistant", "content": content}
            case ToolCallPart(name, text, id) if custom and id in custom:
                yield {"type": "custom_tool_call", "call_id": fit_id(id), "name": name, "input": text}
            case ToolCallPart(name, arguments, id):
                call = {"call_id": fit_id(id), "name": name, "arguments": arguments}
                yield {"type": "function_call", **call}
            case ReasoningPart():
                item = _own_thought(part)
                if item is None:
                    dropped.append("thinking")  # replayed by what its origin encrypted, which this is not
                else:
                    yield item
            case _:
                dropped += unreplayed([part])


def _own_thought(part: ReasoningPart) -> Json:
    """Return a thought of this dialect as it came, for the turn it belongs to; None for any other."""
    origin = read_origin(part.encrypted_content or "")
    if origin is None:
        return None
    item_id, encrypted = origin
    summary: list[Json] = [{"type": "summary_text", "text": part.content}] if part.content else []
    return {"type": "reasoning", "id": item_id, "summary": summary, "encrypted_content": encrypted}


def _write_result(part: ToolResponsePart, custom: frozenset[str]) -> Json:
    text = result_text(part)
    output: Json = text
    if part.media:
        texts: list[Json] = [{"type": "input_text", "text": text}] if text else []
        output = [*texts, *(write_part(item) for item in part.media)]
    kind = "custom_tool_call_output" if custom and part.id in custom else "function_call_output"
    return {"type": kind, "call_id": fit_id(part.id), "output": output}


def fit_id(call_id: str | None) -> str:
    return "" if call_id is None else call_id if len(call_id) <= ID_CHARS else shortened(call_id, ID_CHARS)


def place_id(kind: str, reply_id: str, index: int) -> str:
    """Return the id of an item of ours: the same for the same place of the same reply."""
    return f"{kind}_{index}_{reply_id}"[:ID_CHARS]


def message_item(item_id: str, content: Json, status: ItemStatus) -> dict[str, Json]:
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def text_content(
    text: str, citations: Iterable[Citation] = (), logprobs: Iterable[TokenLogprob] = ()
) -> dict[str, Json]:
    annotations = write_flat(citations)
    return {
        "type": "output_text",
        "text": text,
        "annotations": annotations,
        "logprobs": write_logprobs(logprobs),
    }


def image_item(item_id: str, image: BlobPart) -> dict[str, Json]:
    kind = image.mime_type.removeprefix("image/") or "png"
    return {
        "id": item_id,
        "type": "image_generation_call",
        "status": "completed",
        "result": image.content,
        "output_format": kind,
    }


def refusal_content(text: str) -> dict[str, Json]:
    return {"type": "refusal", "refusal": text}


def reasoning_item(reply_id: str, index: int, part: ReasoningPart) -> dict[str, Json]:
    """Write a thought of another provider: its text as a summary, what replays it sealed."""
    summary: list[Json] = [{"type": "summary_text", "text": part.content}] if part.content else []
    item: dict[str, Json] = {
        "id": f"{ITEM_PREFIX}{index}_{reply_id}"[:ID_CHARS],
        "type": "reasoning",
        "summary": summary,
    }
    if sealed := seal(part):
        item["encrypted_content"] = sealed
    return item


def write_output(
    parts: Iterable[Part],
    reply_id: str,
    citations: Iterable[Citation] = (),
    logprobs: Iterable[TokenLogprob] = (),
) -> list[Json]:
    """Write what a model said as output items; texts in a row are the contents of one message."""
    kept = list(parts)
    texts = [part.content for part in kept if isinstance(part, TextPart)]
    shares = iter(share_out(texts, citations))
    tokens = logprobs  # of all texts in one: they stand with the first
    items: list[dict[str, Json]] = []
    contents: list[Json] = []
    for part in kept:
        if isinstance(part, TextPart | RefusalPart):
            if not contents:
                items.append(message_item(place_id("msg", reply_id, len(items)), contents, "completed"))
            if isinstance(part, TextPart):
                contents.append(text_content(part.content, next(shares), tokens))
                tokens = ()
            else:
                contents.append(refusal_content(part.content))
            continue
        if (item := _output_item(part, reply_id, len(items))) is not None:
            items.append(item)
            contents = []
    return list(items)


def _output_item(part: Part, reply_id: str, index: int) -> dict[str, Json] | None:
    match part:
        case ToolCallPart():
            tool = part.tool if isinstance(part, ClientCall) else None
            return call_item(place_id(id_prefix(tool), reply_id, index), part, "completed")
        case ReasoningPart():
            return reasoning_item(reply_id, index, part)
        case BlobPart("image"):
            return image_item(place_id("ig", reply_id, index), part)
        case _:
            return None
