"""Writes what an agent sent as a golden file: small, and without secrets or traces of the machine it ran on."""

import json
import re
from pathlib import Path
from typing import Any

from scripts.agents.relay import Passed

_TEXT_CHARS, _PROSE_CHARS = 600, 90  # of what was said, and of what only describes
_SAID_OF_ITSELF = (
    "anthropic-beta",
    "anthropic-version",
    "user-agent",
    "x-claude-code-session-id",
    "session-id",
)
_SAID_OF_ITSELF += (
    "x-session-id",
    "x-session-affinity",
    "x-codex-turn-metadata",
    "originator",
    "content-encoding",
)
_SYSTEM = re.compile(r" \([^()]*(?:x86_64|x64|arm64|aarch64)[^()]*\)")
_TASK_FOLDER = re.compile(r"/tmp/task-\w+")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_LONG_HEX = re.compile(r"\b[0-9a-f]{64}\b")
_PROSE = frozenset({"description", "title", "definition"})


def keep(file: Path, passed: list[Passed]) -> None:
    """Keep the longest request, which has the whole loop in it, and the shortest where it is another's work."""
    calls = [one for one in passed if one.method == "POST" and one.status == 200]
    kept = [max(calls, key=lambda one: len(one.body))]
    shortest = min(calls, key=lambda one: len(one.body))
    kept += [shortest] if len(shortest.body) * 2 < len(kept[0].body) else []
    entries = [
        {
            "path": one.path,
            "headers": {
                name: _SYSTEM.sub("", one.headers[name]) for name in _SAID_OF_ITSELF if name in one.headers
            },
            "body": one.json,
        }
        for one in kept
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_small(entries), indent=1, ensure_ascii=False) + "\n")


def _small(value: Any, name: str = "") -> Any:
    if isinstance(value, list):
        return [_small(one, name) for one in value]
    if isinstance(value, dict):
        return {key: _small(inner, key) for key, inner in value.items()}
    if not isinstance(value, str):
        return value
    text = _LONG_HEX.sub("0" * 64, _UUID.sub(r"00000000-0000-\g<1>000-8000-000000000000", value))
    text = _TASK_FOLDER.sub("/tmp/task", text)
    limit = _PROSE_CHARS if name in _PROSE else _TEXT_CHARS
    return text if len(text) <= limit else f"{text[:limit]} [cut]"
