"""The signed thinking that the fake provider puts before an Anthropic answer when it is asked to think.

Source of the shapes: docs.claude.com/en/docs/build-with-claude/extended-thinking; the signature is ours.
"""

from typing import Any

BLOCK = {
    "type": "thinking",
    "thinking": "The question names a city; the tool knows its weather.",
    "signature": "RmFrZVNpZ25hdHVyZS9ub3QrYmFzZTY0PT0=",
}


def is_asked(field: Any) -> bool:
    return isinstance(field, dict) and field.get("type") != "disabled"


def blocks(is_thinking: bool) -> list[dict[str, Any]]:
    return [dict(BLOCK)] if is_thinking else []


def events(is_thinking: bool) -> list[dict[str, Any]]:
    """Return the stream events of the block, which is the first of its message."""
    if not is_thinking:
        return []
    opened = {"type": "thinking", "thinking": "", "signature": ""}
    first, second = BLOCK["thinking"][:20], BLOCK["thinking"][20:]
    deltas = [
        {"type": "thinking_delta", "thinking": first},
        {"type": "thinking_delta", "thinking": second},
        {"type": "signature_delta", "signature": BLOCK["signature"]},
    ]
    return [
        {"type": "content_block_start", "index": 0, "content_block": opened},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]
