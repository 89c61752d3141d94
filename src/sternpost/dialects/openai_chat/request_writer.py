"""Writes the internal request as OpenAI chat; what the host or model can't take is named as dropped."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.chat import ChatRequest, ReasoningRequest, ToolChoice
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.losses.no_place import unreplayed
from sternpost.dialects.losses.requested import lost
from sternpost.dialects.openai_chat.call_ids import fit_messages
from sternpost.dialects.openai_chat.head import token_limit_names
from sternpost.dialects.openai_chat.mistral_messages import TIERS as MISTRAL_TIERS
from sternpost.dialects.openai_chat.mistral_messages import bridged
from sternpost.dialects.openai_chat.names import TIERS
from sternpost.dialects.openai_chat.parts import write_content
from sternpost.dialects.openai_chat.reply import write_assistant
from sternpost.dialects.pairing.client_tools import as_functions
from sternpost.dialects.pairing.identifiers import ID_CHARS, shortened
from sternpost.dialects.pairing.tool_names import ToolNames
from sternpost.dialects.protocols import WrittenRequest

_ALWAYS: Final = frozenset({"model", "messages", "stream"})
_TOOL_NAME: Final = 64
_MOST_STOPS: Final = 4
_EFFORT_BY_BUDGET: Final = ((2048, "low"), (8192, "medium"))


def write_request(request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Raises: BadRequest for content this dialect cannot express."""
    request = as_functions(request)
    names = ToolNames(_TOOL_NAME, client_tools=request.client_tools)
    messages = fit_messages(request.messages, quirks.call_id_length)
    if messages is not request.messages:
        request = replace(request, messages=messages)
    dropped: list[str] = [*request.unread, *lost(request, "cache_control", "modalities", "top_k")]
    written = _write_messages(request, quirks, names, dropped)
    body: dict[str, Json] = {
        "model": request.model,
        "messages": list(bridged(written, dropped) if quirks.is_mistral else written),
    }
    body |= _write_tools(request, names)
    body |= _write_limits(request, quirks, facts)
    body |= write_user(request, dropped)
    body |= _write_sampling(request, quirks, dropped)
    body |= write_cache_key(request, quirks, dropped)
    body |= _write_reasoning(request.reasoning, facts, dropped)
    body |= write_verbosity(request, facts, dropped)
    body |= _write_format(request)
    body |= _write_tier(request, MISTRAL_TIERS if quirks.is_mistral else TIERS, dropped)
    if request.is_stream:
        body["stream"] = True
        if quirks.takes_stream_options:
            body["stream_options"] = {"include_usage": True}
    rejects = (*(facts.rejects if facts is not None else ()), *quirks.rejects)
    dropped += [name for name in rejects if name not in _ALWAYS and body.pop(name, None) is not None]
    return WrittenRequest(msgspec.json.encode(body), tuple(dict.fromkeys(dropped)), names.renamed)


def _write_messages(
    request: ChatRequest, quirks: Quirks, names: ToolNames, dropped: list[str]
) -> Iterator[dict[str, Json]]:
    if quirks.is_mistral and any(message.name for message in request.messages):
        dropped.append("messages.name")
        request = replace(request, messages=tuple(replace(one, name=None) for one in request.messages))
    for message in request.messages:
        match message.role:
            case "system" | "user":
                if message.parts or message.role == "user":
                    content = write_content(message.parts, is_mistral=quirks.is_mistral)
                    yield _named({"role": message.role, "content": content}, message)
            case "assistant":
                if _is_unsayable(message, quirks):
                    dropped += _left_out(message.parts)
                    continue
                written = _named(_write_assistant(message, quirks, names, dropped), message)
                is_prefix = quirks.is_mistral and message is request.messages[-1]
                yield written | {"prefix": True} if is_prefix else written
            case "tool":
                yield from _write_results(message, is_mistral=quirks.is_mistral)


def _is_unsayable(message: Message, quirks: Quirks) -> bool:
    """Whether nothing of a message has a place: an empty one in its stead confuses models, or is a 400."""
    parts = message.parts
    if not parts or isinstance(parts[0], TextPart | ToolCallPart):  # nearly all messages
        return False
    return all(
        isinstance(part, OtherPart | BlobPart | UriPart | FilePart)
        or (isinstance(part, ReasoningPart) and not (quirks.takes_reasoning_content and part.content))
        for part in parts
    )


def _left_out(parts: Iterable[Part]) -> list[str]:
    thoughts = ["thinking"] if any(isinstance(part, ReasoningPart) for part in parts) else []
    return [*thoughts, *unreplayed(parts)]


def _named(written: dict[str, Json], message: Message) -> dict[str, Json]:
    return written | {"name": message.name} if message.name else written


def _write_assistant(
    message: Message, quirks: Quirks, names: ToolNames, dropped: list[str]
) -> dict[str, Json]:
    if any(isinstance(part, ReasoningPart) for part in message.parts) and not quirks.takes_reasoning_content:
        dropped.append("thinking")
    dropped += unreplayed(message.parts)
    written = write_assistant(names.rename(message), has_thinking=quirks.takes_reasoning_content)
    written.pop("thinking_blocks", None)  # signatures are good at their origin only
    if quirks.is_mistral and (refusal := written.pop("refusal", None)):
        written["content"] = f"{written.get('content') or ''}{refusal}"
    return written


