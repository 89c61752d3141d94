"""Writes the internal request for the Responses API; what it or the model can't take is named as dropped."""

from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import (
    ChatRequest,
    ClientTool,
    ReasoningRequest,
    ReplyFormat,
    ToolChoice,
    ToolDefinition,
)
from sternpost.contracts.message import Json, Message, TextPart
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.losses.requested import Ask, lost
from sternpost.dialects.openai_chat.names import TIERS
from sternpost.dialects.openai_chat.request_writer import (
    effort_of,
    write_cache_key,
    write_user,
    write_verbosity,
)
from sternpost.dialects.openai_responses.items import write_input
from sternpost.dialects.openai_responses.request_reader import LOGPROBS
from sternpost.dialects.pairing.client_tools import as_they_are
from sternpost.dialects.pairing.identifiers import fitting_metadata
from sternpost.dialects.pairing.tool_names import ToolNames
from sternpost.dialects.protocols import WrittenRequest

_ALWAYS: Final = frozenset({"model", "input", "stream", "store"})
_TOOL_NAME: Final = 64
_LEAST_OUTPUT: Final = 16  # less is answered 400 (integer_below_min_value)
_UNKNOWN: Final[tuple[Ask, ...]] = (
    "cache_control",
    "frequency_penalty",
    "modalities",
    "presence_penalty",
    "seed",
    "stop",
    "top_k",
)


def write_request(request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Raises: BadRequest for content this dialect cannot express, and for several choices.

    Nothing is stored at the provider: the caller's dialect has no way to go on from it.
    """
    if request.choice_count != 1:
        raise BadRequest("n: this model gives one choice per call; send n=1 or leave it out.", param="n")
    names = ToolNames(_TOOL_NAME, client_tools=as_they_are(request.client_tools))
    dropped: list[str] = [*request.unread, *lost(request, *_UNKNOWN)]
    instructions, messages = _split_instructions(request.messages)
    renamed = [names.rename(message) for message in messages]
    body: dict[str, Json] = {"model": request.model}
    if instructions:
        body["instructions"] = instructions
    body["input"] = list(write_input(renamed, dropped, request.custom_calls))
    body["store"] = False
    body |= _write_tools(request, names)
    body |= _write_limits(request, dropped)
    body |= write_user(request, dropped)
    body |= write_cache_key(request, quirks, dropped)
    body |= _write_reasoning(request.reasoning, facts, dropped)
    body |= _write_text(request, facts, dropped)
    body |= _write_include(request, facts, dropped)
    if request.metadata:
        body["metadata"], changed = fitting_metadata(request.metadata)
        dropped += changed
    if request.is_stream:
        body["stream"] = True
    rejects = facts.rejects if facts is not None else ()
    dropped += [name for name in rejects if name not in _ALWAYS and body.pop(name, None) is not None]
    return WrittenRequest(msgspec.json.encode(body), tuple(dict.fromkeys(dropped)), names.renamed)


def _split_instructions(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """Take a first system message of plain text as instructions; later ones keep their place."""
    if len(messages) < 2 or messages[0].role != "system":
        return "", messages
    parts = messages[0].parts
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    if len(texts) < len(parts):
        return "", messages
    return "\n\n".join(texts), messages[1:]


def _write_tools(request: ChatRequest, names: ToolNames) -> dict[str, Json]:
    """Write tools flat; here they are strict unless it is said, which not every schema bears."""
    if not request.tools:
        return {}
    tools: list[Json] = []
    for tool in request.tools:
        client = request.client_tools.get(tool.name)
        if client is not None and client.kind == "custom":
            tools.append(_write_custom(tool, client, names))
            continue
        written: dict[str, Json] = {"type": "function", "name": names.write(tool.name)}
        if tool.description:
            written["description"] = tool.description
        written["parameters"] = tool.parameters or {"type": "object", "properties": {}}
        written["strict"] = bool(tool.is_strict)
        tools.append(written)
    body: dict[str, Json] = {"tools": tools}
    if request.tool_choice is not None:
        body["tool_choice"] = _write_choice(request, request.tool_choice, names)
    if request.takes_parallel_tools is not None:
        body["parallel_tool_calls"] = request.takes_parallel_tools
    return body


def _write_custom(tool: ToolDefinition, client: ClientTool, names: ToolNames) -> Json:
    written: dict[str, Json] = {"type": "custom", "name": names.write(tool.name)}
    if tool.description:
        written["description"] = tool.description
    if client.format is not None:
        written["format"] = client.format
    return written


def _write_choice(request: ChatRequest, choice: ToolChoice, names: ToolNames) -> Json:
    if choice.mode == "named":
        client = request.client_tools.get(choice.name)
        if client is not None and client.kind == "custom":
            return {"type": "custom", "name": names.write(choice.name)}
        return {"type": "function", "name": names.write(choice.name)}
    return choice.mode


def _write_limits(request: ChatRequest, dropped: list[str]) -> dict[str, Json]:
    tier = TIERS.get(request.service_tier or "")
    if request.service_tier and tier is None:
        dropped.append("service_tier")
    limit = request.max_output_tokens
    if limit is not None and limit < _LEAST_OUTPUT:
        dropped.append(f"max_output_tokens ({_LEAST_OUTPUT} is the least)")
        limit = _LEAST_OUTPUT
    given: dict[str, Json] = {
        "max_output_tokens": limit,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_logprobs": request.top_logprobs,
        "service_tier": tier,
    }
    return {name: value for name, value in given.items() if value is not None}


def _write_reasoning(
    ask: ReasoningRequest | None, facts: ModelFacts | None, dropped: list[str]
) -> dict[str, Json]:
    """Only a model known to reason is asked for an effort: others answer 400."""
    if ask is None:
        return {}
    if facts is None or "reasoning" not in facts.abilities:
        if ask.effort != "none":
            dropped.append(ask.asked_as)
        return {}
    return {"reasoning": {"effort": ask.effort or effort_of(ask.budget_tokens)}}


def _write_include(request: ChatRequest, facts: ModelFacts | None, dropped: list[str]) -> dict[str, Json]:
    """Ask for what is left out by default: log-probs, and thinking that can be replayed."""
    included: list[Json] = []
    if facts is not None and "reasoning" in facts.abilities:
        included.append("reasoning.encrypted_content")
    if request.wants_logprobs and facts is not None and "logprobs" in facts.rejects:
        dropped.append("logprobs")
    elif request.wants_logprobs:
        included.append(LOGPROBS)
    return {"include": included} if included else {}


def _write_text(request: ChatRequest, facts: ModelFacts | None, dropped: list[str]) -> dict[str, Json]:
    text = {**_write_format(request.reply_format), **write_verbosity(request, facts, dropped)}
    return {"text": text} if text else {}


def _write_format(wanted: ReplyFormat | None) -> dict[str, Json]:
    if wanted is None or wanted.kind == "text":
        return {}
    if wanted.kind == "json_object":
        return {"format": {"type": "json_object"}}
    form: dict[str, Json] = {
        "type": "json_schema",
        "name": wanted.name or "reply",
        "schema": wanted.schema or {},
        "strict": bool(wanted.is_strict),
    }
    return {"format": form}
