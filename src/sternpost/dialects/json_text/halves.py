"""Reads JSON whose escapes hold half of a surrogate pair, as every vendor's SDK does; msgspec refuses it.

A half stands alone where a host cuts a text between the two: at the end of an answer, or between two deltas
of a stream (`\\ud83d`, then `\\ude00`). In a stream it is marked by a character of the last private plane
until the other half comes; what stays alone becomes U+FFFD. Frames that can be decoded are never looked at.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from sternpost.contracts.chat import (
    Ping,
    RefusalDelta,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolArguments,
    UsageSeen,
)

_Text: TypeAlias = TextDelta | ThinkingDelta | RefusalDelta | ToolArguments
_Key: TypeAlias = tuple[int, type[_Text], int]  # choice, kind, tool call
# An escape at a time, so that an escaped backslash is not taken for the beginning of the next one.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|u[dD][c-fC-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)
_HALF_BYTES: Final = 6
_LONE: Final = "\ufffd"
_SHIFT: Final = 0x10F800 - 0xD800  # from a half to the character that marks it
_FIRST, _FIRST_LOW, _LAST = 0x10F800, 0x10FC00, 0x10FFFF
_MARKS: Final = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST_LOW - 1)}][{chr(_FIRST_LOW)}-{chr(_LAST)}]")
_LEFT: Final = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_QUIET: Final = (Ping, UsageSeen)  # may come between two halves


def without_halves(body: bytes) -> bytes:
    """Return a body with U+FFFD for each half that stands alone; the same object when there is none."""
    return _ESCAPE.sub(_replace, body) if b"\\u" in body else body


def marked_halves(payload: bytes) -> bytes:
    """Return a payload with a mark for each half that stands alone; the same object when there is none."""
    return _ESCAPE.sub(_mark, payload) if b"\\u" in payload else payload


def _is_half(escape: bytes) -> bool:
    return len(escape) == _HALF_BYTES


def _replace(match: re.Match[bytes]) -> bytes:
    return _LONE.encode() if _is_half(match[0]) else match[0]


def _mark(match: re.Match[bytes]) -> bytes:
    return chr(int(match[0][2:], 16) + _SHIFT).encode() if _is_half(match[0]) else match[0]


class Halves:
    """Joins marked halves of one stream. It is asked only behind the first one."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[_Key, _Text] = {}  # a first half each, without what was before it

    def join(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        found: list[StreamEvent] = []
        for event in events:
            if isinstance(event, TextDelta | ThinkingDelta | RefusalDelta | ToolArguments):
                found += self._of_text(event)
            else:
                if not isinstance(event, _QUIET):
                    found += self.flush()
                found.append(event)
        return found

    def flush(self) -> Sequence[StreamEvent]:
        """Give up waiting for second halves."""
        left = [replace(event, text=_LONE) for event in self._waiting.values()]
        self._waiting.clear()
        return left

    def _of_text(self, event: _Text) -> list[StreamEvent]:
        key = (event.choice, type(event), event.index if isinstance(event, ToolArguments) else 0)
        waited = self._waiting.pop(key, None)
        text = event.text if waited is None else waited.text + event.text
        others = [one for one in self._waiting if one[0] == key[0] and one[1] is not key[1]]
        found: list[StreamEvent] = [replace(self._waiting.pop(other), text=_LONE) for other in others]
        if text and _FIRST <= ord(text[-1]) < _FIRST_LOW:
            self._waiting[key] = replace(event, text=text[-1])
            text = text[:-1]
        if text:
            found.append(replace(event, text=_LEFT.sub(_LONE, _MARKS.sub(_joined, text))))
        return found


def _joined(match: re.Match[str]) -> str:
    high, low = (ord(mark) - _SHIFT for mark in match[0])
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
