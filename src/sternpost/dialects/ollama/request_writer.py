"""Writes the internal request as Ollama's own chat; what it can't take is named as dropped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest, ReasoningRequest
from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCallPart,
)
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.losses.no_place import no_place, unreplayed
from sternpost.dialects.pairing.calls_seen import CallsSeen
from sternpost.dialects.pairing.client_tools import as_functions
from sternpost.dialects.protocols import WrittenRequest

# Fields of Ollama's own that callers of another dialect may send beside theirs; `num_ctx` is an option.
EXTENSIONS: Final = ("options", "keep_alive", "num_ctx", "think")
_LEVELS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high"}
_LEVELLED: Final = "gpt-oss"  # which takes a level where other models take true or false


def write_request(request: ChatRequest) -> WrittenRequest:
    """Raises: BadRequest for several choices, images by address, other media."""
    if request.choice_count != 1:
        raise BadRequest("n: this model gives one choice per call; send n=1 or leave it out.", param="n")
    request = as_functions(request)
    dropped = [name for name in request.unread if name not in EXTENSIONS]
    body: dict[str, Json] = {
        "model": request.model,
        "messages": list(_write_messages(request.messages, dropped)),
        "stream": request.is_stream,  # left out, Ollama streams
    }
    body |= _write_tools(request, dropped)
    body |= _write_format(request)
    body |= _write_thinking(request.reasoning, request.model)
    if request.wants_logprobs:
        body["logprobs"] = True
        if request.top_logprobs:
            body["top_logprobs"] = request.top_logprobs
    body |= {name: request.extras[name] for name in ("keep_alive", "think") if name in request.extras}
    if options := _write_options(request):
        body["options"] = options
    lost = {
        "user": request.end_user,
        "service_tier": request.service_tier if request.service_tier not in ("auto", "default") else None,
        "cache_control": request.cache_marks,
        "prompt_cache_key": request.cache_key,
        "verbosity": request.verbosity,
        "thinking": [part for part in _thoughts(request) if part.signature or part.encrypted_content],
        "modalities": [kind for kind in request.modalities if kind != "text"],
    }
    dropped += [name for name, value in lost.items() if value]
    return WrittenRequest(
        msgspec.json.encode(body), tuple(dict.fromkeys(dropped)), dict(request.client_tools)
    )


def _thoughts(request: ChatRequest) -> Iterator[ReasoningPart]:
    for message in request.messages:
        yield from (part for part in message.parts if isinstance(part, ReasoningPart))


def _write_options(request: ChatRequest) -> dict[str, Json]:
    """Join the caller's own options with what OpenAI has a name for; the latter wins."""
    own = request.extras.get("options")
    options: dict[str, Json] = dict(own) if isinstance(own, Mapping) else {}
    given: dict[str, Json] = {
        "num_ctx": request.extras.get("num_ctx"),
        "num_predict": request.max_output_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "seed": request.seed,
        "stop": list(request.stop) or None,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
    }
    return options | {name: value for name, value in given.items() if value is not None}


def _write_tools(request: ChatRequest, dropped: list[str]) -> dict[str, Json]:
    """Offer the tools; without a choice in the API, none are offered to forbid, and one to name it."""
    choice, offered = request.tool_choice, request.tools
    if choice is not None and choice.mode == "none":
        return {}
    if choice is not None and choice.mode == "named":
        offered = tuple(tool for tool in offered if tool.name == choice.name)
    if choice is not None and choice.mode != "auto" and offered:
        dropped.append("tool_choice")
    if request.takes_parallel_tools is False:
        dropped.append("parallel_tool_calls")
    if any(tool.is_strict for tool in offered):
        dropped.append("tools.strict")
    tools: list[Json] = []
    for tool in offered:
        function: dict[str, Json] = {"name": tool.name, "description": tool.description}
        function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
        tools.append({"type": "function", "function": function})
    return {"tools": tools} if tools else {}


def _write_format(request: ChatRequest) -> dict[str, Json]:
    wanted = request.reply_format
    if wanted is None or wanted.kind == "text":
        return {}
    return {"format": "json" if wanted.kind == "json_object" else wanted.schema or {"type": "object"}}


def _write_thinking(ask: ReasoningRequest | None, model: str) -> dict[str, Json]:
    if ask is None:
        return {}
    if model.rpartition("/")[2].startswith(_LEVELLED):
        return {"think": _LEVELS.get(ask.effort or "medium", "low")}  # it can't be switched off
    return {"think": ask.effort != "none"}


def _write_messages(messages: Sequence[Message], dropped: list[str]) -> Iterator[Json]:
    calls = CallsSeen()
    for role, group in groupby(messages, key=_role_of):
        if role == "tool":
            yield from _results(chain.from_iterable(message.parts for message in group), calls)
            continue
        for message in group:
            if role == "assistant":
                dropped += unreplayed(message.parts)
                yield from _said(message, calls)
            elif message.parts or role == "user":
                yield {"role": role, **_content(message.parts)}


def _said(message: Message, calls: CallsSeen) -> Iterator[Json]:
    """Write what an assistant said, unless nothing of it has a place here."""
    said = _assistant(message, calls)
    if len(said) > 1 or said["content"] or not message.parts:
        yield {"role": "assistant", **said}


def _role_of(message: Message) -> Role:
    return message.role


def _content(parts: Sequence[Part]) -> dict[str, Json]:
    texts: list[str] = []
    images: list[Json] = []
    for part in parts:
        match part:
            case TextPart(content) | RefusalPart(content) | DocumentPart(content=content):
                texts.append(content)
            case BlobPart("image", content):
                images.append(content)
            case OtherPart(payload):
                raise no_place(payload, "Ollama")
            case _:
                raise BadRequest(
                    "Ollama's chat takes text and images as base64; send the image itself, not its address,"
                    " and other media as text."
                )
    written: dict[str, Json] = {"content": "\n".join(texts)}
    return written | {"images": images} if images else written


def _assistant(message: Message, seen: CallsSeen) -> dict[str, Json]:
    texts = [part.content for part in message.parts if isinstance(part, TextPart | RefusalPart)]
    thoughts = [
        part.content for part in message.parts if isinstance(part, ReasoningPart) and not part.signature
    ]
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    for call in calls:
        seen.add(call)
    written: dict[str, Json] = {"content": "".join(texts)}
    if thought := "".join(thoughts):
        written["thinking"] = thought
    if calls:
        written["tool_calls"] = [
            {"function": {"name": call.name, "arguments": _arguments(call.arguments)}} for call in calls
        ]
    return written


def _arguments(text: str) -> Mapping[str, Json]:
    """Read arguments, which are an object here; what is none is kept under a name of ours."""
    try:
        value: Json = msgspec.json.decode(text or "{}")
    except UNREADABLE:
        value = text
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"arguments": value}


def _results(parts: Iterable[Part], calls: CallsSeen) -> Iterator[Json]:
    """Write one message per result, paired by the tool's name and the order of calls; pictures follow."""
    media: list[Part] = []
    for part in calls.in_order(parts):
        said = part.response
        text = said if isinstance(said, str) else msgspec.json.encode(said).decode()
        name = calls.name_of(part.id) if part.id else None
        named: dict[str, Json] = {"tool_name": name} if name is not None else {}
        yield {"role": "tool", "content": f"Error: {text}" if part.is_error else text, **named}
        media += part.media
    if media:
        yield {"role": "user", **_content(media)}
