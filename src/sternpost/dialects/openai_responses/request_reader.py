"""Reads a Responses request into the internal one; what it can't carry is named, never lost silently."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sternpost.contracts.chat import ChatRequest, ReasoningRequest, ReplyFormat
from sternpost.contracts.message import Json, Message, TextPart
from sternpost.dialects.json_text.fields import Fields, read_object
from sternpost.dialects.losses.inside import unknown_inside
from sternpost.dialects.losses.requested import folded
from sternpost.dialects.openai_responses.items import read_input
from sternpost.dialects.openai_responses.seal import MARK
from sternpost.dialects.openai_responses.shapes import FORMAT, INPUT
from sternpost.dialects.openai_responses.tools import read_choice, read_offer

_READ: Final = frozenset(
    {
        "model",
        "input",
        "instructions",
        "stream",
        "stream_options",  # padding of frames, which nobody misses
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "text",
        "reasoning",
        "include",
        "user",
        "safety_identifier",
        "service_tier",
        "metadata",
        "prompt_cache_key",
        "top_logprobs",
    }
)
# What means nothing to another provider when it is off, or is so by default.
_OFF: Final[tuple[Json, ...]] = (None, False, 0, [], {}, "disabled")
LOGPROBS: Final = "message.output_text.logprobs"
_INNER: Final[Mapping[str, frozenset[str]]] = {
    "reasoning": frozenset({"effort", "summary", "generate_summary"}),
    "text": frozenset({"format", "verbosity"}),
}
_ADDING: Final = re.compile(rb'"(?:additional_tools|tool_search_output)"')
_CUSTOM_CALL: Final = b'"custom_tool_call"'
_CARRIED: Final = frozenset({"reasoning.encrypted_content", LOGPROBS})


def read_request(body: bytes) -> ChatRequest:
    """Raises: BadRequest with the path of what can't be read."""
    fields = read_object(body)
    offer = read_offer(fields, adds=_ADDING.search(body) is not None)
    tools, choice, is_choice_read = read_choice(fields, offer)
    metadata, text, included = fields.child("metadata"), fields.child("text"), fields.texts("include")
    return ChatRequest(
        model=fields.need_text("model"),
        messages=(*_instructions(fields), *read_input(fields)),
        is_stream=bool(fields.flag("stream")),
        tools=tools,
        client_tools=offer.clients,
        custom_calls=_custom_calls(fields) if _CUSTOM_CALL in body else frozenset(),
        tool_choice=choice,
        takes_parallel_tools=fields.flag("parallel_tool_calls"),
        max_output_tokens=fields.integer("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        reply_format=_read_format(fields),
        reasoning=_read_reasoning(fields),
        end_user=fields.text("safety_identifier") or fields.text("user"),
        service_tier=fields.text("service_tier"),
        cache_key=fields.text("prompt_cache_key"),
        wants_logprobs=LOGPROBS in included,
        top_logprobs=fields.integer("top_logprobs") or None,
        metadata=metadata.text_map() if metadata else {},
        verbosity=text.text("verbosity") if text else None,
        unread=(
            *_unread(fields),
            *folded(offer.unread),
            *(() if is_choice_read else ("tool_choice",)),
            *unknown_inside(fields.values.get("input"), INPUT),
            *unknown_inside(text.values.get("format") if text else None, FORMAT),
        ),
    )


def _custom_calls(fields: Fields) -> frozenset[str]:
    """Return the ids of earlier calls of custom tools, whose arguments are a text."""
    items = fields.items("input") if isinstance(fields.values.get("input"), list) else ()
    calls = (item.text("call_id") for item in items if item.values.get("type") == "custom_tool_call")
    return frozenset(call for call in calls if call)


def _unread(fields: Fields) -> Iterator[str]:
    for name, value in fields.values.items():
        if name not in _READ and value not in _OFF:
            yield name
    if any(wanted not in _CARRIED for wanted in fields.texts("include")):
        yield "include"
    for name, known in _INNER.items():
        inner = fields.values.get(name)
        if isinstance(inner, dict) and not inner.keys() <= known:
            yield from Fields(inner, name).others(known)
    reasoning = fields.child("reasoning")
    if reasoning is not None and (reasoning.has("summary") or reasoning.has("generate_summary")):
        yield "reasoning.summary"
    if any(_is_sealed_elsewhere(item) for item in _listed(fields.values.get("input"))):
        yield "reasoning.encrypted_content"


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _is_sealed_elsewhere(item: Json) -> bool:
    """Whether an item holds thinking that only OpenAI can read."""
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    sealed = item.get("encrypted_content")
    return isinstance(sealed, str) and bool(sealed) and not sealed.startswith(MARK)


def _instructions(fields: Fields) -> Iterator[Message]:
    value = fields.values.get("instructions")
    if isinstance(value, str):
        if value:
            yield Message("system", (TextPart(value),))
    elif value is not None:
        yield from read_input(Fields({"input": value}, fields.at("instructions")))


def _read_format(fields: Fields) -> ReplyFormat | None:
    text = fields.child("text")
    ask = text.child("format") if text else None
    if ask is None:
        return None
    match ask.text("type"):
        case "text":
            return None
        case "json_object":
            return ReplyFormat("json_object")
        case "json_schema":
            schema = ask.child("schema")
            return ReplyFormat(
                "json_schema",
                name=ask.text("name") or "",
                schema=schema.values if schema else None,
                is_strict=ask.flag("strict"),
            )
        case _:
            raise ask.refuse("type", "text, json_object or json_schema")


def _read_reasoning(fields: Fields) -> ReasoningRequest | None:
    ask = fields.child("reasoning")
    effort = ask.text("effort") if ask else None
    return ReasoningRequest(effort=effort, asked_as="reasoning") if effort else None
