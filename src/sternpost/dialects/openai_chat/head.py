"""Reads the head of an OpenAI request and edits it in place; the messages stay unread."""

import re
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.json_text.raw_object import (
    check_messages,
    is_null,
    join_object,
    read_flag,
    read_model,
    read_text_map,
    read_value,
    rewrite_object,
    split_object,
)
from sternpost.dialects.openai_chat import mistral_messages
from sternpost.dialects.openai_chat.call_ids import fit_raw, shorten_raw
from sternpost.dialects.pairing.identifiers import shorten_fields
from sternpost.dialects.protocols import RequestHead, WrittenRequest

_THINKING = re.compile(rb'"thinking_blocks"')
_DEVELOPER = re.compile(rb'"developer"')
DEVELOPER: Final = "developer"  # a role that stands among what a host rejects
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ALWAYS: Final = frozenset({"model", "messages", "stream"})


def read_head(body: bytes) -> RequestHead:
    """Check the structure only: model, messages, stream and stream_options.

    Raises: BadRequest with `param`.
    """
    fields = split_object(body)
    model = read_model(fields)
    check_messages(fields)
    return RequestHead(
        model=model,
        is_stream=read_flag(fields, "stream"),
        wants_stream_usage=_wants_usage(fields.get("stream_options")),
        end_user=_end_user(fields),
        metadata=read_text_map(fields["metadata"]) if "metadata" in fields else {},
        fields=fields,
        body=body,
    )


def _wants_usage(raw: msgspec.Raw | None) -> bool:
    if is_null(raw) or raw is None:
        return False
    if bytes(memoryview(raw)[:1]) != b"{":
        raise BadRequest("stream_options: must be an object.", param="stream_options")
    return bytes(split_object(bytes(raw)).get("include_usage") or b"") == b"true"


def _end_user(fields: dict[str, msgspec.Raw]) -> str:
    for name in ("user", "safety_identifier"):
        if name in fields:
            value = read_value(fields[name])
            if isinstance(value, str) and value:
                return value
    return ""


def edit(head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Change the model and what the host demands; every other value keeps its bytes and its place."""
    fields: dict[str, msgspec.Raw | bytes] = dict(head.fields)
    dropped: list[str] = []
    if model != head.model:
        fields["model"] = msgspec.json.encode(model)
    if head.is_stream:
        _ask_for_usage(fields, head, quirks, dropped)
    messages = fields["messages"]
    if _THINKING.search(messages):
        fields["messages"] = _without_thinking(messages, quirks, dropped)
    if DEVELOPER in quirks.rejects and _DEVELOPER.search(fields["messages"]):
        fields["messages"] = _as_system(fields["messages"])
    if quirks.call_id_length:
        fields["messages"] = fit_raw(fields["messages"], quirks.call_id_length)
    if quirks.refuses_long_ids:
        fields["messages"] = shorten_raw(fields["messages"])
        dropped += shorten_fields(fields)
    if quirks.is_mistral:
        fields["messages"] = mistral_messages.fit_raw(fields["messages"], dropped)
        mistral_messages.fit_tier(fields, dropped)
    if quirks.seed_field != "seed":
        fields = _renamed(fields, "seed", quirks.seed_field, dropped)
    rejects = (*(facts.rejects if facts is not None else ()), *quirks.rejects)
    fields = _name_token_limit(fields, rejects, quirks, dropped)
    dropped += [name for name in rejects if name not in _ALWAYS and fields.pop(name, None) is not None]
    placed = place_key(fields, head, quirks)
    written = rewrite_object(head.body, head.fields, fields)
    return WrittenRequest(written, tuple(dict.fromkeys(dropped)), auto_cached=placed)


def place_key(fields: dict[str, msgspec.Raw | bytes], head: RequestHead, quirks: Quirks) -> tuple[str, ...]:
    """Add the key that keeps calls of one prefix together, where the caller gives none."""
    if head.auto_cache is None or not quirks.takes_prompt_cache_key or "prompt_cache_key" in fields:
        return ()
    fields["prompt_cache_key"] = msgspec.json.encode(head.auto_cache.key)
    return ("key",)


def _ask_for_usage(
    fields: dict[str, msgspec.Raw | bytes], head: RequestHead, quirks: Quirks, dropped: list[str]
) -> None:
    if not quirks.takes_stream_options:
        if fields.pop("stream_options", None) is not None:
            dropped.append("stream_options")
        return
    if head.wants_stream_usage:
        return
    given = head.fields.get("stream_options")
    options: dict[str, msgspec.Raw | bytes] = {}
    if given is not None and not is_null(given):
        options |= split_object(bytes(given))
    options["include_usage"] = b"true"
    fields["stream_options"] = join_object(options)


def _without_thinking(messages: msgspec.Raw | bytes, quirks: Quirks, dropped: list[str]) -> bytes:
    """Take our extension fields out of messages: signatures are good at their origin only.

    They come from an earlier answer of another provider, and hosts of this dialect answer 400 to them.
    """
    items: list[msgspec.Raw | bytes] = list(_ITEMS.decode(messages))
    for index, item in enumerate(items):
        if not _THINKING.search(item):
            continue
        fields: dict[str, msgspec.Raw | bytes] = dict(split_object(bytes(item)))
        if fields.pop("thinking_blocks", None) is not None:
            if not quirks.takes_reasoning_content:
                fields.pop("reasoning_content", None)
            items[index] = join_object(fields)
            dropped.append("thinking_blocks")
    return b"[" + b",".join(items) + b"]"


def _as_system(messages: msgspec.Raw | bytes) -> bytes:
    """Call developers `system`, as hosts do that know OpenAI's older roles alone."""
    items: list[msgspec.Raw | bytes] = list(_ITEMS.decode(messages))
    for index, item in enumerate(items):
        if not _DEVELOPER.search(item):
            continue
        fields = split_object(bytes(item))
        if read_value(fields.get("role")) == DEVELOPER:
            items[index] = rewrite_object(bytes(item), fields, {**fields, "role": b'"system"'})
    return b"[" + b",".join(items) + b"]"


def _name_token_limit(
    fields: dict[str, msgspec.Raw | bytes], rejects: tuple[str, ...], quirks: Quirks, dropped: list[str]
) -> dict[str, msgspec.Raw | bytes]:
    """Rename the limit on output tokens in its place where the host or the model knows the other name."""
    old, new = token_limit_names(rejects, quirks)
    return _renamed(fields, old, new, dropped) if old else fields


def _renamed(
    fields: dict[str, msgspec.Raw | bytes], old: str, new: str, dropped: list[str]
) -> dict[str, msgspec.Raw | bytes]:
    if old not in fields:
        return fields
    dropped.append(f"{old} (sent as {new})")
    if new in fields:
        del fields[old]
        return fields
    return {new if name == old else name: value for name, value in fields.items()}


def token_limit_names(rejects: tuple[str, ...], quirks: Quirks) -> tuple[str, str]:
    """Return (name to replace, name to use); an empty first means that both are understood."""
    if "max_completion_tokens" in rejects or not quirks.takes_max_completion_tokens:
        return "max_completion_tokens", "max_tokens"
    return ("max_tokens" if "max_tokens" in rejects else ""), "max_completion_tokens"
