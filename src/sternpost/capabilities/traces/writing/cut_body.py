"""Closes JSON that was cut off, so that what arrived of a conversation can be read; knows no dialect."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from sternpost.contracts.message import Json

# A string, whole or cut off by the end, or a bracket. Each byte is looked at once.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?P<end>"|\\?\Z)|[{}\[\]]', re.DOTALL)
_BASE64_TAIL = re.compile(rb"[A-Za-z0-9+/=_-]{256}\Z")
_CLOSERS: Final = {b"{": b"}", b"[": b"]"}
_LONGEST_ESCAPE: Final = 12  # a pair of surrogates, which may be cut anywhere
_LISTS: Final = ("messages", "input", "contents")


def mend_cut_json(body: bytes) -> Mapping[str, Json] | None:
    """Return the object as far as it goes; None when no object was begun.

    Truncated text keeps its beginning. Of base64 nothing is kept: half an image is useless.
    """
    if body[:1] != b"{":
        body = body.lstrip()
    openers, last = _walk(body)
    if not body.startswith(b"{") or last is None:
        return None
    closers = b"".join(_CLOSERS[one] for one in reversed(openers))
    start, is_text = last.start(), last["end"] is not None
    if is_text and not _is_value(body, start, openers):  # a name without its value
        return _decode(body[:start].rstrip().rstrip(b","), closers)
    if is_text and last["end"] != b'"':
        return _with_open_text(body, start, closers)
    return _decode(body[: last.end()], closers)


def shorter_conversations(values: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Yield the conversation as it is, then without its last part, then without its last message."""
    yield values
    name = next((one for one in _LISTS if isinstance(values.get(one), list)), "")
    messages = values.get(name)
    if not isinstance(messages, list) or not messages:
        return
    *before, last = messages
    content = last.get("content") if isinstance(last, Mapping) else None
    if isinstance(last, Mapping) and isinstance(content, list) and len(content) > 1:
        yield {**values, name: [*before, {**last, "content": content[:-1]}]}
    yield {**values, name: before}


def _walk(body: bytes) -> tuple[list[bytes], re.Match[bytes] | None]:
    """Return the brackets that are open at the end, and the last token."""
    openers: list[bytes] = []
    last = None
    for last in _TOKEN.finditer(body):
        sign = body[last.start() : last.start() + 1]
        if sign in _CLOSERS:
            openers.append(sign)
        elif sign != b'"' and openers:
            openers.pop()
    return openers, last


def _is_value(body: bytes, start: int, openers: list[bytes]) -> bool:
    """Say whether the string that starts there is a value, and not the name of one."""
    at = start - 1
    while at >= 0 and body[at] in b" \t\r\n":
        at -= 1
    return openers[-1:] == [b"["] or body[at : at + 1] == b":"


def _with_open_text(body: bytes, start: int, closers: bytes) -> Mapping[str, Json] | None:
    text = body[start + 1 :]
    if _BASE64_TAIL.search(text[-256:]):
        header, mark, _ = text[:200].partition(b"base64,")
        text = header + mark
    for trimmed in range(_LONGEST_ESCAPE + 1):  # an escape or a character of several bytes may be cut
        kept = text[: len(text) - trimmed] if trimmed else text
        found = _decode(body[: start + 1] + kept + b'"', closers)
        if found is not None:
            return found
    return None


def _decode(body: bytes, closers: bytes) -> Mapping[str, Json] | None:
    try:
        found: Json = msgspec.json.decode(body + closers)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None
