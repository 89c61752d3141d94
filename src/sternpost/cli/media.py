"""Parts of a message as a terminal shows them; media by kind, type and size."""

import json
from typing import Any


def part_words(part: dict[str, Any]) -> str:
    """Write one part on a line, e.g. `[image image/png 12 kB]`."""
    match part.get("type"):
        case "blob":
            where = _size(part["size_bytes"]) if part.get("hash") else "not kept"
            return _bracketed(part.get("modality"), part.get("filename"), part.get("mime_type"), where)
        case "uri":
            return _bracketed(part.get("modality"), part.get("uri"))
        case "file":
            return _bracketed(part.get("modality"), part.get("file_id"))
        case "tool_call":
            return f"calls {part.get('name')} {part.get('arguments') or ''}".strip()
        case "tool_call_response":
            media = [part_words(one) for one in part.get("media") or ()]
            return " ".join(["answers", _text(part.get("response")), *media])
        case "reasoning":
            return "[reasoning]"
        case "other":
            return _bracketed("other", str(part.get("payload", {}).get("type", "")))
        case _:
            return " ".join(_text(part.get("content")).split())


def _bracketed(*words: str | None) -> str:
    return f"[{' '.join(word for word in words if word)}]"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _size(size_bytes: int) -> str:
    """Write a size by thousands, as the web app does."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1000)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.3g} {unit}"
    return f"{size_bytes} B"
