"""Fits the ids of tool calls to a host that takes them of one length only; the same way for call and result.

Source: Mistral answers 400 "Tool call id ... must be a-z, A-Z, 0-9, with a length of 9".
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.message import Message, Part, ToolCallPart, ToolResponsePart
from sternpost.dialects.raw_object import join_object, split_object

_IN_CALLS: Final = re.compile(rb'"tool_call')
_PLAIN: Final = re.compile(r"[a-zA-Z0-9]+")
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def fitting(call_id: str, length: int) -> str:
    """Return the id, or a digest of it: histories may come from a call that another host answered."""
    if len(call_id) == length and _PLAIN.fullmatch(call_id):
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:length]


def fit_messages(messages: Iterable[Message], length: int) -> tuple[Message, ...]:
    return tuple(
        replace(message, parts=tuple(_fit_part(part, length) for part in message.parts))
        for message in messages
    )


def _fit_part(part: Part, length: int) -> Part:
    if isinstance(part, ToolCallPart | ToolResponsePart) and part.id:
        return replace(part, id=fitting(part.id, length))
    return part


def fit_raw(messages: msgspec.Raw | bytes, length: int) -> msgspec.Raw | bytes:
    """Change the ids that do not fit; every other byte stays."""
    if not _IN_CALLS.search(messages):
        return messages
    items: list[msgspec.Raw | bytes] = list(_ITEMS.decode(messages))
    for index, item in enumerate(items):
        if _IN_CALLS.search(item):
            items[index] = _fit_item(bytes(item), length)
    return b"[" + b",".join(items) + b"]"


def _fit_item(item: bytes, length: int) -> bytes:
    fields: dict[str, msgspec.Raw | bytes] = dict(split_object(item))
    _fit_field(fields, "tool_call_id", length)
    calls = fields.get("tool_calls")
    if calls is not None and bytes(memoryview(calls)[:1]) == b"[":
        fitted: list[bytes] = []
        for call in _ITEMS.decode(calls):
            inner: dict[str, msgspec.Raw | bytes] = dict(split_object(bytes(call)))
            _fit_field(inner, "id", length)
            fitted.append(join_object(inner))
        fields["tool_calls"] = b"[" + b",".join(fitted) + b"]"
    return join_object(fields)


def _fit_field(fields: dict[str, msgspec.Raw | bytes], name: str, length: int) -> None:
    raw = fields.get(name)
    if raw is not None and bytes(memoryview(raw)[:1]) == b'"':
        fields[name] = msgspec.json.encode(fitting(msgspec.json.decode(raw, type=str), length))
