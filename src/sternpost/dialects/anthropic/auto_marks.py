"""Puts cache marks into a caller's own bytes: behind the tools, the system text and the last user turn.

Only the marked block's closing brace is touched; every byte before it stays, so that what is cached stays
cached. Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching. Whether a route wants it
is not decided here.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from sternpost.contracts.chat import AutoCache
from sternpost.contracts.provider import ModelFacts
from sternpost.dialects.auto_cache import MOST_MARKS, least_bytes
from sternpost.dialects.claude.cache_control import Ttl, write_mark
from sternpost.dialects.json_text.raw_object import UNREADABLE, join_object, split_object

_MARK: Final = re.compile(rb'"cache_control"\s*:\s*\{')
_LONG: Final = re.compile(rb'"ttl"\s*:\s*"1h"')
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_UNMARKED: Final = frozenset({"thinking", "redacted_thinking", ""})
_MARKED_FIELDS: Final = ("tools", "system", "messages")
_WHOLE: Final = "cache_control"
RawFields = dict[str, msgspec.Raw | bytes]


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None
    role: str = ""
    cache_control: msgspec.Raw = msgspec.Raw()
    defer_loading: bool = False


_BLOCK: Final = msgspec.json.Decoder(_Block)


def place(fields: RawFields, auto: AutoCache, facts: ModelFacts | None) -> tuple[str, ...]:
    """Mark what is long enough and return the names of the places; the caller's own marks count."""
    own = [fields[name] for name in _MARKED_FIELDS if name in fields]
    whole = fields.get(_WHOLE, b"null")  # a mark behind the last block, which the provider places
    has_whole = bytes(whole) != b"null"
    room = MOST_MARKS - has_whole - sum(len(_MARK.findall(raw)) for raw in own)
    has_own = room < MOST_MARKS
    if has_own and any(_LONG.search(raw) for raw in (whole, *own)):
        return ()  # marks of an hour must stand before all others: the caller's order is the caller's
    ttl: Ttl = "5m" if has_own else auto.ttl
    least, size, placed = least_bytes(facts), 0, list[str]()
    for name in _MARKED_FIELDS:
        if name not in fields or (has_whole and name == "messages"):
            continue
        size += len(memoryview(fields[name]))
        marked = _marked(name, fields[name], ttl) if size >= least and len(placed) < room else None
        if marked is not None:
            fields[name] = marked
            placed.append(name)
    return tuple(placed)


def _marked(name: str, raw: msgspec.Raw | bytes, ttl: Ttl) -> bytes | None:
    """Return the field with a mark at its end; None where it can't have one or has one."""
    try:
        if name == "messages":
            return _mark_last_turn(bytes(raw), ttl)
        return _mark_content(bytes(raw), ttl, is_tools=name == "tools")
    except UNREADABLE:
        return None  # of a shape that only the provider can judge


def _mark_content(raw: bytes, ttl: Ttl, *, is_tools: bool = False) -> bytes | None:
    """Mark a text, which becomes a block, or the last block of an array."""
    if raw[:1] == b'"':
        if not msgspec.json.decode(raw, type=str).strip():
            return None
        return b'[{"type":"text","text":' + raw + _member(ttl) + b"}]"
    if raw[:1] != b"[" or not (blocks := _ITEMS.decode(raw)):
        return None
    if is_tools:
        return _mark_tools(raw, blocks, ttl)
    last = _BLOCK.decode(blocks[-1])
    is_empty = last.type == "text" and not (last.text or "").strip()
    if memoryview(last.cache_control) or is_empty or last.type in _UNMARKED:
        return None
    end = raw.rindex(b"}")
    return raw[:end] + _member(ttl) + raw[end:]


def _mark_tools(raw: bytes, tools: Sequence[msgspec.Raw], ttl: Ttl) -> bytes | None:
    """Mark the last tool that is in the prompt: with `defer_loading` it is not, and a mark there a 400."""
    end = len(raw)
    for item in reversed(tools):
        end = raw.rindex(bytes(item), 0, end)
        tool = _BLOCK.decode(item)
        if not tool.defer_loading:
            end += len(memoryview(item)) - 1
            return None if memoryview(tool.cache_control) else raw[:end] + _member(ttl) + raw[end:]
    return None


def _mark_last_turn(raw: bytes, ttl: Ttl) -> bytes | None:
    turns = _ITEMS.decode(raw)
    if not turns or _BLOCK.decode(turns[-1]).role != "user":
        return None
    last = bytes(turns[-1])
    turn: RawFields = dict(split_object(last))
    content = _mark_content(bytes(turn.get("content", b"")), ttl)
    if content is None:
        return None
    turn["content"] = content
    start = raw.rindex(b"}") + 1 - len(last)
    return raw[:start] + join_object(turn) + raw[start + len(last) :]


def _member(ttl: Ttl) -> bytes:
    return b"," + msgspec.json.encode(write_mark(ttl))[1:-1]