def _write_results(message: Message, *, is_mistral: bool) -> Iterator[dict[str, Json]]:
    """Write one message per result; images and documents of results follow as a user message."""
    media: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResponsePart):
            yield {"role": "tool", "tool_call_id": part.id or "", "content": result_text(part)}
            media += part.media
    if media:
        yield {"role": "user", "content": write_content(media, is_mistral=is_mistral)}


def result_text(part: ToolResponsePart) -> str:
    """Return a result as text; a failure says so in front, since the dialect has no mark for it."""
    response = part.response
    text = response if isinstance(response, str) else msgspec.json.encode(response).decode()
    is_marked = not part.is_error or re.match(r"\W*error", text, re.IGNORECASE)
    return text if is_marked else f"Error: {text}"


def _write_tools(request: ChatRequest, names: ToolNames) -> dict[str, Json]:
    body: dict[str, Json] = {}
    if not request.tools:
        return body
    tools: list[Json] = []
    for tool in request.tools:
        function: dict[str, Json] = {"name": names.write(tool.name)}
        if tool.description:
            function["description"] = tool.description
        function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
        if tool.is_strict is not None:
            function["strict"] = tool.is_strict
        tools.append({"type": "function", "function": function})
    body["tools"] = tools
    if request.tool_choice is not None:
        body["tool_choice"] = _write_choice(request.tool_choice, names)
    if request.takes_parallel_tools is not None:
        body["parallel_tool_calls"] = request.takes_parallel_tools
    return body


def _write_choice(choice: ToolChoice, names: ToolNames) -> Json:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": names.write(choice.name)}}
    return choice.mode


def _write_limits(request: ChatRequest, quirks: Quirks, facts: ModelFacts | None) -> dict[str, Json]:
    _, used = token_limit_names(facts.rejects if facts is not None else (), quirks)
    given: dict[str, Json] = {
        used: request.max_output_tokens,
        "n": request.choice_count if request.choice_count != 1 else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def write_user(request: ChatRequest, dropped: list[str]) -> dict[str, Json]:
    """Write who the call is for; Claude Code's name of that is longer than OpenAI takes."""
    if request.end_user is None:
        return {}
    if len(request.end_user) > ID_CHARS:
        dropped.append("user (shortened)")
    return {"user": shortened(request.end_user, ID_CHARS)}


def _write_sampling(request: ChatRequest, quirks: Quirks, dropped: list[str]) -> dict[str, Json]:
    if len(request.stop) > _MOST_STOPS:
        dropped.append(f"stop (the first {_MOST_STOPS} were kept)")
    given: dict[str, Json] = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop[:_MOST_STOPS]) or None,
        quirks.seed_field: request.seed,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "logprobs": request.wants_logprobs or request.top_logprobs is not None or None,
        "top_logprobs": request.top_logprobs,
    }
    return {name: value for name, value in given.items() if value is not None}


def write_cache_key(request: ChatRequest, quirks: Quirks, dropped: list[str]) -> dict[str, Json]:
    """Only hosts known to take the field are sent it: others answer 400 to unknown ones."""
    if request.cache_key is None:
        return {}
    if not quirks.takes_prompt_cache_key:
        dropped.append("prompt_cache_key")
        return {}
    return {"prompt_cache_key": shortened(request.cache_key, ID_CHARS)}


def write_verbosity(request: ChatRequest, facts: ModelFacts | None, dropped: list[str]) -> dict[str, Json]:
    """Only models that reason know it."""
    if request.verbosity is None:
        return {}
    if facts is None or "reasoning" not in facts.abilities:
        dropped.append("verbosity")
        return {}
    return {"verbosity": request.verbosity}


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
    return {"reasoning_effort": ask.effort or effort_of(ask.budget_tokens)}


def effort_of(budget_tokens: int | None) -> str:
    """Return the effort nearest to a budget of thinking tokens."""
    if budget_tokens is None:
        return "medium"
    return next((effort for limit, effort in _EFFORT_BY_BUDGET if budget_tokens <= limit), "high")


def _write_format(request: ChatRequest) -> dict[str, Json]:
    wanted = request.reply_format
    if wanted is None or wanted.kind == "text":
        return {}
    if wanted.kind == "json_object":
        return {"response_format": {"type": "json_object"}}
    schema: dict[str, Json] = {"name": wanted.name or "reply", "schema": wanted.schema or {}}
    if wanted.is_strict is not None:
        schema["strict"] = wanted.is_strict
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _write_tier(request: ChatRequest, tiers: Mapping[str, str], dropped: list[str]) -> dict[str, Json]:
    tier = request.service_tier
    if not tier:
        return {}
    written = tiers.get(tier)
    if written is None:
        dropped.append("service_tier")
        return {}
    return {"service_tier": written}
