"""The line in which Claude Code says who is billed; it differs by session, and only Anthropic reads it.

It stands before all else, so that another vendor's prompt cache would never find what follows it again. Which
target is another vendor's is decided elsewhere.
"""

import re
from typing import Final

import msgspec

from sternpost.contracts.message import Json

LEFT_OUT: Final = "system (x-anthropic-billing-header)"
_LINE: Final = re.compile(r"\A\s*x-anthropic-billing-header:[^\n]*\n*", re.IGNORECASE)
_SIGN: Final = re.compile(rb'"\s*x-anthropic-billing-header:', re.IGNORECASE)


def without(system: msgspec.Raw | bytes | None) -> bytes | None:
    """Return the system texts without the line, b"" when nothing is left; None when there is no such line."""
    if system is None or not _SIGN.search(system):
        return None
    try:
        value: Json = msgspec.json.decode(system)
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(value, str):
        rest = _LINE.sub("", value)
        return msgspec.json.encode(rest) if rest else b""
    if not isinstance(value, list):
        return None
    kept: list[Json] = []
    for block in value:
        text = block.get("text") if isinstance(block, dict) else None
        if not isinstance(block, dict) or not isinstance(text, str) or not _LINE.match(text):
            kept.append(block)
        elif rest := _LINE.sub("", text):
            kept.append({**block, "text": rest})
    return msgspec.json.encode(kept) if kept else b""
