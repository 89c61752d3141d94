"""Fits the ids of tool calls to what a host takes; the same way for call and result.

Source: Mistral answers 400 "Tool call id ... must be a-z, A-Z, 0-9, with a length of 9", and OpenAI "string
too long. Expected a string with maximum length 64".
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import msgspec

from sternpost.contracts.message import Message, Part, ToolCallPart, ToolResponsePart
from sternpost.dialects.json_text.raw_object import join_object, split_object
from sternpost.dialects.pairing.identifiers import ID_CHARS, shortened

_IN_CALLS: Final = re.compile(rb'"tool_call')
_PLAIN: Final = re.compile(r"[a-zA-Z0-9]+")
_LONG_ID: Final = re.compile(rb'"tool_call_id"\s*:\s*"[^"]{%d}' % (ID_CHARS + 1))  # each call has a result
_WITH_IDS: Final = frozenset({"assistant", "tool"})
Fit: TypeAlias = Callable[[str], str]
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def fitting(call_id: str, length: int) -> str:
    """Return the id, or a digest of it: histories may come from a call that another host answered."""
    if len(call_id) == length and _PLAIN.fullmatch(call_id):
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:length]


def fit_messages(messages: tuple[Message, ...], length: int) -> tuple[Message, ...]:
    """Fit every id to a length, or, with length 0, those that are too long for any host."""
    if length:
        return tuple(_fit_message(message, partial(fitting, length=length)) for message in messages)
    if not _has_long(messages):
        return messages
    return tuple(_fit_message(message, _short) for message in messages)


def _has_long(messages: tuple[Message, ...]) -> bool:
    return any(_is_long(message.parts) for message in messages if message.role in _WITH_IDS)


def _is_long(parts: tuple[Part, ...]) -> bool:
    for part in parts:
        if isinstance(part, ToolCallPart | ToolResponsePart) and part.id and len(part.id) > ID_CHARS:
            return True
    return False


def _short(call_id: str) -> str:
    return shortened(call_id, ID_CHARS)


def _fit_message(message: Message, fit: Fit) -> Message:
    return replace(message, parts=tuple(_fit_part(part, fit) for part in message.parts))


def _fit_part(part: Part, fit: Fit) -> Part:
    if isinstance(part, ToolCallPart | ToolResponsePart) and part.id:
        return replace(part, id=fit(part.id))
    return part


def fit_raw(messages: msgspec.Raw | bytes, length: int) -> msgspec.Raw | bytes:
    """Change the ids that do not have this length; every other byte stays."""
    if not _IN_CALLS.search(messages):
        return messages
    return _fit_items(messages, partial(fitting, length=length))


def shorten_raw(messages: msgspec.Raw | bytes) -> msgspec.Raw | bytes:
    """Change the ids that are too long for OpenAI; every other byte stays."""
    return _fit_items(messages, _short) if _LONG_ID.search(messages) else messages


def _fit_items(messages: msgspec.Raw | bytes, fit: Fit) -> bytes:
    items: list[msgspec.Raw | bytes] = list(_ITEMS.decode(messages))
    for index, item in enumerate(items):
        if _IN_CALLS.search(item):
            items[index] = _fit_item(bytes(item), fit)
    return b"[" + b",".join(items) + b"]"


def _fit_item(item: bytes, fit: Fit) -> bytes:
    fields: dict[str, msgspec.Raw | bytes] = dict(split_object(item))
    fit_field(fields, "tool_call_id", fit)
    calls = fields.get("tool_calls")
    if calls is not None and bytes(memoryview(calls)[:1]) == b"[":
        fitted: list[bytes] = []
        for call in _ITEMS.decode(calls):
            inner: dict[str, msgspec.Raw | bytes] = dict(split_object(bytes(call)))
            fit_field(inner, "id", fit)
            fitted.append(join_object(inner))
        fields["tool_calls"] = b"[" + b",".join(fitted) + b"]"
    return join_object(fields)


def fit_field(fields: dict[str, msgspec.Raw | bytes], name: str, fit: Fit) -> None:
    raw = fields.get(name)
    if raw is not None and bytes(memoryview(raw)[:1]) == b'"':
        fields[name] = msgspec.json.encode(fit(msgspec.json.decode(raw, type=str)))
